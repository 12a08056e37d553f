// A node of a list: a run of elements in one block, with room on both sides.
//
//   block    begin_                      end_          capacity_
//     |  room  | element | element | ...  |    room       |
//
// The elements are a packed list's (packed_element.h) without its header and terminator. What sets
// it apart from a Listpack is the room in front: a list is pushed and popped at both ends, and
// putting an element before 8 KiB of others by moving them costs more than all the rest of an
// LPUSH. When one side's room is used up, the run slides over to the other side, if that is
// worthwhile, or the block grows.
//
// Invariants:
//   1. begin_ <= end_ <= capacity_, and count_ elements lie between begin_ and end_.
//   2. A push that has to move the run gains room for half of what it moved, or else there is no
//      more to gain: the block is as large as it may get.
//
// A position is an offset into the block: it stays good until the node's next change.
//
// Thread: as a std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/base/optimization.h"
#include "storage/values/packed_element.h"

namespace lapse {

class ListNode {
 public:
  using Position = uint32_t;
  enum class Side : uint8_t { kFront, kBack };

  // The longest text that fits an element, with what may have to be kept around it.
  static constexpr size_t kMaxText = UINT32_MAX - 64;

  ListNode() = default;
  // A copy without room to spare.
  ListNode(const ListNode& other);
  ListNode(ListNode&& other) noexcept { Swap(other); }
  ListNode& operator=(ListNode&& other) noexcept {
    Swap(other);
    return *this;
  }
  ListNode& operator=(const ListNode&) = delete;
  ~ListNode();

  size_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Bytes of its elements.
  size_t bytes() const { return end_ - begin_; }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(block_ + begin_), bytes()};
  }
  // Of the block, as malloc hands it out.
  size_t allocated_bytes() const;

  Position begin() const { return begin_; }
  Position end() const { return end_; }
  Position Next(Position at) const {
    return at + static_cast<Position>(packed::WholeSize(block_ + at));
  }
  Position Prev(Position at) const {
    const size_t size = packed::ReadTail(block_ + at);
    return at - static_cast<Position>(size + packed::TailSize(size));
  }
  const uint8_t* At(Position at) const { return block_ + at; }
  PackedElement Get(Position at) const { return packed::Decode(block_ + at); }
  // Requires: index <= count(). Walks from the nearer end.
  Position Seek(size_t index) const;

  // Puts the element at one end. Returns false, and does nothing, when the node would then hold
  // more than `most` bytes, or would have to move too many to make room: a new node is due. An
  // empty node takes an element of any size.
  bool Push(Side side, const packed::Form& form, size_t most) {
    const size_t size = form.whole_size();
    const size_t room = side == Side::kFront ? begin_ : capacity_ - end_;
    if (ABSL_PREDICT_FALSE(room < size || bytes() + size > most)) {
      if (!MakeRoom(side, size, most)) return false;
    }
    Place(side, form, size);
    return true;
  }
  // Requires: !empty().
  void Pop(Side side);

  // Puts the element before that position. Requires: the node may grow by it.
  void Insert(Position before, const packed::Form& form);
  void Replace(Position at, const packed::Form& form);
  // Removes the `count` elements from `from` to `to`.
  void Erase(Position from, Position to, size_t count);
  // Removes the elements from `from` on that are equal to the needle, `left` at most, and takes
  // them off `left`.
  void EraseEqual(const packed::Needle& needle, Position from, size_t& left);
  // The elements from this position on, `count` of them, leave for a new node.
  ListNode SplitOff(Position from, size_t count);
  // Takes over the elements of the node that follows this one.
  void Append(const ListNode& next);
  // Replaces the content by elements in a packed list's bytes.
  void Assign(std::string_view elements, size_t count);

 private:
  void Swap(ListNode& other) {
    std::swap(block_, other.block_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
    std::swap(count_, other.count_);
  }
  void Place(Side side, const packed::Form& form, size_t size) {
    if (side == Side::kFront) begin_ -= static_cast<uint32_t>(size);
    packed::Write(block_ + (side == Side::kFront ? begin_ : end_), form);
    if (side == Side::kBack) end_ += static_cast<uint32_t>(size);
    ++count_;
  }
  bool MakeRoom(Side side, size_t size, size_t most);
  // Moves the run to a new block of this capacity, with so much room in front.
  void Move(size_t capacity, size_t front_room);
  // Makes `added` bytes of the `removed` ones at `at`. Returns the position, which may have moved.
  Position Splice(Position at, size_t removed, size_t added);
  void Trim();

  uint8_t* block_ = nullptr;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
  uint32_t capacity_ = 0;
  uint32_t count_ = 0;
};

static_assert(sizeof(ListNode) == 24);

}  // namespace lapse
