#include "storage/arena.h"

#include <sys/mman.h>

#include <cstdlib>

namespace lapse {
namespace {

// Maps twice the size and trims, since mmap promises no more than page alignment.
uintptr_t MapChunk(size_t bytes) {
  void* mapped = mmap(nullptr, bytes * 2, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) std::abort();  // as Allocate: a store that cannot grow must not go on
  const auto start = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t base = (start + bytes - 1) & ~(bytes - 1);
  if (base != start) munmap(mapped, base - start);
  const uintptr_t end = start + bytes * 2;
  if (base + bytes != end) munmap(reinterpret_cast<void*>(base + bytes), end - base - bytes);
  madvise(reinterpret_cast<void*>(base), bytes, MADV_HUGEPAGE);
  return base;
}

}  // namespace

PageArena::PageArena(size_t page_bytes)
    : page_bytes_(page_bytes), pages_(kChunkBytes / page_bytes) {}

PageArena::~PageArena() {
  for (auto& [base, chunk] : chunks_) munmap(reinterpret_cast<void*>(base), kChunkBytes);
}

void* PageArena::TakeFrom(uintptr_t base, Chunk& chunk) {
  size_t page = 0;
  while (chunk.used[page]) ++page;
  chunk.used[page] = true;
  chunk.returned[page] = false;
  if (chunk.used_count++ == 0) --empty_chunks_;
  if (chunk.used_count == pages_) open_.erase(base);
  ++in_use_;
  return reinterpret_cast<void*>(base + page * page_bytes_);
}

void* PageArena::Allocate() {
  SpinGuard guard(lock_);
  if (open_.empty()) {
    const uintptr_t base = MapChunk(kChunkBytes);
    open_[base] = &chunks_[base];
    ++empty_chunks_;
  }
  const auto [base, chunk] = *open_.begin();
  return TakeFrom(base, *chunk);
}

void PageArena::Free(void* page) {
  const auto address = reinterpret_cast<uintptr_t>(page);
  const uintptr_t base = address & ~(kChunkBytes - 1);
  {
    SpinGuard guard(lock_);
    Chunk& chunk = chunks_.at(base);
    if (chunk.used_count == pages_) open_[base] = &chunk;
    chunk.used[(address - base) / page_bytes_] = false;
    --chunk.used_count;
    --in_use_;
    if (chunk.used_count != 0) return;
    if (++empty_chunks_ < 2) return;
    open_.erase(base);
    chunks_.erase(base);
    --empty_chunks_;
  }
  // The longest part (100 us and more), outside of the lock.
  munmap(reinterpret_cast<void*>(base), kChunkBytes);
}

void PageArena::Release() {
  SpinGuard guard(lock_);
  for (auto& [base, chunk] : open_) {
    for (size_t page = 0; page < pages_; ++page) {
      if (chunk->used[page] || chunk->returned[page]) continue;
      madvise(reinterpret_cast<void*>(base + page * page_bytes_), page_bytes_, MADV_DONTNEED);
      chunk->returned[page] = true;
    }
  }
}

size_t PageArena::pages_in_use() const {
  SpinGuard guard(lock_);
  return in_use_;
}

}  // namespace lapse
