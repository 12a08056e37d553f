#include "server/core/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace lapse {
namespace {

absl::Status Failure(std::string_view what, const std::string& path) {
  return absl::UnavailableError(fmt::format("{} '{}': {}", what, path, std::strerror(errno)));
}

// Writes all of the text and makes it durable. Closes the descriptor.
bool WriteAndClose(int fd, std::string_view text) {
  bool ok = true;
  while (ok && !text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else {
      ok = errno == EINTR;
    }
  }
  ok = ok && ::fsync(fd) == 0;
  return ::close(fd) == 0 && ok;
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, std::string_view text) {
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkstemp(temporary.data());
  if (fd < 0) return Failure("cannot create", temporary);
  struct stat old_file {};
  // mkstemp's file is for the owner alone; the new one is for whom the old one was.
  if (::stat(path.c_str(), &old_file) == 0) ::fchmod(fd, old_file.st_mode & 0777);
  if (!WriteAndClose(fd, text) || std::rename(temporary.c_str(), path.c_str()) != 0) {
    absl::Status status = Failure("cannot write", path);
    ::unlink(temporary.c_str());
    return status;
  }
  return absl::OkStatus();
}

}  // namespace lapse
