#include "bench/lab/bed.h"

#include <algorithm>
#include <optional>

#include "expiry/audit.h"
#include "expiry/resident.h"
#include "fmt/format.h"
#include "storage/locked_shard.h"
#include "storage/scan.h"
#include "storage/sweep.h"

namespace lapse {

Bed::Bed(const Clock& clock, const ExpirySettings& settings, const Plan& plan)
    : clock_(clock),
      databases_(plan.databases),
      value_(plan.value_bytes, 'v'),
      deadlines_(plan.keys, DueCalendar::kAbsent),
      calendar_(plan.from_ms, plan.until_ms, clock.NowUs()),
      rss_before_(ResidentBytes()),
      keyspace_({.hash_seed = plan.seed}, clock),
      engine_(keyspace_, clock, settings) {}

Bed::Name Bed::NameOf(size_t id) {
  Name name;
  name.bytes.fill('0');
  name.bytes.front() = 'k';
  name.bytes.back() = '.';
  for (size_t at = name.bytes.size() - 2; id > 0; id /= 10) {
    name.bytes[at--] = static_cast<char>('0' + id % 10);
  }
  return name;
}

size_t Bed::IdOf(std::string_view name) {
  size_t id = 0;
  for (const char c : name.substr(1, name.size() - 2)) id = id * 10 + static_cast<size_t>(c - '0');
  return id;
}

void Bed::Forget(size_t id) {
  const int64_t deadline = deadlines_[id];
  deadlines_[id] = DueCalendar::kAbsent;
  if (deadline != DueCalendar::kAbsent && calendar_.Alive(deadline)) calendar_.Remove(deadline);
}

void Bed::Put(size_t id, int64_t deadline) {
  const Name name = NameOf(id);
  const Key key = keyspace_.Hashed(name.view());
  {
    LockedShard shard(keyspace_, ViewOf(id), key.place);
    shard.Store(key, shard.Find(key), {value_, deadline});
  }
  Forget(id);
  deadlines_[id] = deadline;
  calendar_.Add(deadline);
}

bool Bed::Expire(size_t id, int64_t deadline) {
  const Name name = NameOf(id);
  const Key key = keyspace_.Hashed(name.view());
  {
    LockedShard shard(keyspace_, ViewOf(id), key.place);
    Item item = shard.Find(key);
    if (!item) return false;
    shard.SetDeadline(key, item, deadline, kExpireEvent);
  }
  Forget(id);
  deadlines_[id] = deadline;
  calendar_.Add(deadline);
  return true;
}

void Bed::Delete(size_t id) {
  const Name name = NameOf(id);
  const Key key = keyspace_.Hashed(name.view());
  {
    LockedShard shard(keyspace_, ViewOf(id), key.place);
    const Item item = shard.Find(key);
    if (item) shard.Remove(item, kDelEvent);
  }
  Forget(id);
}

bool Bed::Read(size_t id) {
  const Name name = NameOf(id);
  const Key key = keyspace_.Hashed(name.view());
  LockedShard shard(keyspace_, ViewOf(id), key.place);
  return static_cast<bool>(shard.Read(key));
}

uint64_t Bed::Scan(uint64_t cursor, int64_t count, std::vector<bool>& seen) {
  return ScanKeys(keyspace_, {0, false, now_ms()}, cursor, count,
                  [&seen](const Entry& entry) { seen[IdOf(entry.key())] = true; });
}

void Bed::ClockStepped() { calendar_.Reset(clock_.NowUs(), deadlines_); }

int64_t Bed::RssBytes() const { return ResidentBytes() - rss_before_; }

Findings Bed::Verify() {
  Findings findings;
  const int64_t now_us = clock_.NowUs();
  const int64_t now_ms = now_us / 1000;
  calendar_.Advance(now_us);
  VerifyWalk(now_ms, findings);
  const int64_t broken = AuditKeyspace(keyspace_);
  if (broken > 0) {
    findings.violations.push_back(fmt::format("{} invariants of hints are broken", broken));
  }
  VerifyKeys(now_ms, findings);
  if (findings.early > 0) {
    findings.violations.push_back(
        fmt::format("{} living keys are gone or have another deadline", findings.early));
  }
  if (findings.orphans > 0) {
    findings.violations.push_back(
        fmt::format("{} expired keys that no hint leads to", findings.orphans));
  }
  if (findings.undead > 0) {
    findings.violations.push_back(fmt::format("{} expired keys can be read", findings.undead));
  }
  return findings;
}

void Bed::VerifyWalk(int64_t now_ms, Findings& findings) {
  const SweepOptions options{SweepReading::kDeadlines, ExpiryPath::kFlush, true};
  SweepCount count;
  for (size_t db = 0; db < keyspace_.database_count(); ++db) {
    Database* const database = keyspace_.FindDatabase(db);
    if (database == nullptr) continue;
    for (size_t i = 0; i < database->shard_count(); ++i) {
      LockedShard locked(keyspace_, {static_cast<uint16_t>(db), false, now_ms}, database->shard(i));
      std::optional<uint64_t> place = database->shard(i).first_place();
      while (place.has_value()) place = SweepSegmentAt(locked, *place, options, count);
    }
  }
  findings.orphans = count.orphans;
  const int64_t backlog = Held() - calendar_.alive();
  if (backlog != count.reclaimed) {
    findings.violations.push_back(fmt::format("by the model {} expired keys are left, by a walk {}",
                                              backlog, count.reclaimed));
  }
}

void Bed::VerifyKeys(int64_t now_ms, Findings& findings) {
  const size_t stride = std::max<size_t>(deadlines_.size() / kVerifiedKeys, 1);
  for (size_t id = 0; id < deadlines_.size(); id += stride) {
    const int64_t deadline = deadlines_[id];
    const Name name = NameOf(id);
    const Key key = keyspace_.Hashed(name.view());
    AccessView view = ViewOf(id);
    view.now_ms = now_ms;
    LockedShard shard(keyspace_, view, key.place);
    const Item item = shard.Peek(key);
    if (deadline != DueCalendar::kAbsent && deadline >= now_ms) {
      findings.early += !item || item.deadline() != deadline;
    } else {
      findings.undead += static_cast<bool>(item);
    }
  }
}

}  // namespace lapse
