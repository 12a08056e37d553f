// Resident memory of this process, as the system sees it: what FLUSHEXPIREKEYS reports before and
// after a run, and what INFO calls used_memory_rss.
//
// Thread: any. Reads a file of the proc file system, which takes some microseconds: not for a
// slice.
#pragma once

#include <cstdint>

namespace lapse {

// Bytes; 0 where the system does not tell.
int64_t ResidentBytes();

}  // namespace lapse
