// A growable run of bytes: the read buffer of a connection, and the place where its replies gather.
//
//        data()            data()+size()            data()+capacity()
//          |  bytes in use   |   room for Prepare()   |
//          +-----------------+------------------------+
//
// Why not std::string or std::vector<char>: both write zeroes over the room that a socket read is
// about to fill, which for a 16 KiB read costs as much as parsing what arrives. This one gets its
// memory by realloc, and so may also grow in place or by remapping pages.
//
// Thread: none of its own; a buffer belongs to one connection, hence to one thread at a time.
//
// Invariants:
//   1. size() <= capacity().
//   2. data() is null exactly while capacity() is zero, so that an idle connection costs 24 bytes.
//   3. Growth at least doubles, so appending n bytes in pieces moves O(n) bytes.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace lapse {

class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { Release(); }

  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept;

  const char* data() const { return data_; }
  char* data() { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_, size_}; }

  // Returns where the next bytes go, with room for at least n of them; their content is
  // indeterminate. Invalidates pointers into the buffer. The process ends when memory does:
  // a server that cannot hold a reply has no way to say so.
  char* Prepare(size_t n) {
    if (capacity_ - size_ < n) [[unlikely]] {
      Grow(n);
    }
    return data_ + size_;
  }

  // Takes the first n prepared bytes into use. Requires: n is at most what was prepared.
  void Commit(size_t n) { size_ += n; }

  // Requires: `bytes` does not point into this buffer.
  void Append(std::string_view bytes) {
    if (bytes.empty()) return;  // memcpy must not be given a null pointer, even for no bytes
    std::memcpy(Prepare(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  // Drops n bytes from the front and moves the rest there. It costs a memmove of what remains,
  // normally nothing or part of one request. Requires: n <= size().
  void Consume(size_t n);

  // Drops bytes from the end. Requires: size <= size().
  void Truncate(size_t size) { size_ = size; }

  // Drops the bytes, keeps the memory.
  void Clear() { size_ = 0; }

  // Drops the bytes and the memory.
  void Release();

 private:
  void Grow(size_t n);

  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace lapse
