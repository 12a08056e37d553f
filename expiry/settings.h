// What an operator can set about active expiry. Plain data; the engine's copy changes in the gate's
// exclusive form and is read inside the gate. docs/expiry.md says what each costs and gains.
#pragma once

#include <cstdint>
#include <string_view>

namespace lapse {

enum class StrategyKind : uint8_t { kHinted, kSampled, kFullScan };

struct ExpirySettings {
  bool active = true;  // DEBUG SET-ACTIVE-EXPIRE
  StrategyKind strategy = StrategyKind::kHinted;
  int64_t effort = 1;                   // 1..10, of `sampled`: Redis's active-expire-effort
  int64_t hz = 10;                      // 1..500, turns a second of `sampled`
  int64_t fullscan_period_ms = 60'000;  // one pass of `fullscan` over everything takes this long
  // Shares of one CPU that a driver may use, in percent: with nothing late, with a backlog while
  // clients are served, and with a backlog while its thread is otherwise idle.
  int64_t rest_percent = 5;
  int64_t behind_percent = 25;
  int64_t idle_percent = 90;
  int64_t slice_us = 250;  // the longest a driver works between two looks at its clients
};

}  // namespace lapse
