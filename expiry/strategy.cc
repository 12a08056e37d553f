#include "expiry/strategy.h"

#include <algorithm>

#include <array>

#include "expiry/fullscan.h"
#include "expiry/hinted.h"
#include "expiry/sampled.h"

namespace lapse {
namespace {

struct NamedStrategy {
  StrategyKind kind;
  std::string_view name;
};

constexpr std::array<NamedStrategy, 3> kStrategies = {{
    {StrategyKind::kHinted, "hinted"},
    {StrategyKind::kSampled, "sampled"},
    {StrategyKind::kFullScan, "fullscan"},
}};

}  // namespace

std::unique_ptr<ExpiryStrategy> MakeStrategy(StrategyKind kind) {
  switch (kind) {
    case StrategyKind::kSampled:
      return std::make_unique<SampledStrategy>();
    case StrategyKind::kFullScan:
      return std::make_unique<FullScanStrategy>();
    case StrategyKind::kHinted:
      break;
  }
  return std::make_unique<HintedStrategy>();
}

std::string_view StrategyName(StrategyKind kind) {
  for (const NamedStrategy& strategy : kStrategies) {
    if (strategy.kind == kind) return strategy.name;
  }
  return "";
}

bool ParseStrategy(std::string_view name, StrategyKind& kind) {
  for (const NamedStrategy& strategy : kStrategies) {
    if (strategy.name != name) continue;
    kind = strategy.kind;
    return true;
  }
  return false;
}

Tick Share::EarliestDue() const {
  Tick earliest = kNeverTick;
  const size_t shards = size();
  for (size_t db = 0; db < keyspace_.database_count(); ++db) {
    Database* const database = keyspace_.FindDatabase(db);
    if (database == nullptr) continue;
    for (size_t i = 0; i < shards; ++i) {
      earliest = std::min(earliest, shard(*database, i).next_due());
    }
  }
  return earliest;
}

}  // namespace lapse
