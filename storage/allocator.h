// The system's malloc, as it serves large values and everything that is not an entry, and how much
// it hands out.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <string>

namespace lapse {

// The bytes that malloc sets aside for a request. Pure arithmetic, after glibc's layout: multiples
// of 16 with 8 bytes of header, whole pages from 128 KiB on.
size_t AllocationSize(size_t bytes);

// malloc and free, but that a refused allocation ends the process.
void* Allocate(size_t bytes);
void Free(void* block);

// Gives memory that malloc holds free back to the system.
void ReleaseFreeMemory();

// What malloc says of itself, for people to read.
std::string AllocatorReport();

// What INFO calls mem_allocator.
const char* AllocatorName();

}  // namespace lapse
