// The gate and the locks as threads that wait long see them.

#include "storage/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"
#include "storage/long_wait.h"

namespace lapse {
namespace {

// Bounded, so that a mistake is a failure and not a hang.
bool Becomes(const std::function<bool()>& condition) {
  for (int i = 0; i < 20'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

// Taken in one place and given back in another, which the analysis cannot follow.
void Take(SpinLock& lock) ABSL_NO_THREAD_SAFETY_ANALYSIS { lock.Lock(); }
void GiveBack(SpinLock& lock) ABSL_NO_THREAD_SAFETY_ANALYSIS { lock.Unlock(); }

TEST(GateThreads, OthersComeAndGoWhileTheExclusiveSideWaitsForOne) {
  Gate gate;
  std::atomic<bool> exclusive{false};
  gate.Enter();
  std::thread alone([&] {
    const Gate::Exclusive form(gate);
    exclusive = true;
  });
  std::atomic<int> entered{0};
  std::thread passing([&] {
    for (int i = 0; i < 20; ++i) {
      const Gate::Shared inside(gate);
      EXPECT_FALSE(exclusive);
      ++entered;
    }
  });
  passing.join();
  EXPECT_EQ(entered, 20);
  EXPECT_FALSE(exclusive);
  gate.Leave();
  alone.join();
  EXPECT_TRUE(exclusive);
}

TEST(GateThreads, ExclusiveMeansAlone) {
  Gate gate;
  int plain = 0;  // written in the exclusive form, read inside
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        if (t == 0 || i % 50 == 0) {
          const Gate::Exclusive form(gate);
          ++plain;
        } else if (t == 1) {
          const Gate::Bypass inside(gate);
          if (gate.TryEnter()) gate.Leave();
        } else {
          const Gate::Shared inside(gate);
          EXPECT_GE(plain, 0);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(plain, 300 + 3 * 6);
}

TEST(GateThreads, ABypassHoldsTheNextExclusiveOff) {
  Gate gate;
  std::atomic<bool> exclusive{false};
  gate.Enter();  // the script's thread
  std::thread alone([&] {
    const Gate::Exclusive form(gate);
    exclusive = true;
  });
  std::atomic<bool> bypassing{false};
  std::atomic<bool> done{false};
  std::thread beside([&] {
    const Gate::Bypass inside(gate);
    gate.Enter();  // does nothing, closed or not
    gate.Leave();
    bypassing = true;
    while (!done) std::this_thread::yield();
    EXPECT_FALSE(exclusive);
  });
  EXPECT_TRUE(Becomes([&] { return bypassing.load(); }));
  gate.Leave();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(exclusive);
  done = true;
  beside.join();
  alone.join();
  EXPECT_TRUE(exclusive);
}

// What a thread does while it waits by `wait`, which `end` ends.
void ExpectWorkDuring(const std::function<void()>& wait, const std::function<void()>& end) {
  std::atomic<int> worked{0};
  std::thread waiter([&] {
    const std::function<void()> work = [&] {
      ++worked;
      LongWait::Work();  // not within itself
    };
    LongWait::SetWork(&work);
    wait();
    LongWait::SetWork(nullptr);
  });
  EXPECT_TRUE(Becomes([&] { return worked >= 2; }));
  end();
  waiter.join();
}

TEST(LongWaitThreads, WorkIsDoneWhileALockIsWaitedFor) {
  SpinLock lock;
  Take(lock);
  ExpectWorkDuring([&] { const SpinGuard guard(lock); }, [&] { GiveBack(lock); });
}

TEST(LongWaitThreads, WorkIsDoneBeforeAClosedGate) {
  Gate gate;
  gate.EnterExclusive();
  ExpectWorkDuring([&] { const Gate::Shared inside(gate); }, [&] { gate.LeaveExclusive(); });
}

TEST(LongWaitThreads, WorkIsDoneByTheExclusiveSide) {
  Gate gate;
  gate.Enter();
  ExpectWorkDuring([&] { const Gate::Exclusive form(gate); }, [&] { gate.Leave(); });
}

TEST(LongWaitThreads, WithoutWorkAWaiterSleepsUntilItIsWoken) {
  SpinLock lock;
  std::atomic<bool> had{false};
  Take(lock);
  std::thread waiter([&] {
    const SpinGuard guard(lock);
    had = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(had);
  GiveBack(lock);
  waiter.join();
  EXPECT_TRUE(had);
}

}  // namespace
}  // namespace lapse
