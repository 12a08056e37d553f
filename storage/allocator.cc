#include "storage/allocator.h"

#include <malloc.h>

#include <cstdio>
#include <cstdlib>

#include "absl/base/config.h"

namespace lapse {
namespace {

constexpr size_t kHeader = 8;
constexpr size_t kLeast = 24;
constexpr size_t kMapped = 128 * 1024;  // M_MMAP_THRESHOLD's default
constexpr size_t kPage = 4096;

size_t RoundUp(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

size_t AllocationSize(size_t bytes) {
  if (bytes <= kLeast) return kLeast;
  if (bytes >= kMapped) return RoundUp(bytes + 2 * kHeader, kPage) - 2 * kHeader;
  return RoundUp(bytes + kHeader, 16) - kHeader;
}

void* Allocate(size_t bytes) {
  void* block = std::malloc(bytes);
  if (block == nullptr) std::abort();
  return block;
}

void Free(void* block) { std::free(block); }

void ReleaseFreeMemory() {
  // A sanitizer's malloc stands in for libc's, which then is not set up, and crashes when two
  // threads trim it.
#if !defined(ABSL_HAVE_THREAD_SANITIZER) && !defined(ABSL_HAVE_ADDRESS_SANITIZER)
  malloc_trim(0);
#endif
}

std::string AllocatorReport() {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* const stream = open_memstream(&text, &size);
  if (stream == nullptr) return "";
  malloc_info(0, stream);
  std::fclose(stream);
  std::string report(text, size);
  std::free(text);
  return report;
}

const char* AllocatorName() {
#if LAPSE_USE_SLABS
  return "slabs+libc";
#else
  return "libc";
#endif
}

}  // namespace lapse
