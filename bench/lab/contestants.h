// Who is compared: the expiry strategies, and the ways of flushing on request.
//
// Thread: constant.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "expiry/settings.h"

namespace lapse {

// What removes the expired keys when no strategy runs.
enum class FlushWay : uint8_t {
  kNone,
  kExhaustive,  // FLUSHEXPIREKEYS, by the keys' own deadlines
  kHinted,      // FLUSHEXPIREKEYS, by hints
  kScanLoop,    // a client's SCAN over everything
};

struct Contestant {
  std::string_view name;  // as the command line, JSON and reports have it
  std::string_view colour;
  StrategyKind strategy = StrategyKind::kHinted;
  int64_t effort = 1;
  bool active = true;
  FlushWay flush = FlushWay::kNone;

  ExpirySettings Settings() const {
    ExpirySettings settings;
    settings.active = active;
    settings.strategy = strategy;
    settings.effort = effort;
    return settings;
  }
};

inline constexpr std::string_view kOffName = "off";

inline constexpr Contestant kStrategyContestants[] = {
    {"hinted", "#0a7d4f", StrategyKind::kHinted},
    {"sampled-1", "#d1495b", StrategyKind::kSampled, 1},
    {"sampled-10", "#e08e0b", StrategyKind::kSampled, 10},
    {"fullscan", "#2f5fa5", StrategyKind::kFullScan},
    {kOffName, "#7d8597", StrategyKind::kHinted, 1, false},
};

inline constexpr Contestant kFlushContestants[] = {
    {"flush", "#0a7d4f", StrategyKind::kHinted, 1, false, FlushWay::kExhaustive},
    {"flush-hints", "#2f5fa5", StrategyKind::kHinted, 1, false, FlushWay::kHinted},
    {"scan-loop", "#d1495b", StrategyKind::kHinted, 1, false, FlushWay::kScanLoop},
};

}  // namespace lapse
