#include "expiry/flush.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "expiry/resident.h"
#include "tests/expiry/bed.h"

namespace lapse {
namespace {

constexpr int64_t kHourMs = 3'600'000;

// A bed whose active expiry sleeps, so that a flush finds what is expired.
struct FlushBed : Bed {
  explicit FlushBed(int shard_bits = 4) : Bed(Inactive(), shard_bits) {}

  static ExpirySettings Inactive() {
    ExpirySettings settings;
    settings.active = false;
    return settings;
  }
  // 1,000 dead, 2,000 live and 500 plain keys in each of two databases.
  void FillSome() {
    for (const uint16_t db : {0, 2}) {
      Fill("dead", 1000, now_ms() + 10, db);
      Fill("live", 2000, now_ms() + kHourMs, db);
      Fill("plain", 500, kNoDeadline, db);
    }
    clock.AdvanceMs(2 * kTickMs);
  }
  // Runs one to its end.
  FlushRecord Run(FlushRequest request = {}, size_t workers = 1) {
    const FlushRunner::Started started = engine.flush().Start(std::move(request));
    EXPECT_FALSE(started.busy);
    for (int i = 0; i < 10'000 && engine.flush().running(); ++i) Live(1, workers);
    EXPECT_FALSE(engine.flush().running());
    return engine.flush().Find(started.run_id).value_or(FlushRecord{});
  }
};

TEST(Flush, DeletesExpiredKeysOfAllDatabasesAndRecordsIt) {
  FlushBed bed;
  bed.FillSome();
  const int64_t start_ms = bed.now_ms();
  const int64_t entry_bytes = bed.keyspace.Totals().entry_bytes;
  const FlushRecord record = bed.Run();
  EXPECT_EQ(bed.AllKeys(), 5000);
  EXPECT_EQ(record.run_id, 1U);
  EXPECT_EQ(record.trigger, "command");
  EXPECT_EQ(record.state, FlushState::kSucceeded);
  EXPECT_EQ(record.reading, SweepReading::kDeadlines);
  EXPECT_FALSE(record.dry_run);
  EXPECT_FALSE(record.db.has_value());
  EXPECT_EQ(record.max_cpu_percent, 100);
  EXPECT_EQ(record.started_ms, start_ms);
  EXPECT_GE(record.finished_ms, start_ms);
  EXPECT_GE(record.scanned, 7000);
  EXPECT_LE(record.scanned, 7000 + 200);
  EXPECT_EQ(record.reclaimed, 2000);
  EXPECT_EQ(record.orphans, 0);
  EXPECT_EQ(record.bytes_freed, entry_bytes - bed.keyspace.Totals().entry_bytes);
  EXPECT_GE(record.memory_before - record.memory_after, record.bytes_freed);
  EXPECT_EQ(record.memory_after, bed.keyspace.Totals().entry_bytes + bed.keyspace.table_bytes());
  EXPECT_GT(record.rss_before, 0);
  EXPECT_GT(record.rss_after, 0);
  EXPECT_GT(record.cpu_ns, 0);
  EXPECT_GE(record.slices, 1);
  EXPECT_DOUBLE_EQ(record.progress, 1);
  EXPECT_EQ(bed.keyspace.Totals().expired_flushed, 2000);
  EXPECT_EQ(bed.keyspace.Totals().expired_active, 0);
  EXPECT_EQ(bed.engine.flush().runs(), 1);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
}

TEST(Flush, ByHintsFindsWhatIsDue) {
  FlushBed bed;
  bed.FillSome();
  bed.Fill("fresh", 100, bed.now_ms() + 1);
  bed.clock.AdvanceMs(2);
  const FlushRecord record = bed.Run({.reading = SweepReading::kHints});
  EXPECT_EQ(record.reading, SweepReading::kHints);
  // Hints round up to a tick: keys that expired a moment ago may be left.
  EXPECT_GE(record.reclaimed, 2000);
  EXPECT_LE(record.reclaimed, 2100);
  EXPECT_GE(record.scanned, 7000);
  EXPECT_EQ(record.orphans, 0);
  EXPECT_EQ(AuditKeyspace(bed.keyspace), 0);
}

TEST(Flush, ByDeadlinesNeedsNoTickToPass) {
  FlushBed bed;
  bed.Fill("k", 100, bed.now_ms() + 1);
  bed.clock.AdvanceMs(2);
  EXPECT_EQ(bed.Run().reclaimed, 100);
  EXPECT_EQ(bed.AllKeys(), 0);
}

TEST(Flush, OneDatabaseAlone) {
  FlushBed bed;
  bed.FillSome();
  const FlushRecord record = bed.Run({.db = 2});
  EXPECT_EQ(record.db, 2);
  EXPECT_EQ(record.reclaimed, 1000);
  EXPECT_EQ(bed.Keys(0), 3500);
  EXPECT_EQ(bed.Keys(2), 2500);
  EXPECT_DOUBLE_EQ(record.progress, 1);
}

TEST(Flush, ADatabaseThatWasNeverTouchedIsDoneAtOnce) {
  FlushBed bed;
  const FlushRecord record = bed.Run({.db = 3});
  EXPECT_EQ(record.state, FlushState::kSucceeded);
  EXPECT_EQ(record.scanned, 0);
  EXPECT_DOUBLE_EQ(record.progress, 1);
}

TEST(Flush, ADryRunCountsAndDeletesNothing) {
  for (const SweepReading reading : {SweepReading::kDeadlines, SweepReading::kHints}) {
    FlushBed bed;
    bed.FillSome();
    const FlushRecord record = bed.Run({.reading = reading, .dry_run = true});
    EXPECT_TRUE(record.dry_run);
    EXPECT_EQ(record.reclaimed, 2000);
    EXPECT_GT(record.bytes_freed, 2000 * 16);
    EXPECT_EQ(record.memory_before, record.memory_after);
    EXPECT_EQ(bed.AllKeys(), 7000);
    EXPECT_EQ(bed.log.count(), 0);
    EXPECT_EQ(bed.keyspace.Totals().expired(), 0);
    EXPECT_EQ(bed.Run({.reading = reading}).bytes_freed, record.bytes_freed);
  }
}

TEST(Flush, OneRunAtATime) {
  FlushBed bed;
  bed.FillSome();
  FlushRunner& flush = bed.engine.flush();
  const FlushRunner::Started first = flush.Start({});
  EXPECT_TRUE(flush.running());
  const FlushRunner::Started second = flush.Start({});
  EXPECT_TRUE(second.busy);
  EXPECT_EQ(second.run_id, first.run_id);
  bed.Live(1000);
  EXPECT_FALSE(flush.running());
  const FlushRunner::Started third = flush.Start({});
  EXPECT_FALSE(third.busy);
  EXPECT_EQ(third.run_id, first.run_id + 1);
}

TEST(Flush, KeepsToItsCpuLimit) {
  for (const int64_t percent : {10, 50}) {
    FlushBed bed(/*shard_bits=*/6);
    bed.Fill("k", 100'000, bed.now_ms() + kHourMs);
    bed.clock.set_work_ns(10'000);
    const int64_t start_ns = bed.clock.MonotonicNs();
    FlushRunner& flush = bed.engine.flush();
    flush.Start({.max_cpu_percent = percent});
    int64_t worked_ns = 0;
    while (flush.running()) {
      const int64_t before_ns = bed.clock.MonotonicNs();
      const int64_t wait_us = bed.engine.Drive(0, 1, true);
      worked_ns += bed.clock.MonotonicNs() - before_ns;
      bed.clock.AdvanceUs(wait_us);
    }
    const int64_t lived_ns = bed.clock.MonotonicNs() - start_ns;
    EXPECT_NEAR(100.0 * static_cast<double>(worked_ns) / static_cast<double>(lived_ns),
                static_cast<double>(percent), static_cast<double>(percent) / 4);
    const FlushRecord record = flush.Find(std::nullopt).value_or(FlushRecord{});
    EXPECT_GT(record.slices, 10);
    EXPECT_LE(record.longest_slice_ns, 250'000 + 3 * 10'000);
    EXPECT_EQ(record.max_cpu_percent, percent);
  }
}

TEST(Flush, ProgressAndFiguresAreLive) {
  FlushBed bed(/*shard_bits=*/6);
  bed.FillSome();
  bed.clock.set_work_ns(25'000);
  FlushRunner& flush = bed.engine.flush();
  const uint64_t run_id = flush.Start({}).run_id;
  double last = 0;
  int64_t seen = 0;
  while (true) {
    bed.clock.AdvanceUs(bed.engine.Drive(0, 1, true));
    const FlushRecord record = flush.Find(run_id).value_or(FlushRecord{});
    EXPECT_GE(record.progress, last);
    last = record.progress;
    if (record.state != FlushState::kRunning) break;
    EXPECT_EQ(record.finished_ms, 0);
    seen += record.reclaimed > 0 && record.reclaimed < 2000 ? 1 : 0;
  }
  EXPECT_GT(seen, 2);
  EXPECT_DOUBLE_EQ(last, 1);
}

TEST(Flush, DatabasesThatAreNotInUseDoNotSlowProgress) {
  FlushBed bed(/*shard_bits=*/6);
  bed.Fill("k", 10'000, bed.now_ms() + kHourMs, 1);
  bed.clock.set_work_ns(25'000);
  FlushRunner& flush = bed.engine.flush();
  const uint64_t run_id = flush.Start({}).run_id;
  int64_t near = 0;
  while (flush.running()) {
    bed.clock.AdvanceUs(bed.engine.Drive(0, 1, true));
    const FlushRecord record = flush.Find(run_id).value_or(FlushRecord{});
    near += std::abs(record.progress - static_cast<double>(record.scanned) / 10'000) < 0.1 ? 1 : 0;
    EXPECT_LE(record.progress, 1);
  }
  EXPECT_GE(near, flush.Find(run_id)->slices - 2);
}

TEST(Flush, ACancelledRunStopsWhereItIs) {
  FlushBed bed(/*shard_bits=*/6);
  bed.FillSome();
  bed.clock.set_work_ns(25'000);
  FlushRunner& flush = bed.engine.flush();
  const uint64_t run_id = flush.Start({.max_cpu_percent = 1}).run_id;
  bed.engine.Drive(0, 1, true);
  EXPECT_FALSE(flush.Cancel(run_id + 1));
  EXPECT_TRUE(flush.Cancel(run_id));
  bed.engine.Drive(0, 1, true);
  EXPECT_FALSE(flush.running());
  EXPECT_FALSE(flush.Cancel(run_id));
  const FlushRecord record = flush.Find(run_id).value_or(FlushRecord{});
  EXPECT_EQ(record.state, FlushState::kCancelled);
  EXPECT_GT(record.reclaimed, 0);
  EXPECT_LT(record.reclaimed, 2000);
  EXPECT_LT(record.progress, 1);
  EXPECT_EQ(bed.AllKeys(), 7000 - record.reclaimed);
  EXPECT_EQ(bed.Run().reclaimed, 2000 - record.reclaimed);
}

TEST(Flush, OnDoneIsCalledOnceWithTheFinalRecord) {
  FlushBed bed;
  bed.FillSome();
  std::vector<FlushRecord> done;
  FlushRequest request;
  request.trigger = "api";
  request.on_done = [&](const FlushRecord& record) {
    // Outside of the gate: whoever waits for the world to hold still may be answered from here.
    Gate::Exclusive alone(bed.keyspace.gate());
    done.push_back(record);
  };
  bed.Run(std::move(request));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].state, FlushState::kSucceeded);
  EXPECT_EQ(done[0].trigger, "api");
  EXPECT_EQ(done[0].reclaimed, 2000);
}

TEST(Flush, HistoryIsNewestFirstAndBounded) {
  FlushBed bed;
  FlushRunner& flush = bed.engine.flush();
  EXPECT_FALSE(flush.Find(std::nullopt).has_value());
  EXPECT_TRUE(flush.History(10).empty());
  const auto runs = static_cast<uint64_t>(FlushRunner::kHistory) + 5;
  for (uint64_t i = 1; i <= runs; ++i) EXPECT_EQ(bed.Run().run_id, i);
  EXPECT_EQ(flush.runs(), static_cast<int64_t>(runs));
  EXPECT_EQ(flush.Find(std::nullopt)->run_id, runs);
  const std::vector<FlushRecord> two = flush.History(2);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].run_id, runs);
  EXPECT_EQ(two[1].run_id, runs - 1);
  EXPECT_EQ(flush.History(100'000).size(), FlushRunner::kHistory);
  EXPECT_FALSE(flush.Find(1).has_value()) << "forgotten";
  EXPECT_TRUE(flush.Find(6).has_value());
  EXPECT_FALSE(flush.Find(runs + 1).has_value());
  flush.Start({});
  EXPECT_EQ(flush.History(1)[0].state, FlushState::kRunning);
}

// The check for orphans must be able to fail: hints are spoilt behind the storage's back.
void SpoilHint(Bed& bed, const std::string& name, Hint hint) {
  const Key key = bed.keyspace.Hashed(name);
  Shard& shard = bed.keyspace.database(0).shard(bed.keyspace.ShardOf(key.place));
  SpinGuard guard(shard.lock());
  const Shard::Hung hung = shard.Find(key.place, key.name);
  ASSERT_NE(hung.segment, nullptr);
  hung.segment->SetWord(hung.slot, MakeSlot(EntryOf(hung.segment->word(hung.slot)), hint));
  hung.segment->RefreshGroupDue(hung.slot / Segment::kGroupSlots);
  shard.RefreshDue(hung.segment);
  shard.RefreshNextDue();
}

TEST(Flush, AnExhaustiveRunFindsWhatNoHintAnnounced) {
  FlushBed bed;
  bed.FillSome();
  ASSERT_NO_FATAL_FAILURE(SpoilHint(bed, "dead7", kNoHint));
  ASSERT_NO_FATAL_FAILURE(SpoilHint(bed, "dead8", kFarHint));
  ASSERT_NO_FATAL_FAILURE(SpoilHint(bed, "dead9", 5000));
  EXPECT_GT(AuditKeyspace(bed.keyspace), 0);
  EXPECT_EQ(bed.Run({.reading = SweepReading::kHints}).reclaimed, 1997);
  const FlushRecord dry = bed.Run({.dry_run = true});
  EXPECT_EQ(dry.orphans, 3);
  EXPECT_EQ(dry.reclaimed, 3);
  const FlushRecord record = bed.Run();
  EXPECT_EQ(record.orphans, 3);
  EXPECT_EQ(record.reclaimed, 3);
  EXPECT_EQ(bed.Run().orphans, 0);
}

TEST(Flush, KeysWrittenMeanwhileAreLeftInPeace) {
  FlushBed bed(/*shard_bits=*/3);
  bed.Fill("dead", 5000, bed.now_ms() + 1);
  bed.clock.AdvanceMs(2 * kTickMs);
  bed.clock.set_work_ns(50'000);
  bed.engine.flush().Start({});
  int64_t written = 0;
  while (bed.engine.flush().running()) {
    bed.clock.AdvanceUs(bed.engine.Drive(0, 1, true));
    bed.Fill(fmt::format("new{}-", written), 200, kNoDeadline);
    written += 200;
  }
  EXPECT_EQ(bed.AllKeys(), written);
  EXPECT_EQ(bed.engine.flush().Find(std::nullopt)->reclaimed, 5000);
  EXPECT_EQ(bed.engine.flush().Find(std::nullopt)->orphans, 0);
}

TEST(Flush, SharesSlicesWithActiveExpiry) {
  Bed bed({}, /*shard_bits=*/6);
  bed.Fill("live", 50'000, bed.now_ms() + kHourMs);
  bed.Fill("soon", 2000, bed.now_ms() + 50);
  bed.clock.set_work_ns(20'000);
  bed.engine.flush().Start({});
  bed.Live(3000);
  EXPECT_FALSE(bed.engine.flush().running());
  EXPECT_EQ(bed.AllKeys(), 50'000);
  EXPECT_LE(bed.log.latest_lag_ms(), 2 * kTickMs + 10);
}

TEST(Flush, EveryDriverGivesMemoryBackBeforeTheRunEnds) {
  FlushBed bed;
  bed.FillSome();
  std::vector<size_t> woken;
  bed.engine.SetWaker([&](size_t worker) { woken.push_back(worker); });
  bed.Live(10, 3);  // so that the engine knows of three drivers
  bed.engine.flush().Start({});
  EXPECT_EQ(woken, (std::vector<size_t>{0}));
  while (bed.engine.flush().walked() == FlushRunner::Walked::kNo) bed.engine.Drive(0, 3, true);
  EXPECT_EQ(woken, (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(bed.engine.Drive(0, 3, true), ExpiryEngine::kReleasePollUs);
  bed.engine.Drive(1, 3, true);
  bed.engine.Drive(0, 3, true);
  EXPECT_TRUE(bed.engine.flush().running());
  bed.engine.Drive(2, 3, true);
  bed.engine.Drive(0, 3, true);
  EXPECT_FALSE(bed.engine.flush().running());
}

TEST(Flush, ADriverThatStopsCallingDoesNotHoldTheRunUp) {
  FlushBed bed;
  bed.Live(10, 3);
  bed.engine.flush().Start({});
  const int64_t start_ms = bed.now_ms();
  while (bed.engine.flush().running()) {
    bed.clock.AdvanceUs(std::max<int64_t>(bed.engine.Drive(0, 3, true), 1));
  }
  EXPECT_GE(bed.now_ms() - start_ms, ExpiryEngine::kReleaseWaitMs);
  EXPECT_LE(bed.now_ms() - start_ms, ExpiryEngine::kReleaseWaitMs + 10);
}

TEST(Flush, StatesAndReadingsHaveNames) {
  EXPECT_EQ(FlushStateName(FlushState::kRunning), "running");
  EXPECT_EQ(FlushStateName(FlushState::kSucceeded), "succeeded");
  EXPECT_EQ(FlushStateName(FlushState::kCancelled), "cancelled");
  EXPECT_EQ(ReadingName(SweepReading::kDeadlines), "exhaustive");
  EXPECT_EQ(ReadingName(SweepReading::kHints), "hinted");
}

TEST(Resident, SeesMemoryThatIsTouched) {
  const int64_t before = ResidentBytes();
  EXPECT_GT(before, 1 << 20);
  const std::vector<char> block(64 << 20, 'x');
  EXPECT_GE(ResidentBytes(), before + (60 << 20)) << block[12345];
}

}  // namespace
}  // namespace lapse
