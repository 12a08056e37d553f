// The command families: each file of this folder exports its table here, and the instance is built
// from all of them.
//
// Thread: tables are constants.
#pragma once

#include <span>

#include "server/core/command.h"

namespace lapse {

std::span<const CommandRow> StringCommands();
std::span<const CommandRow> AclUserCommands();
std::span<const CommandRow> SortCommands();
std::span<const CommandRow> SlowLogCommands();
std::span<const CommandRow> LatencyCommands();
std::span<const CommandRow> StringCounterCommands();
std::span<const CommandRow> StringRangeCommands();
std::span<const CommandRow> LcsCommands();
std::span<const CommandRow> BitmapCommands();
std::span<const CommandRow> BitFieldCommands();
std::span<const CommandRow> HyperLogLogCommands();
std::span<const CommandRow> SetCommands();
std::span<const CommandRow> SetOperationCommands();
std::span<const CommandRow> HashCommands();
std::span<const CommandRow> HashRandomCommands();
std::span<const CommandRow> HashExpiryCommands();
std::span<const CommandRow> ListCommands();
std::span<const CommandRow> ListPopCommands();
std::span<const CommandRow> ListMoveCommands();
std::span<const CommandRow> KeyCommands();
std::span<const CommandRow> CopyCommands();
std::span<const CommandRow> DumpCommands();
std::span<const CommandRow> ScanCommands();
std::span<const CommandRow> ObjectCommands();
std::span<const CommandRow> DatabaseCommands();
std::span<const CommandRow> ExpireCommands();
std::span<const CommandRow> ConnectionCommands();
std::span<const CommandRow> ClientCommands();
std::span<const CommandRow> ServerCommands();
std::span<const CommandRow> LolwutCommands();
std::span<const CommandRow> PersistenceCommands();
std::span<const CommandRow> ReplicationCommands();
std::span<const CommandRow> ClusterCommands();
std::span<const CommandRow> ModuleCommands();
std::span<const CommandRow> MigrateCommands();
std::span<const CommandRow> MemoryCommands();
std::span<const CommandRow> DebugCommands();
std::span<const CommandRow> InfoCommands();
std::span<const CommandRow> ConfigCommands();
std::span<const CommandRow> IntrospectionCommands();
std::span<const CommandRow> FlushExpireCommands();
std::span<const CommandRow> MetricsCommands();
std::span<const CommandRow> FlushTaskCommands();
std::span<const CommandRow> ManagedCommands();
std::span<const CommandRow> TransactionCommands();
std::span<const CommandRow> StreamCommands();
std::span<const CommandRow> StreamReadCommands();
std::span<const CommandRow> StreamGroupCommands();
std::span<const CommandRow> StreamPendingCommands();
std::span<const CommandRow> StreamInfoCommands();
std::span<const CommandRow> SortedSetCommands();
std::span<const CommandRow> SortedSetRangeCommands();
std::span<const CommandRow> SortedSetOperationCommands();
std::span<const CommandRow> SortedSetBlockingCommands();
std::span<const CommandRow> GeoCommands();
std::span<const CommandRow> GeoSearchCommands();
std::span<const CommandRow> PubSubCommands();
std::span<const CommandRow> MonitorCommands();
std::span<const CommandRow> ScriptingCommands();
std::span<const CommandRow> FunctionCommands();

// All of the above.
std::span<const std::span<const CommandRow>> AllCommandFamilies();

}  // namespace lapse
