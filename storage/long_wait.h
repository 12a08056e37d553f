// Waiting by threads that have something else to do when it takes long.
//
// Locks are held for microseconds, with one exception: a script keeps what it has touched until it
// ends, and may take seconds, or never end. A thread that waits for it would leave its own clients
// without an answer, the one among them that asks for the script's end, too. So a thread may say
// what is to be done during long waits: an io thread then serves its other clients.
//
// Thread: any; the work is the calling thread's own. It is not done within itself.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>

namespace lapse {

class LongWait {
 public:
  // How long a wait is before the work is done, and between one time and the next.
  static constexpr std::chrono::milliseconds kPatience{20};

  // Sets the calling thread's work, which must outlive its waits; nullptr is none.
  static void SetWork(const std::function<void()>* work);
  // Does the calling thread's work now, if it has any.
  static void Work();

  // Sleeps while the word has this value; may return early. To be woken by the two below, not by
  // the word's own notify functions.
  static void Sleep(const std::atomic<uint32_t>& word, uint32_t value);
  static void WakeOne(const std::atomic<uint32_t>& word);
  static void WakeAll(const std::atomic<uint32_t>& word);

  // For waiting in a loop: gives the processor away, and now and then does the work.
  void Yield();

 private:
  std::chrono::steady_clock::time_point worked_ = std::chrono::steady_clock::now();
};

}  // namespace lapse
