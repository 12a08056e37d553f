#include "protocol/buffer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace lapse {
namespace {

// The first allocation: enough for a few small replies, little enough for an idle client.
constexpr size_t kMinCapacity = 256;

}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    Release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void Buffer::Consume(size_t n) {
  if (n == size_) {
    size_ = 0;
    return;
  }
  if (n == 0) return;
  std::memmove(data_, data_ + n, size_ - n);
  size_ -= n;
}

void Buffer::Release() {
  std::free(data_);
  data_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

void Buffer::Grow(size_t n) {
  const size_t capacity = std::max({kMinCapacity, capacity_ * 2, size_ + n});
  char* const data = static_cast<char*>(std::realloc(data_, capacity));
  if (data == nullptr) {
    fmt::print(stderr, "out of memory: a buffer of {} bytes\n", capacity);
    std::abort();
  }
  data_ = data;
  capacity_ = capacity;
}

}  // namespace lapse
