#include "server/core/command.h"

#include <algorithm>

namespace lapse {

void FindKeys(const CommandRow& row, std::span<const std::string_view> args, KeyRefs& keys) {
  if (row.find_keys != nullptr) return row.find_keys(args, keys);
  if (row.keys.first == 0) return;
  const auto count = static_cast<int64_t>(args.size());
  const int64_t last =
      std::min<int64_t>(row.keys.last >= 0 ? row.keys.last : count + row.keys.last, count - 1);
  for (int64_t i = row.keys.first; i <= last; i += row.keys.step) {
    keys.push_back({static_cast<uint32_t>(i), row.access});
  }
}

}  // namespace lapse
