// What holds for every strategy: expired keys go, live ones stay, whatever happens to deadlines and
// to the clock.
#include "expiry/strategy.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "tests/expiry/bed.h"

namespace lapse {
namespace {

constexpr StrategyKind kAll[] = {StrategyKind::kHinted, StrategyKind::kSampled,
                                 StrategyKind::kFullScan};
constexpr int64_t kHourMs = 3'600'000;

TEST(Strategy, NamesRoundTrip) {
  for (const StrategyKind kind : kAll) {
    StrategyKind parsed{};
    ASSERT_TRUE(ParseStrategy(StrategyName(kind), parsed));
    EXPECT_EQ(parsed, kind);
    EXPECT_EQ(MakeStrategy(kind)->kind(), kind);
  }
  StrategyKind parsed = StrategyKind::kSampled;
  EXPECT_FALSE(ParseStrategy("wheel", parsed));
  EXPECT_FALSE(ParseStrategy("", parsed));
  EXPECT_EQ(parsed, StrategyKind::kSampled);
}

TEST(Strategy, ShareCoversEveryShardOnce) {
  WorkClock clock;
  Keyspace keyspace({.databases = 1, .shard_bits = 4, .hash_seed = 1}, clock);
  for (const size_t workers : {1, 2, 3, 5, 16, 40}) {
    std::map<Shard*, int> seen;
    for (size_t worker = 0; worker < workers; ++worker) {
      const Share share(keyspace, worker, workers);
      for (size_t i = 0; i < share.size(); ++i) ++seen[&share.shard(keyspace.database(0), i)];
    }
    EXPECT_EQ(seen.size(), keyspace.shard_count()) << workers;
    for (const auto& [shard, times] : seen) EXPECT_EQ(times, 1);
  }
}

class EachStrategy : public testing::TestWithParam<StrategyKind> {
 protected:
  // Walks often enough that a test of some seconds sees several passes.
  static ExpirySettings Settings() {
    ExpirySettings settings = WithStrategy(GetParam());
    settings.fullscan_period_ms = 500;
    return settings;
  }
  // After this much time all that was due is gone, by any strategy, among few enough keys.
  static constexpr int64_t kSettleMs = 60'000;
};

TEST_P(EachStrategy, RemovesWhatIsDueAndNothingElse) {
  Bed bed(Settings());
  bed.Fill("soon", 3000, bed.now_ms() + 1000);
  bed.Fill("later", 3000, bed.now_ms() + 10 * kHourMs);
  bed.Fill("never", 3000, kNoDeadline);
  bed.Live(900);
  EXPECT_EQ(bed.AllKeys(), 9000);
  bed.Live(kSettleMs);
  EXPECT_EQ(bed.AllKeys(), 6000);
  EXPECT_EQ(bed.log.count(), 3000);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
  EXPECT_EQ(bed.keyspace.Totals().expired_active, 3000);
}

TEST_P(EachStrategy, AKeyIsThereUntilItsLastMillisecondHasPassed) {
  Bed bed(Settings());
  const int64_t deadline = bed.now_ms() + 5;
  bed.Set("k", deadline);
  while (bed.now_ms() <= deadline) {
    bed.Live(1);
    if (bed.now_ms() <= deadline) {
      ASSERT_EQ(bed.AllKeys(), 1);
    }
  }
  bed.Live(kSettleMs);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST_P(EachStrategy, FollowsDeadlinesThatMove) {
  Bed bed(Settings());
  bed.Fill("extended", 500, bed.now_ms() + 500);
  bed.Fill("shortened", 500, bed.now_ms() + kHourMs);
  bed.Fill("dropped", 500, bed.now_ms() + 500);
  for (int i = 0; i < 500; ++i) {
    bed.Expire(fmt::format("extended{}", i), bed.now_ms() + 2 * kHourMs);
    bed.Expire(fmt::format("shortened{}", i), bed.now_ms() + 300);
    bed.Expire(fmt::format("dropped{}", i), kNoDeadline);
  }
  bed.Live(kSettleMs);
  EXPECT_EQ(bed.AllKeys(), 1000);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
}

TEST_P(EachStrategy, RemovesKeysThatWereDeadOnArrival) {
  Bed bed(Settings());
  bed.clock.AdvanceMs(10'000);
  bed.Fill("dead", 200, bed.now_ms() - 1);
  bed.Fill("ancient", 200, 1);
  bed.Live(kSettleMs);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST_P(EachStrategy, ServesEveryDatabase) {
  Bed bed(Settings());
  for (uint16_t db = 0; db < 4; ++db) bed.Fill("k", 700, bed.now_ms() + 100, db);
  bed.Fill("live", 100, bed.now_ms() + kHourMs, 2);
  bed.Live(kSettleMs);
  EXPECT_EQ(bed.AllKeys(), 100);
  EXPECT_EQ(bed.Keys(2), 100);
}

TEST_P(EachStrategy, AnEmptyKeyspaceCostsNothing) {
  Bed bed(Settings());
  bed.Live(5000);
  const ExpiryCounters counters = bed.engine.counters();
  EXPECT_EQ(counters.segments_swept, 0);
  EXPECT_EQ(counters.reclaimed, 0);
  EXPECT_EQ(counters.time_cap_reached, 0);
}

TEST_P(EachStrategy, SurvivesDatabasesThatGoAway) {
  Bed bed(Settings());
  bed.clock.set_work_ns(20'000);
  bed.Fill("k", 5000, bed.now_ms() + 1, 1);
  bed.clock.AdvanceMs(200);
  bed.engine.Drive(0, 1, true);
  std::unique_ptr<Database> gone;
  {
    Gate::Exclusive alone(bed.keyspace.gate());
    gone = bed.keyspace.Detach(1);
    bed.keyspace.Swap(0, 1);
  }
  gone.reset();
  bed.Fill("fresh", 10, bed.now_ms() + 1, 0);
  bed.Live(kSettleMs);
  EXPECT_EQ(bed.AllKeys(), 0);
}

// Random sets, extensions, drops, deletions and past deadlines, with a clock that jumps an hour
// either way, against a map of deadlines.
class Model {
 public:
  Model(Bed& bed, uint64_t seed) : bed_(bed), random_(seed) {
    // What is gone stays gone, even if the clock steps back to when it lived.
    bed_.log.on_expired = [this](const Effect& effect) {
      const auto found = deadlines_.find({effect.db, std::string(effect.key)});
      ASSERT_NE(found, deadlines_.end()) << effect.key;
      EXPECT_EQ(found->second, effect.deadline) << effect.key;
      deadlines_.erase(found);
    };
  }

  void Operate() {
    const auto db = static_cast<uint16_t>(Below(3));
    const std::string name = fmt::format("key{}", Below(2000));
    const auto id = std::pair(db, name);
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
      case 3: {
        const int64_t deadline = RandomDeadline();
        bed_.Set(name, deadline, db);
        deadlines_[id] = deadline;
        break;
      }
      case 4:
      case 5:
      case 6: {
        const bool there = Alive(id);
        const int64_t deadline = Below(4) == 0 ? kNoDeadline : RandomDeadline();
        ASSERT_EQ(bed_.Expire(name, deadline, db), there) << name;
        if (there) deadlines_[id] = deadline;
        break;
      }
      default:
        bed_.Delete(name, db);
        deadlines_.erase(id);
    }
  }

  // Every key whose deadline is more than grace_ms ago has left memory; every live one is there.
  void Check(int64_t grace_ms) {
    int64_t live = 0;
    int64_t recent = 0;
    for (const auto& [id, deadline] : deadlines_) {
      const bool expired = bed_.now_ms() > deadline;
      live += expired ? 0 : 1;
      recent += expired && bed_.now_ms() <= deadline + grace_ms ? 1 : 0;
      if (expired) continue;
      const Key key = bed_.keyspace.Hashed(id.second);
      LockedShard shard(bed_.keyspace, {id.first, false, bed_.now_ms()}, key.place);
      ASSERT_TRUE(shard.Find(key)) << id.second;
    }
    EXPECT_GE(bed_.AllKeys(), live);
    EXPECT_LE(bed_.AllKeys(), live + recent);
  }

  uint64_t Below(uint64_t n) { return random_() % n; }

 private:
  bool Alive(const std::pair<uint16_t, std::string>& id) const {
    const auto found = deadlines_.find(id);
    return found != deadlines_.end() && bed_.now_ms() <= found->second;
  }
  int64_t RandomDeadline() {
    const auto within = [this](int64_t ms) {
      return bed_.now_ms() + static_cast<int64_t>(Below(static_cast<uint64_t>(ms)));
    };
    switch (Below(6)) {
      case 0:
        return bed_.now_ms() - static_cast<int64_t>(Below(2 * kHourMs));
      case 1:
        return within(500);
      case 2:
        return within(10'000);
      case 3:
        return within(2 * kHourMs);
      case 4:
        return within(100 * kHourMs);
      default:
        return kNoDeadline;
    }
  }

  Bed& bed_;
  std::mt19937_64 random_;
  std::map<std::pair<uint16_t, std::string>, int64_t> deadlines_;
};

TEST_P(EachStrategy, AgreesWithAModelWhateverTheClockDoes) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Bed bed(Settings(), /*shard_bits=*/2);
    Model model(bed, seed);
    for (int round = 0; round < 60; ++round) {
      SCOPED_TRACE(round);
      for (int i = 0; i < 300; ++i) ASSERT_NO_FATAL_FAILURE(model.Operate());
      const uint64_t what = model.Below(12);
      if (what == 0) bed.clock.StepWallMs(kHourMs);
      if (what == 1) bed.clock.StepWallMs(-kHourMs);
      if (what == 2) bed.clock.AdvanceMs(static_cast<int64_t>(model.Below(50 * kHourMs)));
      bed.Live(static_cast<int64_t>(model.Below(1000)));
      ASSERT_EQ(AuditKeyspace(bed.keyspace), 0);
      if (model.Below(4) != 0) continue;
      // Hints fall due once a tick; the others take as long as they take.
      const bool hinted = GetParam() == StrategyKind::kHinted;
      bed.Live(hinted ? 2 * kTickMs : 10'000);
      ASSERT_NO_FATAL_FAILURE(model.Check(hinted ? 2 * kTickMs : 10'000));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, EachStrategy, testing::ValuesIn(kAll),
                         [](const auto& info) { return std::string(StrategyName(info.param)); });

}  // namespace
}  // namespace lapse
