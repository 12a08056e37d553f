#include "storage/allocator.h"

#include <cstdlib>

#if LAPSE_USE_MIMALLOC
#include <mimalloc.h>
#else
#include <malloc.h>
#endif

namespace lapse {

#if LAPSE_USE_MIMALLOC

size_t AllocationSize(size_t bytes) { return mi_good_size(bytes); }

void* Allocate(size_t bytes) {
  void* block = mi_malloc(bytes);
  if (block == nullptr) std::abort();
  return block;
}

void Free(void* block) { mi_free(block); }

void ReleaseFreeMemory() { mi_collect(true); }

const char* AllocatorName() {
  static_assert(MI_MALLOC_VERSION / 100 == 2);
  return "mimalloc-2";
}

#else

// glibc hands out multiples of 16 bytes, less the 8 of its chunk header, 24 at least.
size_t AllocationSize(size_t bytes) { return bytes <= 24 ? 24 : (bytes + 8 + 15) / 16 * 16 - 8; }

void* Allocate(size_t bytes) {
  void* block = std::malloc(bytes);
  if (block == nullptr) std::abort();
  return block;
}

void Free(void* block) { std::free(block); }

void ReleaseFreeMemory() { malloc_trim(0); }

const char* AllocatorName() { return "libc"; }

#endif

}  // namespace lapse
