#include "expiry/resident.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace lapse {

int64_t ResidentBytes() {
  // "total resident shared text lib data dirty", in pages.
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[256];
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  if (size <= 0) return 0;
  const char* const end = text + size;
  const void* const space = std::memchr(text, ' ', static_cast<size_t>(size));
  if (space == nullptr) return 0;
  int64_t pages = 0;
  std::from_chars(static_cast<const char*>(space) + 1, end, pages);
  return pages * sysconf(_SC_PAGESIZE);
}

}  // namespace lapse
