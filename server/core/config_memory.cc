// The directives of the memory limit and of eviction.

#include "absl/strings/str_join.h"
#include "server/core/arguments.h"
#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"

namespace lapse {
namespace {

ConfigRow PolicyRow() {
  constexpr int kPolicies = 8;
  ConfigValues names;
  for (int i = 0; i < kPolicies; ++i) {
    names.emplace_back(EvictionPolicyName(static_cast<EvictionPolicy>(i)));
  }
  return {.name = "maxmemory-policy",
          .type = ConfigType::kEnum,
          .at_run_time = true,
          .values = absl::StrJoin(names, ", "),
          .doc = "Which keys go when memory is above the limit.",
          .get =
              [](const Config& config) {
                return std::string(EvictionPolicyName(config.maxmemory_policy));
              },
          .set =
              [names](Config& config, ConfigWordSpan words) {
                if (words.size() != 1) return WrongCount();
                for (size_t i = 0; i < names.size(); ++i) {
                  if (!EqualsIgnoreCase(words[0], names[i])) continue;
                  config.maxmemory_policy = static_cast<EvictionPolicy>(i);
                  return absl::OkStatus();
                }
                return CheckOneOf(words[0], names);
              }};
}

}  // namespace

void AddMemoryRows(std::vector<ConfigRow>& rows) {
  constexpr ConfigTime kAnyTime = ConfigTime::kAnyTime;
  rows.push_back(MemoryRow("maxmemory", kAnyTime, &Config::maxmemory, 0,
                           "The most that used_memory may be before keys are evicted or writes are "
                           "refused. 0: no limit."));
  rows.push_back(PolicyRow());
  rows.push_back(NumberRow("maxmemory-samples", kAnyTime, &Config::maxmemory_samples, {1, kMostInt},
                           "How many keys an eviction compares."));
  rows.push_back(NumberRow("lfu-log-factor", kAnyTime, &Config::lfu_log_factor, {0, kMostInt},
                           "How slowly the counter of accesses grows under an LFU policy."));
  rows.push_back(NumberRow("lfu-decay-time", kAnyTime, &Config::lfu_decay_minutes,
                           {0, kMostInt, "minutes"},
                           "How long it takes the counter of accesses to lose one. 0: for ever."));
}

}  // namespace lapse
