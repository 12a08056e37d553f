#include "storage/long_wait.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <thread>
#include <utility>

namespace lapse {
namespace {

// Each thread's own, for a lock that is waited for knows nothing of the one who waits.
thread_local const std::function<void()>* thread_work = nullptr;

// std::atomic's own wait knows no time-out.
void Futex(const std::atomic<uint32_t>& word, int operation, uint32_t value, const timespec* time) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, time, nullptr, 0);
}

}  // namespace

void LongWait::SetWork(const std::function<void()>* work) { thread_work = work; }

void LongWait::Work() {
  if (thread_work == nullptr) return;
  // What the work itself waits for, it waits for idly.
  const std::function<void()>* const work = std::exchange(thread_work, nullptr);
  (*work)();
  thread_work = work;
}

void LongWait::Sleep(const std::atomic<uint32_t>& word, uint32_t value) {
  if (thread_work == nullptr) return Futex(word, FUTEX_WAIT, value, nullptr);
  constexpr timespec kTimeOut{0, std::chrono::nanoseconds(kPatience).count()};
  Futex(word, FUTEX_WAIT, value, &kTimeOut);
  if (word.load(std::memory_order_relaxed) == value) Work();
}

void LongWait::WakeOne(const std::atomic<uint32_t>& word) { Futex(word, FUTEX_WAKE, 1, nullptr); }

void LongWait::WakeAll(const std::atomic<uint32_t>& word) {
  Futex(word, FUTEX_WAKE, INT_MAX, nullptr);
}

void LongWait::Yield() {
  std::this_thread::yield();
  const auto now = std::chrono::steady_clock::now();
  if (now - worked_ < kPatience) return;
  Work();
  worked_ = std::chrono::steady_clock::now();
}

}  // namespace lapse
