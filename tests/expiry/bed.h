// A test bed for expiry: a real keyspace and engine, on a clock that moves only when told, by
// drivers and by the test.
//
// A reading of the monotonic clock can cost time (`work_ns`), so that budgets run out as they do in
// life, but the same way each time.
//
// Thread: one.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "expiry/audit.h"
#include "expiry/engine.h"
#include "fmt/format.h"
#include "storage/effect.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"

namespace lapse {

class WorkClock final : public Clock {
 public:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  int64_t NowUs() const override { return now_us_; }
  int64_t MonotonicNs() const override { return monotonic_ns_ += work_ns_; }

  // Both clocks.
  void AdvanceUs(int64_t us) {
    now_us_ += us;
    monotonic_ns_ += us * 1000;
  }
  void AdvanceMs(int64_t ms) { AdvanceUs(ms * 1000); }
  // The wall clock alone, either way.
  void StepWallMs(int64_t ms) { now_us_ += ms * 1000; }
  // What each reading of the monotonic clock costs from now on.
  void set_work_ns(int64_t ns) { work_ns_ = ns; }

 private:
  int64_t now_us_ = kStartMs * 1000;
  mutable int64_t monotonic_ns_ = 1'000'000'000;
  int64_t work_ns_ = 0;
};

// Checks that no key is removed as expired before its deadline, and counts those that are.
class ExpiredLog final : public EffectSink {
 public:
  explicit ExpiredLog(const Clock& clock) : clock_(clock) {}

  void OnEffect(const Effect& effect) override {
    if (effect.kind != EffectKind::kExpired) return;
    ++count_;
    EXPECT_LT(effect.deadline, clock_.NowMs()) << effect.key;
    latest_lag_ms_ = std::max(latest_lag_ms_, clock_.NowMs() - effect.deadline);
    if (on_expired) on_expired(effect);
  }
  std::function<void(const Effect&)> on_expired;

  int64_t count() const { return count_; }
  int64_t latest_lag_ms() const { return latest_lag_ms_; }

 private:
  const Clock& clock_;
  int64_t count_ = 0;
  int64_t latest_lag_ms_ = 0;
};

struct Bed {
  explicit Bed(const ExpirySettings& settings = {}, int shard_bits = 4, int databases = 4)
      : keyspace({.databases = databases, .shard_bits = shard_bits, .hash_seed = 11}, clock),
        engine(keyspace, clock, settings),
        log(clock) {
    keyspace.effects().Add(&log);
  }
  ~Bed() { keyspace.effects().Remove(&log); }

  int64_t now_ms() const { return clock.NowMs(); }

  void Set(const std::string& name, int64_t deadline, uint16_t db = 0) {
    const Key key = keyspace.Hashed(name);
    LockedShard shard(keyspace, {db, true, now_ms()}, key.place);
    const Item found = shard.Find(key);
    shard.Store(key, found, {"value", deadline, Encoding::kEmbstr});
  }
  // Sets `count` keys named prefix0, prefix1, ...
  void Fill(const std::string& prefix, int64_t count, int64_t deadline, uint16_t db = 0) {
    for (int64_t i = 0; i < count; ++i) Set(fmt::format("{}{}", prefix, i), deadline, db);
  }
  // False when there is no such key.
  bool Expire(const std::string& name, int64_t deadline, uint16_t db = 0) {
    const Key key = keyspace.Hashed(name);
    LockedShard shard(keyspace, {db, true, now_ms()}, key.place);
    Item found = shard.Find(key);
    if (found) shard.SetDeadline(key, found, deadline, kExpireEvent);
    return static_cast<bool>(found);
  }
  void Delete(const std::string& name, uint16_t db = 0) {
    const Key key = keyspace.Hashed(name);
    LockedShard shard(keyspace, {db, true, now_ms()}, key.place);
    const Item found = shard.Find(key);
    if (found) shard.Remove(found, kDelEvent);
  }
  int64_t Keys(uint16_t db = 0) const { return keyspace.Totals(db).keys; }
  int64_t AllKeys() const { return keyspace.Totals().keys; }

  void Configure(const ExpirySettings& settings) {
    Gate::Exclusive alone(keyspace.gate());
    engine.Configure(settings);
  }

  // Lets time pass while drivers do as the engine asks.
  void Live(int64_t ms, size_t workers = 1, bool idle = true) {
    const int64_t end_ns = clock.MonotonicNs() + ms * 1'000'000;
    std::vector<int64_t> next_ns(workers, 0);
    for (;;) {
      int64_t now_ns = clock.MonotonicNs();
      if (now_ns >= end_ns) return;
      int64_t earliest_ns = end_ns;
      for (size_t worker = 0; worker < workers; ++worker) {
        if (next_ns[worker] <= now_ns) {
          const int64_t wait_us = engine.Drive(worker, workers, idle);
          EXPECT_GE(wait_us, 0);
          EXPECT_LE(wait_us, ExpiryEngine::kLongestWaitUs);
          now_ns = clock.MonotonicNs();
          // A thread that goes round its loop takes a microsecond.
          next_ns[worker] = now_ns + std::max<int64_t>(wait_us, 1) * 1000;
        }
        earliest_ns = std::min(earliest_ns, next_ns[worker]);
      }
      clock.AdvanceUs(std::max<int64_t>((earliest_ns - now_ns + 999) / 1000, 0));
    }
  }

  WorkClock clock;
  Keyspace keyspace;
  ExpiryEngine engine;
  ExpiredLog log;
};

inline ExpirySettings WithStrategy(StrategyKind kind) {
  ExpirySettings settings;
  settings.strategy = kind;
  return settings;
}

}  // namespace lapse
