// A keyspace and its expiry engine, with a model of what ought to be in them.
//
// Keys are numbered. Whatever the lab does to a key goes through here, and is written down twice:
// as the key's deadline in an array, and in the DueCalendar. What the store holds beyond what the
// calendar counts as alive is the backlog, exact at every moment; what it holds less is a key that
// was removed too early. At the end Verify compares key by key.
//
// A key's name is 16 bytes ("k00000000000042."), a value 32 unless the plan says otherwise: with a
// deadline an entry is 64 bytes.
//
// Thread: one, but for Read, Held and engine(), which another one may use meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/lab/due_calendar.h"
#include "expiry/engine.h"
#include "storage/keyspace.h"

namespace lapse {

// What Verify found wrong; all zero when all is well.
struct Findings {
  int64_t early = 0;    // keys that ought to live and do not, or not with their deadline
  int64_t orphans = 0;  // expired keys that no hint would have led to
  int64_t undead = 0;   // expired keys that a client still sees
  std::vector<std::string> violations;
};

class Bed {
 public:
  struct Plan {
    size_t keys = 0;       // numbers 0..keys-1
    size_t databases = 1;  // key i is in database i % databases
    int64_t from_ms = 0;   // the experiment's part of the wall clock
    int64_t until_ms = 0;  // and its end
    size_t value_bytes = 32;
    uint64_t seed = 1;
  };
  // Verify reads this many keys at most; the walk before it reads all.
  static constexpr size_t kVerifiedKeys = 200'000;

  Bed(const Clock& clock, const ExpirySettings& settings, const Plan& plan);

  // --- a client's commands ---
  void Put(size_t id, int64_t deadline);     // SET, PXAT unless kNoDeadline
  bool Expire(size_t id, int64_t deadline);  // PEXPIREAT; false when there is no such key
  void Delete(size_t id);
  bool Read(size_t id);  // GET
  // SCAN of database 0; marks the numbers of the keys it returns.
  uint64_t Scan(uint64_t cursor, int64_t count, std::vector<bool>& seen);

  // After a step of the wall clock.
  void ClockStepped();

  int64_t now_ms() const { return clock_.NowMs(); }
  size_t size() const { return deadlines_.size(); }
  int64_t Held() const { return keyspace_.Totals().keys; }
  int64_t AccountedBytes() const {
    return keyspace_.Totals().entry_bytes + keyspace_.table_bytes();
  }
  // Resident bytes beyond what the process had before the first key.
  int64_t RssBytes() const;

  // Requires: nobody else uses the bed.
  Findings Verify();

  DueCalendar& calendar() { return calendar_; }
  Keyspace& keyspace() { return keyspace_; }
  ExpiryEngine& engine() { return engine_; }
  // The model, for the self-check to falsify.
  std::vector<int64_t>& deadlines() { return deadlines_; }

 private:
  friend class Saboteur;

  struct Name {
    std::array<char, 16> bytes;
    std::string_view view() const { return {bytes.data(), bytes.size()}; }
  };
  static Name NameOf(size_t id);
  static size_t IdOf(std::string_view name);
  AccessView ViewOf(size_t id) const {
    return {static_cast<uint16_t>(id % databases_), true, now_ms()};
  }
  // Takes the key out of the calendar if it is alive.
  void Forget(size_t id);
  void VerifyWalk(int64_t now_ms, Findings& findings);
  void VerifyKeys(int64_t now_ms, Findings& findings);

  const Clock& clock_;
  const size_t databases_;
  const std::string value_;
  std::vector<int64_t> deadlines_;  // by number; kAbsent when the key is not there
  DueCalendar calendar_;
  int64_t rss_before_ = 0;
  Keyspace keyspace_;
  ExpiryEngine engine_;
};

}  // namespace lapse
