// Asking for a cache line before it is needed.
//
// Not __builtin_prefetch: GCC takes a function that does nothing else for one without effect and
// drops calls of it, once it sees the function and its caller together: 0.47 us a pipelined GET
// instead of 0.28.
#pragma once

namespace lapse {

inline void PrefetchLine(const void* address) {
#if defined(__x86_64__)
  asm volatile("prefetcht0 (%0)" : : "r"(address));
#else
  __builtin_prefetch(address);
#endif
}

}  // namespace lapse
