#include "storage/gate.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "storage/entry_heap.h"
#include "storage/long_wait.h"

namespace lapse {
namespace {

// The exclusive side keeps the gate closed for so long at first, and longer by as much with each
// turn, up to a limit; between two turns it is open for so long. Long batches thus find it closed
// when they end, sooner or later, and others seldom wait much longer than a batch takes.
constexpr std::chrono::milliseconds kClosedStep{1};
constexpr std::chrono::milliseconds kLongestClosed{50};
constexpr std::chrono::milliseconds kOpenFor{3};

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

bool Gate::TryEnter() {
  if (bypassed == this) [[unlikely]] {
    return true;
  }
  Lane& lane = MyLane();
  // Sequentially consistent, as is the exclusive side's pair: either it sees our mark, or we see
  // its flag.
  lane.inside.fetch_add(1, std::memory_order_seq_cst);
  if (closed_.load(std::memory_order_seq_cst) == 0) [[likely]] {
    return true;
  }
  lane.inside.fetch_sub(1, std::memory_order_release);
  return false;
}

void Gate::Enter() {
  while (!TryEnter()) AwaitOpen();
}

void Gate::AwaitOpen() { LongWait::Sleep(closed_, 1); }

void Gate::Leave() {
  if (bypassed == this) [[unlikely]] {
    return;
  }
  MyLane().inside.fetch_sub(1, std::memory_order_release);
}

// Twice in a row, since a Bypass marks its lane however closed the gate is: one that came to a lane
// seen empty, while somebody was still inside of another, is seen by the second look.
bool Gate::IsEmpty() const {
  const auto look = [&] {
    return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
      return lane.inside.load(std::memory_order_seq_cst) == 0;
    });
  };
  return look() && look();
}

void Gate::Open() {
  closed_.store(0, std::memory_order_seq_cst);
  LongWait::WakeAll(closed_);
}

void Gate::EnterExclusive() {
  exclusive_mu_.Lock();
  LongWait wait;
  for (auto patience = kClosedStep;; patience = std::min(patience + kClosedStep, kLongestClosed)) {
    closed_.store(1, std::memory_order_seq_cst);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!IsEmpty()) {
      if (std::chrono::steady_clock::now() > until) break;
      wait.Yield();
    }
    if (IsEmpty()) return;
    // Somebody inside takes long. Nobody else need wait for that.
    Open();
    std::this_thread::sleep_for(kOpenFor);
    wait.Yield();
  }
}

void Gate::LeaveExclusive() {
  epoch_.store(epoch() + 1, std::memory_order_relaxed);
  Open();
  exclusive_mu_.Unlock();
}

}  // namespace lapse
