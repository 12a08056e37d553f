#include "server/core/command.h"

#include <algorithm>

namespace lapse {

bool ArityFits(const CommandRow& row, size_t words) {
  const auto count = static_cast<int64_t>(words);
  return row.arity >= 0 ? count == row.arity : count >= -row.arity;
}

namespace {

void FindInRange(std::span<const std::string_view> args, const KeySpecification& spec,
                 KeyRefs& keys) {
  const auto count = static_cast<int64_t>(args.size());
  const int64_t last =
      std::min<int64_t>(spec.last >= 0 ? spec.at + spec.last : count + spec.last, count - 1);
  for (int64_t i = spec.at; i <= last; i += spec.step) {
    keys.push_back({static_cast<uint32_t>(i), spec.access});
  }
}

}  // namespace

void FindKeys(const CommandRow& row, std::span<const std::string_view> args, KeyRefs& keys) {
  if (row.find_keys != nullptr) {
    // A finder reads the words that the arity promises.
    if (ArityFits(row, args.size())) row.find_keys(args, keys);
    return;
  }
  if (row.keys.first == 0) return;
  if (row.access_of_request == nullptr && !row.key_specs.empty()) {
    for (const KeySpecification& spec : row.key_specs) FindInRange(args, spec, keys);
    return;
  }
  const KeySpec& spec = row.keys;
  FindInRange(
      args,
      {.access = row.access_of_request == nullptr ? row.access : row.access_of_request(args),
       .at = spec.first,
       .last = RelativeLast(spec),
       .step = spec.step},
      keys);
}

}  // namespace lapse
