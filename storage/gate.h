// The gate: how rare work stops the world without costing the common work a shared cache line.
//
// Whoever touches the keyspace is inside the gate while it does: an io thread for the length of a
// batch, an expiry driver for the length of a slice, a host program's thread for the length of a
// call. Entering marks one of a few counters, each alone on its cache line, chosen by thread, so
// two threads seldom touch the same line. Exclusive work (FLUSHALL, SWAPDB, CONFIG SET, CLIENT
// LIST) raises a flag and waits until every counter is zero: then nothing else runs, and it may
// read and write everything that is otherwise only touched inside the gate. If somebody inside
// takes long (the union of two large sets), it takes the flag down again for a while, so that
// nobody else has to wait for that.
//
// Invariants:
//   1. While an Exclusive exists, no Shared exists, and no other Exclusive.
//   2. A thread inside never waits for another one inside, so the wait of the exclusive side is
//      bounded by the longest batch.
//
// The batch of a script is bounded by the script. Who waits for one to enter the gate, or to have
// it alone, serves other clients meanwhile (long_wait.h), and these must not wait for the same:
// they are served under a Bypass, and touch no key.
//
// Thread: any. Neither form is recursive: the holder of a Shared that asks for an Exclusive would
// wait for itself, so it leaves first.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Waits while the gate is closed.
  void Enter();
  // False while it is closed.
  bool TryEnter();
  // Returns when it may be open, or after the thread's work for long waits was done.
  void AwaitOpen();
  void Leave();
  void EnterExclusive() ABSL_NO_THREAD_SAFETY_ANALYSIS;
  void LeaveExclusive() ABSL_NO_THREAD_SAFETY_ANALYSIS;

  // Counts the exclusive sections so far. What changes in them alone (the configuration) may be
  // copied inside the gate and used outside of it for as long as this number stays.
  uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }

  class Shared {
   public:
    explicit Shared(Gate& gate) : gate_(gate) { gate_.Enter(); }
    ~Shared() { gate_.Leave(); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

   private:
    Gate& gate_;
  };

  // Inside without having waited, for use while a script is known to be inside, or to have the
  // exclusive form: no other Exclusive begins before this ends. Enter and Leave do nothing on its
  // thread meanwhile, which may have entered before, or wait to. Its user finds out after making it
  // whether the script still runs, touches no key and asks for no Exclusive. Not recursive.
  class Bypass {
   public:
    explicit Bypass(Gate& gate);
    ~Bypass();
    Bypass(const Bypass&) = delete;
    Bypass& operator=(const Bypass&) = delete;

   private:
    Gate& gate_;
  };

  class Exclusive {
   public:
    explicit Exclusive(Gate& gate) : gate_(gate) { gate_.EnterExclusive(); }
    ~Exclusive() { gate_.LeaveExclusive(); }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;

   private:
    Gate& gate_;
  };

 private:
  static constexpr int kLanes = 16;
  struct alignas(64) Lane {
    std::atomic<uint32_t> inside{0};
  };

  Lane& MyLane();
  bool IsEmpty() const;
  void Open();

  std::array<Lane, kLanes> lanes_;
  alignas(64) std::atomic<uint32_t> closed_{0};
  std::atomic<uint64_t> epoch_{0};  // changes while closed
  SpinLock exclusive_mu_;           // one exclusive at a time
};

}  // namespace lapse
