// Memory for the one asynchronous operation of a kind that a connection has in flight, so that
// starting the next read or write allocates nothing.
//
// Asio asks the handler's allocator for a block that holds the operation and the handler, and gives
// it back before the handler is called; the block is then free for the operation that the handler
// starts. A second operation, or a larger one, falls back to the heap.
//
// Thread: the connection's. Outlives the operations that use it, since their handlers hold the
// connection.
#pragma once

#include <cstddef>
#include <new>

namespace lapse {

class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;
  HandlerMemory& operator=(const HandlerMemory&) = delete;

  void* Allocate(size_t bytes) {
    if (in_use_ || bytes > sizeof(block_)) return ::operator new(bytes);
    in_use_ = true;
    return block_;
  }

  void Free(void* block) {
    if (block != block_) {
      ::operator delete(block);
    } else {
      in_use_ = false;
    }
  }

 private:
  // An operation of Asio 1.81 with a handler that holds one shared_ptr takes 152 bytes.
  static constexpr size_t kBytes = 192;

  alignas(std::max_align_t) std::byte block_[kBytes];
  bool in_use_ = false;
};

// What a handler's allocator has to look like.
template <typename T>
class HandlerAllocator {
 public:
  using value_type = T;

  explicit HandlerAllocator(HandlerMemory& memory) : memory_(&memory) {}
  template <typename U>
  HandlerAllocator(const HandlerAllocator<U>& other) : memory_(other.memory_) {}

  T* allocate(size_t n) { return static_cast<T*>(memory_->Allocate(n * sizeof(T))); }
  void deallocate(T* block, size_t) { memory_->Free(block); }

  template <typename U>
  bool operator==(const HandlerAllocator<U>& other) const {
    return memory_ == other.memory_;
  }

 private:
  template <typename U>
  friend class HandlerAllocator;

  HandlerMemory* memory_;
};

}  // namespace lapse
