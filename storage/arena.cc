#include "storage/arena.h"

#include <pthread.h>
#include <sys/mman.h>

#include <chrono>
#include <cstdlib>

namespace lapse {
namespace {

constexpr std::chrono::seconds kIdleAfter{1};

void* At(uintptr_t address) { return reinterpret_cast<void*>(address); }

// Maps twice the size and trims, since mmap promises no more than page alignment.
uintptr_t MapNewChunk() {
  constexpr size_t kBytes = PageArena::kChunkBytes;
  void* mapped = mmap(nullptr, kBytes * 2, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) std::abort();  // as Allocate: a store that cannot grow must not go on
  const auto start = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t base = (start + kBytes - 1) & ~(kBytes - 1);
  if (base != start) munmap(mapped, base - start);
  const uintptr_t end = start + kBytes * 2;
  if (base + kBytes != end) munmap(At(base + kBytes), end - base - kBytes);
  return base;
}

void UnmapChunk(uintptr_t base) { munmap(At(base), PageArena::kChunkBytes); }

}  // namespace

PageArena::PageArena(size_t page_bytes)
    : page_bytes_(page_bytes), pages_(kChunkBytes / page_bytes) {}

PageArena::~PageArena() {
  std::thread keeper;
  {
    MutexGuard guard(keeper_mu_);
    stopping_ = true;
    keeper.swap(keeper_);
  }
  wake_keeper_.notify_one();
  if (keeper.joinable()) keeper.join();
  VacateDoomed();
  if (const uintptr_t spare = TakeSpare(); spare != 0) UnmapChunk(spare);
  for (const auto& [base, chunk] : chunks_) UnmapChunk(base);
  for (const uintptr_t base : vacant_) UnmapChunk(base);
}

// --- chunks ---

uintptr_t PageArena::MapChunk() {
  {
    const SpinGuard guard(vacant_lock_);
    if (!vacant_.empty()) {
      const uintptr_t base = vacant_.back();
      vacant_.pop_back();
      return base;
    }
  }
  return MapNewChunk();
}

// Maps a chunk and has the system back it, by a huge page where it can.
uintptr_t PageArena::MapTouchedChunk() {
  constexpr size_t kSmallPage = 4096;
  const uintptr_t base = MapChunk();
  madvise(At(base), kChunkBytes, MADV_HUGEPAGE);
  for (size_t offset = 0; offset < kChunkBytes; offset += kSmallPage) {
    *static_cast<volatile char*>(At(base + offset)) = 0;
  }
  return base;
}

// Who gets the addresses next touches them a page at a time, as if they were new.
void PageArena::VacateChunk(uintptr_t base) {
  madvise(At(base), kChunkBytes, MADV_DONTNEED);
  madvise(At(base), kChunkBytes, MADV_NOHUGEPAGE);
  const SpinGuard guard(vacant_lock_);
  vacant_.push_back(base);
}

// --- pages ---

void* PageArena::TakeFrom(uintptr_t base, Chunk& chunk) {
  size_t page = 0;
  while (chunk.used[page]) ++page;
  chunk.used[page] = true;
  chunk.returned[page] = false;
  if (chunk.used_count++ == 0) --empty_chunks_;
  ++in_use_;
  if (chunk.used_count == pages_) {
    open_.erase(base);
    if (!chunk.huge) madvise(At(base), kChunkBytes, MADV_HUGEPAGE);
    chunk.huge = true;
  }
  return At(base + page * page_bytes_);
}

void PageArena::AddChunk() {
  const uintptr_t spare = TakeSpare();
  const uintptr_t base = spare != 0 ? spare : MapChunk();
  Chunk& chunk = chunks_[base];
  chunk.huge = spare != 0;
  open_[base] = &chunk;
  ++empty_chunks_;
}

void* PageArena::Allocate() {
  bool grown = false;
  void* page;
  {
    SpinGuard guard(lock_);
    if (open_.empty()) {
      grown = !chunks_.empty();  // most arenas never outgrow their first chunk
      AddChunk();
    }
    const auto [base, chunk] = *open_.begin();
    page = TakeFrom(base, *chunk);
  }
  if (grown) AskForSpare();
  return page;
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
  AskToVacate(base);
}

void PageArena::Release() {
  VacateDoomed();
  SpinGuard guard(lock_);
  for (auto& [base, chunk] : open_) {
    for (size_t page = 0; page < pages_; ++page) {
      if (chunk->used[page] || chunk->returned[page]) continue;
      madvise(At(base + page * page_bytes_), page_bytes_, MADV_DONTNEED);
      chunk->returned[page] = true;
    }
  }
}

size_t PageArena::pages_in_use() const {
  SpinGuard guard(lock_);
  return in_use_;
}

// --- the keeper ---

void PageArena::AskForSpare() {
  MutexGuard guard(keeper_mu_);
  spare_wanted_ = true;
  WakeKeeper();
}

void PageArena::AskToVacate(uintptr_t base) {
  MutexGuard guard(keeper_mu_);
  doomed_.push_back(base);
  WakeKeeper();
}

void PageArena::WakeKeeper() {
  if (!keeper_.joinable() && !stopping_) {
    keeper_ = std::thread([this] { Keep(); });
    pthread_setname_np(keeper_.native_handle(), "lapse-pages");
  }
  wake_keeper_.notify_one();
}

// One at a time, so that whoever wants memory back now shares the work with the keeper.
void PageArena::VacateDoomed() {
  for (;;) {
    uintptr_t base;
    {
      MutexGuard guard(keeper_mu_);
      if (doomed_.empty()) return;
      base = doomed_.back();
      doomed_.pop_back();
    }
    VacateChunk(base);
  }
}

void PageArena::Keep() {
  bool idle = false;
  keeper_mu_.Lock();
  while (!stopping_) {
    if (spare_wanted_) {
      spare_wanted_ = false;
      idle = false;
      keeper_mu_.Unlock();
      const uintptr_t left = spare_.exchange(MapTouchedChunk(), std::memory_order_acq_rel);
      if (left != 0) VacateChunk(left);
      keeper_mu_.Lock();
    } else if (!doomed_.empty()) {
      idle = false;
      keeper_mu_.Unlock();
      VacateDoomed();
      keeper_mu_.Lock();
    } else if (idle) {
      wake_keeper_.wait(keeper_mu_);
    } else if (wake_keeper_.wait_for(keeper_mu_, kIdleAfter) == std::cv_status::timeout &&
               !spare_wanted_ && doomed_.empty()) {
      idle = true;
      keeper_mu_.Unlock();
      if (const uintptr_t spare = TakeSpare(); spare != 0) VacateChunk(spare);
      Release();
      keeper_mu_.Lock();
    }
  }
  keeper_mu_.Unlock();
}

}  // namespace lapse
