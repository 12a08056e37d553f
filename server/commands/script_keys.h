// Where the keys of EVAL and FCALL are: after their number, args[2].
//
// Thread: pure functions.
#pragma once

#include "protocol/number.h"
#include "server/core/command.h"

namespace lapse {

inline void FindScriptKeys(std::span<const std::string_view> args, KeyAccess access,
                           KeyRefs& keys) {
  constexpr uint32_t kFirstKey = 3;
  int64_t count = 0;
  if (args.size() < kFirstKey || !ParseInt64(args[2], count)) return;
  if (count < 0 || count > static_cast<int64_t>(args.size() - kFirstKey)) return;
  for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i) {
    keys.push_back({kFirstKey + i, access});
  }
}

// Nobody can tell what a script does to its keys, so the most is assumed.
inline void FindWrittenScriptKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  FindScriptKeys(args, KeyAccess::kReadWrite, keys);
}
inline void FindReadScriptKeys(std::span<const std::string_view> args, KeyRefs& keys) {
  FindScriptKeys(args, KeyAccess::kReadOnly, keys);
}

}  // namespace lapse
