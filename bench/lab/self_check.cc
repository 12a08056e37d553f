#include "bench/lab/self_check.h"

#include "bench/lab/bed.h"
#include "bench/lab/probe.h"
#include "bench/lab/virtual_clock.h"
#include "fmt/format.h"
#include "storage/locked_shard.h"

namespace lapse {

// Does to a bed's store what only a bug would do.
class Saboteur {
 public:
  explicit Saboteur(Bed& bed) : bed_(bed) {}

  // Removes a key, and does not tell the model.
  void RemoveSilently(size_t id) {
    const Bed::Name name = Bed::NameOf(id);
    const Key key = bed_.keyspace_.Hashed(name.view());
    LockedShard shard(bed_.keyspace_, bed_.ViewOf(id), key.place);
    shard.Remove(shard.Find(key), kDelEvent);
  }
  // Changes an entry's deadline, and not its hint.
  void OverwriteDeadline(size_t id, int64_t deadline) {
    const Bed::Name name = Bed::NameOf(id);
    const Key key = bed_.keyspace_.Hashed(name.view());
    LockedShard shard(bed_.keyspace_, bed_.ViewOf(id), key.place);
    const_cast<Entry*>(shard.Find(key).entry())->OverwriteDeadline(deadline);
  }

 private:
  Bed& bed_;
};

namespace {

constexpr size_t kKeys = 2000;
constexpr size_t kVictim = 1234;
constexpr int64_t kFarMs = 60'000;

Bed::Plan SmallPlan() {
  Bed::Plan plan;
  plan.keys = kKeys;
  plan.from_ms = VirtualClock::kBirthMs;
  plan.until_ms = VirtualClock::kBirthMs + 2 * kFarMs;
  return plan;
}

struct Tampered {
  VirtualClock clock;
  Bed bed{clock, ExpirySettings(), SmallPlan()};
  Saboteur saboteur{bed};

  // Half of the keys live for a minute, the others for a second; two have passed.
  Tampered() {
    for (size_t i = 0; i < kKeys; ++i) bed.Put(i, clock.NowMs() + (i % 2 == 0 ? kFarMs : 1000));
    clock.AdvanceTo(clock.MonotonicNs() + 2'000'000'000);
  }
};

bool Expect(bool noticed, std::string_view what) {
  fmt::print(stderr, "{}: {}\n", noticed ? "ok" : "NOT NOTICED", what);
  return noticed;
}

}  // namespace

bool SelfCheck() {
  bool good = true;
  {
    Tampered honest;
    good &= Expect(honest.bed.Verify().violations.empty(), "an honest store passes");
  }
  {
    Tampered early;
    early.saboteur.RemoveSilently(kVictim);
    const Findings findings = early.bed.Verify();
    good &= Expect(findings.early == 1 && !findings.violations.empty(),
                   "a key removed before its deadline");
  }
  {
    Tampered orphan;
    orphan.saboteur.OverwriteDeadline(kVictim, orphan.clock.NowMs() - 500);
    const Findings findings = orphan.bed.Verify();
    good &= Expect(findings.orphans == 1 && !findings.violations.empty(),
                   "an expired key that no hint leads to");
  }
  {
    Tampered undead;
    undead.bed.deadlines()[kVictim] = undead.clock.NowMs() - 500;
    const Findings findings = undead.bed.Verify();
    good &= Expect(findings.undead == 1 && !findings.violations.empty(),
                   "an expired key that can be read");
  }
  {
    Tampered fewer;
    Probe probe(fewer.bed, fewer.clock, kFarMs);
    while (fewer.bed.engine().Drive(0, 1, true) == 0) {
    }
    for (size_t i = 0; i < kKeys; i += 2) fewer.saboteur.RemoveSilently(i);
    probe.Look();
    Sample sample;
    probe.Report(sample);
    good &= Expect(!sample.violations.empty(), "fewer keys held than ought to live");
  }
  return good;
}

}  // namespace lapse
