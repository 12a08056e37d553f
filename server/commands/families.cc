#include "server/commands/families.h"

#include <array>

namespace lapse {

std::span<const std::span<const CommandRow>> AllCommandFamilies() {
  static const std::array kFamilies = {
      StringCommands(),        StringCounterCommands(), StringRangeCommands(), LcsCommands(),
      KeyCommands(),           CopyCommands(),          ScanCommands(),        ObjectCommands(),
      DatabaseCommands(),      ExpireCommands(),        ConnectionCommands(),  ClientCommands(),
      ServerCommands(),        LolwutCommands(),        InfoCommands(),        ConfigCommands(),
      IntrospectionCommands(), FlushExpireCommands(),
  };
  return kFamilies;
}

}  // namespace lapse
