// Pages of one size (4 KiB segments, 32 KiB slabs of entries), cut from 2 MiB chunks that ask for
// huge pages.
//
// A find reads one line of a segment at a random place, so at 10 million keys most of them miss the
// TLB: on huge pages the same find takes half the time (187 against 386 ns). A chunk whose pages
// are all free again goes back to the system at once, but for one kept against oscillation; the
// free pages of a chunk in use go back when Release is called (after FLUSHEXPIREKEYS, MEMORY
// PURGE), at the price of that chunk's huge page.
//
// Thread: any; one lock, taken once per about 200 inserted keys.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>

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
  // Gives free pages back to the system.
  void Release();

  size_t pages_in_use() const;
  size_t page_bytes() const { return page_bytes_; }

 private:
  static constexpr size_t kMostPages = kChunkBytes / 4096;
  struct Chunk {
    std::bitset<kMostPages> used;
    std::bitset<kMostPages> returned;  // free, and given back to the system
    size_t used_count = 0;
  };

  void* TakeFrom(uintptr_t base, Chunk& chunk) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lock_);

  const size_t page_bytes_;
  const size_t pages_;  // in a chunk
  mutable SpinLock lock_;
  std::map<uintptr_t, Chunk> chunks_ ABSL_GUARDED_BY(lock_);
  // Chunks with a free page, lowest address first, so that high chunks empty.
  std::map<uintptr_t, Chunk*> open_ ABSL_GUARDED_BY(lock_);
  size_t empty_chunks_ ABSL_GUARDED_BY(lock_) = 0;
  size_t in_use_ ABSL_GUARDED_BY(lock_) = 0;
};

}  // namespace lapse
