#include "server/commands/families.h"

#include <array>

namespace lapse {

// One a line, so that two new families do not get into each other's way.
// clang-format off
std::span<const std::span<const CommandRow>> AllCommandFamilies() {
  static const auto kFamilies = std::to_array<std::span<const CommandRow>>({
      StringCommands(),
      AclUserCommands(),
      SortCommands(),
      SlowLogCommands(),
      LatencyCommands(),
      StringCounterCommands(),
      StringRangeCommands(),
      LcsCommands(),
      BitmapCommands(),
      BitFieldCommands(),
      HyperLogLogCommands(),
      SetCommands(),
      SetOperationCommands(),
      HashCommands(),
      HashRandomCommands(),
      HashExpiryCommands(),
      ListCommands(),
      ListPopCommands(),
      ListMoveCommands(),
      KeyCommands(),
      CopyCommands(),
      DumpCommands(),
      ScanCommands(),
      ObjectCommands(),
      DatabaseCommands(),
      ExpireCommands(),
      ConnectionCommands(),
      ClientCommands(),
      ServerCommands(),
      LolwutCommands(),
      PersistenceCommands(),
      ReplicationCommands(),
      ClusterCommands(),
      ModuleCommands(),
      MigrateCommands(),
      MemoryCommands(),
      DebugCommands(),
      InfoCommands(),
      ConfigCommands(),
      IntrospectionCommands(),
      FlushExpireCommands(),
      MetricsCommands(),
      FlushTaskCommands(),
      ManagedCommands(),
      TransactionCommands(),
      StreamCommands(),
      StreamReadCommands(),
      StreamGroupCommands(),
      StreamPendingCommands(),
      StreamInfoCommands(),
      SortedSetCommands(),
      SortedSetRangeCommands(),
      SortedSetOperationCommands(),
      SortedSetBlockingCommands(),
      GeoCommands(),
      GeoSearchCommands(),
      PubSubCommands(),
      MonitorCommands(),
      ScriptingCommands(),
      FunctionCommands(),
  });
  return kFamilies;
}
// clang-format on

}  // namespace lapse
