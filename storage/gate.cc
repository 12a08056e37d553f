#include "storage/gate.h"

#include <algorithm>

#include "storage/entry_heap.h"
#include "storage/long_wait.h"

namespace lapse {
namespace {

thread_local const Gate* bypassed = nullptr;

}  // namespace

Gate::Bypass::Bypass(Gate& gate) : gate_(gate) {
  gate_.MyLane().inside.fetch_add(1, std::memory_order_seq_cst);
  bypassed = &gate;
}

Gate::Bypass::~Bypass() {
  bypassed = nullptr;
  gate_.MyLane().inside.fetch_sub(1, std::memory_order_release);
}

Gate::Lane& Gate::MyLane() { return lanes_[ThreadLane(kLanes)]; }

void Gate::Enter() {
  if (bypassed == this) [[unlikely]] {
    return;
  }
  Lane& lane = MyLane();
  for (;;) {
    // Sequentially consistent, as is the exclusive side's pair: either it sees our mark, or we see
    // its flag.
    lane.inside.fetch_add(1, std::memory_order_seq_cst);
    if (closed_.load(std::memory_order_seq_cst) == 0) return;
    lane.inside.fetch_sub(1, std::memory_order_release);
    LongWait::Sleep(closed_, 1);
  }
}

void Gate::Leave() {
  if (bypassed == this) [[unlikely]] {
    return;
  }
  MyLane().inside.fetch_sub(1, std::memory_order_release);
}

void Gate::EnterExclusive() {
  exclusive_mu_.Lock();
  closed_.store(1, std::memory_order_seq_cst);
  LongWait wait;
  // Twice in a row, since a Bypass marks its lane however closed the gate is: one that came to a
  // lane seen empty, while somebody was still inside of another, is seen by the second look.
  for (int empty = 0; empty < 2;) {
    const bool inside = std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
      return lane.inside.load(std::memory_order_seq_cst) != 0;
    });
    empty = inside ? 0 : empty + 1;
    if (inside) wait.Yield();
  }
}

void Gate::LeaveExclusive() {
  epoch_.store(epoch() + 1, std::memory_order_relaxed);
  closed_.store(0, std::memory_order_seq_cst);
  LongWait::WakeAll(closed_);
  exclusive_mu_.Unlock();
}

}  // namespace lapse
