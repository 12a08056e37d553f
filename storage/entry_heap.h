// The heap that entries live in: size classes, slabs and lanes.
//
//   lane (by thread, own lock) -> size class -> list of slabs with room
//   slab: 32 KiB, aligned     | header 64 B | object | object | ... |
//
// Why not malloc: entries are most of what the process holds, they come and go by the million, and
// when they go the system should see it. A slab holds objects of one size without a byte between
// them (64.2 bytes of RSS for a 64-byte entry; mimalloc 64.5, jemalloc 66.1, glibc 80); slabs are
// cut from huge pages, which makes a find at 10 million keys faster by a third; a slab that empties
// goes back to its 2 MiB chunk and an empty chunk to the system at once, so that RSS falls with the
// keys and needs no purge. And a host program that links the library keeps its own malloc.
//
// Objects above kMaxBytes (a key of kilobytes; large values are allocated outside of entries
// anyway) come from malloc. The size tells which: whoever frees says the size that he asked for.
//
// A thread allocates from its lane; an object goes back to the lane that its slab belongs to. With
// no more threads than lanes, a lane's lock is contended only when one thread frees what another
// made.
//
// With LAPSE_USE_SLABS=0 (sanitizer builds) everything comes from malloc, so that AddressSanitizer
// sees each entry.
//
// Thread: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "storage/arena.h"
#include "storage/lock.h"
#include "storage/prefetch.h"

namespace lapse {

class EntryHeap {
 public:
  static constexpr size_t kMaxBytes = 2048;

  EntryHeap();
  ~EntryHeap();
  EntryHeap(const EntryHeap&) = delete;
  EntryHeap& operator=(const EntryHeap&) = delete;

  // Never returns nullptr: an allocation that the system refuses ends the process, as a store that
  // cannot hold an acknowledged write must.
  void* Allocate(size_t bytes);
  // `bytes` is what was asked for, or anything of the same size class.
  void Free(void* object, size_t bytes);

  // The bytes that an object of this size occupies: the size class above it. Pure arithmetic; two
  // sizes with equal results can share one object.
  static size_t SizeClass(size_t bytes);

  // Asks the cache for what Free will read beside the object.
  static void PrefetchFor([[maybe_unused]] const void* object) {
#if LAPSE_USE_SLABS
    PrefetchLine(
        reinterpret_cast<const void*>(reinterpret_cast<uintptr_t>(object) & ~(kSlabBytes - 1)));
#endif
  }

  // Bytes of all slabs, free objects in them included.
  size_t slab_bytes() const { return arena_.pages_in_use() * kSlabBytes; }
  // Gives free slabs of chunks in use back to the system.
  void Release() { arena_.Release(); }

 private:
  static constexpr size_t kSlabBytes = 32768;
  static constexpr size_t kFineStep = 16;  // classes up to kFineMost are this far apart
  static constexpr size_t kFineMost = 512;
  static constexpr size_t kCoarseStep = 64;  // those above, this far
  static constexpr size_t kClasses = kFineMost / kFineStep + (kMaxBytes - kFineMost) / kCoarseStep;
  static constexpr size_t kLanes = 16;

  struct Slab;
  struct alignas(64) Lane {
    SpinLock lock;
    std::array<Slab*, kClasses> open ABSL_GUARDED_BY(lock){};  // slabs with room, by class
  };

  static size_t ClassOf(size_t bytes);
  Slab* NewSlab(size_t lane, size_t size_class);

  PageArena arena_{kSlabBytes};
  std::array<Lane, kLanes> lanes_;
};

// A number below `lanes` for the calling thread; threads made one after the other get neighbouring
// ones.
size_t ThreadLane(size_t lanes);

}  // namespace lapse
