#include "storage/gate.h"

#include <thread>

#include "storage/entry_heap.h"

namespace lapse {

Gate::Lane& Gate::MyLane() { return lanes_[ThreadLane(kLanes)]; }

void Gate::Enter() {
  Lane& lane = MyLane();
  for (;;) {
    // Sequentially consistent, as is the exclusive side's pair: either it sees our mark, or we see
    // its flag.
    lane.inside.fetch_add(1, std::memory_order_seq_cst);
    if (closed_.load(std::memory_order_seq_cst) == 0) return;
    Leave();
    closed_.wait(1);
  }
}

void Gate::Leave() { MyLane().inside.fetch_sub(1, std::memory_order_release); }

void Gate::EnterExclusive() {
  exclusive_mu_.lock();
  closed_.store(1, std::memory_order_seq_cst);
  for (Lane& lane : lanes_) {
    while (lane.inside.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  }
}

void Gate::LeaveExclusive() {
  epoch_.store(epoch() + 1, std::memory_order_relaxed);
  closed_.store(0, std::memory_order_seq_cst);
  closed_.notify_all();
  exclusive_mu_.unlock();
}

}  // namespace lapse
