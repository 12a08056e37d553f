// Random operations on a keyspace against a std::map, with a clock that jumps: what a client sees
// is what the map says, whatever splits, merges and sweeps happen in between, and the audit finds
// every invariant kept.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "fmt/format.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"
#include "storage/scan.h"
#include "storage/sweep.h"

namespace lapse {
namespace {

struct Record {
  std::string value;
  int64_t deadline = kNoDeadline;
};

class KeyspaceModel : public testing::TestWithParam<int> {
 protected:
  KeyspaceModel() : keyspace_({.databases = 2, .shard_bits = GetParam(), .hash_seed = 7}, clock_) {}

  AccessView View() const { return {0, true, clock_.NowMs()}; }

  bool Alive(const Record& record) const { return clock_.NowMs() <= record.deadline; }

  void Set(const std::string& name, std::string value, int64_t deadline) {
    const Key key = keyspace_.Hashed(name);
    LockedShard shard(keyspace_, View(), key.place);
    const Item found = shard.Find(key);
    shard.Store(key, found, {value, deadline, EncodingOfString(value)});
    model_[name] = {std::move(value), deadline};
  }

  void Check(const std::string& name) {
    const Key key = keyspace_.Hashed(name);
    LockedShard shard(keyspace_, View(), key.place);
    const Item found = shard.Read(key);
    const auto wanted = model_.find(name);
    const bool alive = wanted != model_.end() && Alive(wanted->second);
    ASSERT_EQ(static_cast<bool>(found), alive) << name;
    if (!alive) {
      model_.erase(name);
      return;
    }
    ASSERT_EQ(found.value(), wanted->second.value);
    ASSERT_EQ(found.deadline(), wanted->second.deadline);
  }

  void Delete(const std::string& name) {
    const Key key = keyspace_.Hashed(name);
    LockedShard shard(keyspace_, View(), key.place);
    const Item found = shard.Find(key);
    if (found) shard.Remove(found, kDelEvent);
    model_.erase(name);
  }

  void Expire(const std::string& name, int64_t deadline) {
    const Key key = keyspace_.Hashed(name);
    LockedShard shard(keyspace_, View(), key.place);
    Item found = shard.Find(key);
    if (!found) return;
    shard.SetDeadline(key, found, deadline, kExpireEvent);
    model_[name].deadline = deadline;
    ASSERT_EQ(shard.Read(key).operator bool(), clock_.NowMs() <= deadline);
  }

  void Resize(const std::string& name, size_t size) {
    const Key key = keyspace_.Hashed(name);
    LockedShard shard(keyspace_, View(), key.place);
    Item found = shard.Find(key);
    if (!found) return;
    Record& record = model_[name];
    const size_t old = record.value.size();
    record.value.resize(size);
    char* bytes = shard.ResizeString(key, found, size);
    for (size_t i = old; i < size; ++i) ASSERT_EQ(bytes[i], '\0');
    for (size_t i = old; i < size; ++i) bytes[i] = record.value[i] = 'z';
    shard.ReportWritten(found, kSetEvent);
    ASSERT_EQ(found.value(), record.value);
  }

  SweepCount SweepAll() {
    SweepCount count;
    Database& database = keyspace_.database(0);
    for (size_t i = 0; i < database.shard_count(); ++i) {
      for (bool more = true; more;) {
        LockedShard shard(keyspace_, View(), database.shard(i));
        more = SweepDue(shard, 50, 3, count);
      }
    }
    return count;
  }

  SweepCount WalkAll(const SweepOptions& options) {
    SweepCount count;
    Database& database = keyspace_.database(0);
    for (size_t i = 0; i < database.shard_count(); ++i) {
      std::optional<uint64_t> place = database.shard(i).first_place();
      while (place.has_value()) {
        LockedShard shard(keyspace_, View(), database.shard(i));
        place = SweepSegmentAt(shard, *place, options, count);
      }
    }
    return count;
  }

  void Audit() {
    Database& database = keyspace_.database(0);
    for (size_t i = 0; i < database.shard_count(); ++i) {
      SpinGuard guard(database.shard(i).lock());
      ASSERT_EQ(database.shard(i).Audit(), 0);
    }
  }

  void CheckSums() {
    int64_t live = 0;
    int64_t with_deadline = 0;
    for (const auto& [name, record] : model_) {
      if (!Alive(record)) continue;
      ++live;
      with_deadline += record.deadline != kNoDeadline ? 1 : 0;
    }
    const KeyspaceTotals totals = keyspace_.Totals(0);
    EXPECT_EQ(totals.keys, live);
    EXPECT_EQ(totals.volatile_keys, with_deadline);
    int64_t bytes = 0;
    VisitKeys(keyspace_, View(),
              [&](const Entry& e) { bytes += static_cast<int64_t>(e.allocated_bytes()); });
    EXPECT_EQ(totals.entry_bytes, bytes);
  }

  int64_t RandomDeadline() {
    static constexpr int64_t kSpans[] = {100, 1000, 60'000, 3'600'000, 10 * 3'600'000LL};
    switch (random_() % 4) {
      case 0:
        return kNoDeadline;
      case 1:
        return clock_.NowMs() - static_cast<int64_t>(random_() % 50);
      default:
        return clock_.NowMs() + static_cast<int64_t>(random_() % kSpans[random_() % 5]);
    }
  }

  std::string RandomValue() {
    const size_t choices[] = {0, 3, 32, 32, 32, 100, 5000};
    const size_t size = choices[random_() % 7];
    return random_() % 5 == 0 ? std::to_string(random_()) : std::string(size, 'v');
  }

  ManualClock clock_;
  Keyspace keyspace_;
  std::map<std::string, Record> model_;
  std::mt19937_64 random_{1};
};

TEST_P(KeyspaceModel, AgreesWithAMapUnderRandomOperations) {
  const auto name = [&] { return fmt::format("key:{}", random_() % 20'000); };
  for (int step = 0; step < 150'000; ++step) {
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
      case 3: {
        Set(name(), RandomValue(), RandomDeadline());
        break;
      }
      case 4:
        Delete(name());
        break;
      case 5:
        Expire(name(), RandomDeadline());
        break;
      case 6:
        Resize(name(), random_() % 6000);
        break;
      default:
        Check(name());
    }
    ASSERT_FALSE(HasFatalFailure());
    if (step % 1000 == 0) clock_.AdvanceMs(static_cast<int64_t>(random_() % 20'000));
    if (step % 40'000 == 39'999) {
      clock_.AdvanceMs(static_cast<int64_t>(random_() % (4 * 3'600'000)));
      SweepAll();
      Audit();
    }
  }
  clock_.AdvanceMs(kTickMs);
  SweepAll();
  Audit();
  // By one tick after a deadline the hints have led to everything that is due.
  const SweepCount left = WalkAll({.reading = SweepReading::kDeadlines, .dry_run = true});
  EXPECT_EQ(left.orphans, 0);
  for (const auto& [key, record] : std::map<std::string, Record>(model_)) Check(key);
  WalkAll({});
  CheckSums();
  Audit();
}

TEST_P(KeyspaceModel, SweepByHintsFindsEverythingThatIsDueAndNothingElse) {
  for (int i = 0; i < 30'000; ++i) {
    const int64_t ttl = i % 3 == 0 ? 10'000 : 10'000'000;
    Set(fmt::format("k{}", i), "value", i % 5 == 0 ? kNoDeadline : clock_.NowMs() + ttl);
  }
  EXPECT_EQ(SweepAll().reclaimed, 0);
  clock_.AdvanceMs(10'000);
  EXPECT_EQ(SweepAll().reclaimed, 0) << "a key is expired after its deadline, not at it";
  clock_.AdvanceMs(kTickMs);
  EXPECT_EQ(SweepAll().reclaimed, 8'000);
  EXPECT_EQ(keyspace_.Totals(0).keys, 22'000);
  EXPECT_EQ(keyspace_.Totals(0).expired_active, 8'000);
  EXPECT_EQ(keyspace_.lag().count(), 8'000);
  EXPECT_EQ(keyspace_.lag().max_ms(), kTickMs);
  Audit();
}

TEST_P(KeyspaceModel, FarDeadlinesAreFoundAfterTheHorizonMoves) {
  Set("soon", "v", clock_.NowMs() + 5'000);
  Set("day", "v", clock_.NowMs() + 86'400'000);
  Set("week", "v", clock_.NowMs() + 7 * 86'400'000LL);
  int64_t reclaimed = 0;
  for (int hour = 1; hour <= 7 * 24 + 1; ++hour) {
    clock_.AdvanceMs(3'600'000);
    reclaimed += SweepAll().reclaimed;
    EXPECT_EQ(reclaimed, 1 + (hour > 24 ? 1 : 0) + (hour > 7 * 24 ? 1 : 0)) << hour;
    Audit();
  }
}

TEST_P(KeyspaceModel, AClockThatStepsBackRemovesNothing) {
  for (int i = 0; i < 2'000; ++i) Set(fmt::format("k{}", i), "v", clock_.NowMs() + 1'000);
  clock_.AdvanceMs(-3'600'000);
  EXPECT_EQ(SweepAll().reclaimed, 0);
  EXPECT_EQ(WalkAll({}).reclaimed, 0);
  clock_.AdvanceMs(3'600'000 + 1'000 + kTickMs);
  EXPECT_EQ(SweepAll().reclaimed, 2'000);
  Audit();
}

TEST_P(KeyspaceModel, AWalkReadsEveryDeadlineAndADryRunRemovesNothing) {
  for (int i = 0; i < 5'000; ++i)
    Set(fmt::format("k{}", i), "v", clock_.NowMs() + 1 + i % 2 * 9'000);
  clock_.AdvanceMs(2);
  const SweepCount dry = WalkAll({.path = ExpiryPath::kFlush, .dry_run = true});
  EXPECT_EQ(dry.visited, 5'000);
  EXPECT_EQ(dry.reclaimed, 2'500);
  EXPECT_EQ(keyspace_.Totals(0).keys, 5'000);
  const SweepCount wet = WalkAll({.path = ExpiryPath::kFlush});
  EXPECT_EQ(wet.reclaimed, 2'500);
  EXPECT_EQ(wet.bytes, dry.bytes);
  EXPECT_EQ(wet.orphans, 0);
  EXPECT_EQ(keyspace_.Totals(0).expired_flushed, 2'500);
  Audit();
}

TEST_P(KeyspaceModel, TheTableShrinksWhenItEmpties) {
  for (int i = 0; i < 50'000; ++i) Set(fmt::format("k{}", i), "v", clock_.NowMs() + 1'000);
  const int64_t full = keyspace_.Totals(0).segments;
  clock_.AdvanceMs(2'000);
  SweepAll();
  EXPECT_EQ(keyspace_.Totals(0).keys, 0);
  EXPECT_EQ(keyspace_.Totals(0).entry_bytes, 0);
  EXPECT_LE(keyspace_.Totals(0).segments, static_cast<int64_t>(keyspace_.shard_count()));
  EXPECT_GT(full, 100);
  for (int i = 0; i < 50'000; ++i) Set(fmt::format("k{}", i), "v", kNoDeadline);
  for (int i = 0; i < 50'000; ++i) Delete(fmt::format("k{}", i));
  EXPECT_LE(keyspace_.Totals(0).segments,
            std::max<int64_t>(full / 2, static_cast<int64_t>(keyspace_.shard_count())))
      << "removal by commands merges, too";
  Audit();
}

// SCAN's promise: what is there from the first call to the last is returned.
TEST_P(KeyspaceModel, ScanReturnsEveryKeyThatStaysWhateverHappensBetweenCalls) {
  std::set<std::string> stay;
  for (int i = 0; i < 4'000; ++i) {
    stay.insert(fmt::format("stay:{}", i));
    Set(fmt::format("stay:{}", i), "v", i % 2 == 0 ? kNoDeadline : clock_.NowMs() + 90'000'000);
  }
  for (int round = 0; round < 12; ++round) {
    std::set<std::string> seen;
    uint64_t cursor = 0;
    int64_t calls = 0;
    int churned = 0;
    do {
      cursor = ScanKeys(keyspace_, View(), cursor, 1 + static_cast<int64_t>(random_() % 200),
                        [&](const Entry& entry) { seen.insert(std::string(entry.key())); });
      ASSERT_LT(cursor, uint64_t{1} << 53);
      ASSERT_LT(++calls, 2'000'000);
      // Grow and shrink by thousands of keys while the scan is under way.
      const int change = static_cast<int>(random_() % 400);
      const bool grow = random_() % 2 == 0;
      for (int i = 0; i < change; ++i) {
        if (grow) {
          Set(fmt::format("churn:{}", churned++), "v", clock_.NowMs() + 5);
        } else if (churned > 0) {
          Delete(fmt::format("churn:{}", --churned));
        }
      }
      if (random_() % 50 == 0) {
        clock_.AdvanceMs(kTickMs);
        SweepAll();
      }
    } while (cursor != 0);
    for (const std::string& name : stay) ASSERT_TRUE(seen.contains(name)) << name;
    clock_.AdvanceMs(1'000);
    SweepAll();
  }
}

TEST_P(KeyspaceModel, ScanWithoutChangesReturnsEachKeyOnce) {
  for (int i = 0; i < 3'000; ++i) Set(fmt::format("k{}", i), "v", kNoDeadline);
  for (const int64_t count : {1, 2, 10, 1000}) {
    std::map<std::string, int> seen;
    uint64_t cursor = 0;
    do {
      cursor = ScanKeys(keyspace_, View(), cursor, count,
                        [&](const Entry& entry) { ++seen[std::string(entry.key())]; });
    } while (cursor != 0);
    EXPECT_EQ(seen.size(), 3'000u);
    for (const auto& [name, times] : seen) ASSERT_EQ(times, 1) << name;
  }
}

TEST_P(KeyspaceModel, RandomKeyReachesEveryKeyAndSurvivesADeadKeyspace) {
  EXPECT_FALSE(RandomKey(keyspace_, View(), random_()).has_value());
  for (int i = 0; i < 20; ++i) Set(fmt::format("k{}", i), "v", clock_.NowMs() + 1'000);
  std::set<std::string> seen;
  for (int i = 0; i < 5'000; ++i) seen.insert(RandomKey(keyspace_, View(), random_()).value());
  EXPECT_EQ(seen.size(), 20u);
  clock_.AdvanceMs(1'001);
  EXPECT_FALSE(RandomKey(keyspace_, View(), random_()).has_value());
  EXPECT_EQ(keyspace_.Totals(0).keys, 0);
}

INSTANTIATE_TEST_SUITE_P(Shards, KeyspaceModel, testing::Values(0, 2, 8));

}  // namespace
}  // namespace lapse
