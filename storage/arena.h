// Pages of one size (4 KiB segments, 32 KiB slabs of entries), cut from 2 MiB chunks on huge pages.
//
// A find reads one line of a segment at a random place, so at millions of keys most of them miss
// the TLB: on huge pages a batched find at 1 million keys takes 39 ns instead of 110-130.
//
// The first touch of a huge page is the trouble with it: the kernel clears 2 MiB, 0.1-0.2 ms on
// bare metal and 6 ms measured on a virtual machine whose host had taken the memory back, while
// some client's SET waits. So nobody but the arena's keeper, a thread of its own, touches a huge
// page first. While the arena grows, the keeper has the next chunk ready; whoever comes too early,
// and every small arena, gets a chunk of ordinary pages instead (a few microseconds each), which is
// marked for the kernel's own collapsing once it is full. After a second without growth the keeper
// gives back what it held ready and what no page uses, and sleeps until the arena grows again.
//
// A chunk whose pages are all free again goes back to the system, but for one kept against
// oscillation; the keeper does that, too, for giving memory back takes some 100 us a chunk and a
// mass expiry empties hundreds. Its addresses stay mapped, without memory, for the next chunk: so a
// page that was freed may still be read, by those who look ahead without a lock and use nothing of
// what they read but as an address to ask for.
//
// Thread: any; one lock, taken once per some hundred keys.
#pragma once

#include <atomic>
#include <bitset>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "storage/lock.h"

namespace lapse {

class PageArena {
 public:
  static constexpr size_t kChunkBytes = size_t{2} << 20;

  // Requires: page_bytes is a power of two, of 4 KiB at least.
  explicit PageArena(size_t page_bytes);
  ~PageArena();
  PageArena(const PageArena&) = delete;
  PageArena& operator=(const PageArena&) = delete;

  // Returns a page, aligned to its size, of unspecified content.
  void* Allocate();
  void Free(void* page);
  // Gives free pages back to the system (MEMORY PURGE, the end of FLUSHEXPIREKEYS, the keeper when
  // idle).
  void Release();

  size_t pages_in_use() const;
  size_t page_bytes() const { return page_bytes_; }

 private:
  static constexpr size_t kMostPages = kChunkBytes / 4096;
  struct Chunk {
    std::bitset<kMostPages> used;
    std::bitset<kMostPages> returned;  // free, and given back to the system
    size_t used_count = 0;
    bool huge = false;  // backed by a huge page, or marked for it
  };

  void* TakeFrom(uintptr_t base, Chunk& chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  void AddChunk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);
  // What the keeper is asked to do; starts it when it does not run yet.
  void AskForSpare();
  void AskToVacate(uintptr_t base);
  void WakeKeeper() ABSL_EXCLUSIVE_LOCKS_REQUIRED(keeper_mu_);
  void Keep();
  uintptr_t MapTouchedChunk();
  void VacateDoomed();
  // Chunks of ordinary pages that nobody has touched: vacated ones, then new ones.
  uintptr_t MapChunk();
  void VacateChunk(uintptr_t base);
  // Returns the spare chunk, or 0, and leaves none.
  uintptr_t TakeSpare() { return spare_.exchange(0, std::memory_order_acq_rel); }

  const size_t page_bytes_;
  const size_t pages_;  // in a chunk

  mutable SpinLock lock_;
  std::map<uintptr_t, Chunk> chunks_ ABSL_GUARDED_BY(lock_);
  // Chunks with a free page, lowest address first, so that high chunks empty.
  std::map<uintptr_t, Chunk*> open_ ABSL_GUARDED_BY(lock_);
  size_t empty_chunks_ ABSL_GUARDED_BY(lock_) = 0;
  size_t in_use_ ABSL_GUARDED_BY(lock_) = 0;

  SpinLock vacant_lock_;
  std::vector<uintptr_t> vacant_ ABSL_GUARDED_BY(vacant_lock_);  // chunks' addresses, mapped

  // A chunk that is mapped and touched, for the next who needs one; 0: none.
  std::atomic<uintptr_t> spare_{0};

  Mutex keeper_mu_;
  std::condition_variable_any wake_keeper_;
  bool spare_wanted_ ABSL_GUARDED_BY(keeper_mu_) = false;
  std::vector<uintptr_t> doomed_ ABSL_GUARDED_BY(keeper_mu_);  // empty chunks, to be vacated
  bool stopping_ ABSL_GUARDED_BY(keeper_mu_) = false;
  std::thread keeper_
      ABSL_GUARDED_BY(keeper_mu_);  // started when the arena grows for the first time
};

}  // namespace lapse
