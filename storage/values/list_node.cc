#include "storage/values/list_node.h"

#include <algorithm>
#include <cstring>

#include "storage/allocator.h"

namespace lapse {
namespace {

constexpr size_t kMallocHeader = 8;
constexpr size_t kMallocStep = 16;
constexpr size_t kLeastCapacity = 24;
// Blocks up to this size keep their room.
constexpr size_t kKeptCapacity = 128;

// What malloc gives anyway for so many bytes.
size_t CapacityFor(size_t bytes) {
  const size_t rounded =
      (bytes + kMallocHeader + kMallocStep - 1) / kMallocStep * kMallocStep - kMallocHeader;
  return std::max(rounded, kLeastCapacity);
}

// The largest capacity that is not above `bytes`.
size_t CapacityWithin(size_t bytes) {
  const size_t rounded = (bytes + kMallocHeader) / kMallocStep * kMallocStep - kMallocHeader;
  return std::max(rounded, kLeastCapacity);
}

}  // namespace

ListNode::ListNode(const ListNode& other) { Assign(other.view(), other.count_); }

ListNode::~ListNode() { Free(block_); }

size_t ListNode::allocated_bytes() const {
  return block_ == nullptr ? 0 : AllocationSize(capacity_);
}

ListNode::Position ListNode::Seek(size_t index) const {
  if (index <= count_ / 2) {
    Position at = begin_;
    for (; index > 0; --index) at = Next(at);
    return at;
  }
  Position at = end_;
  for (size_t left = count_ - index; left > 0; --left) at = Prev(at);
  return at;
}

void ListNode::Assign(std::string_view elements, size_t count) {
  begin_ = end_ = 0;
  Move(CapacityFor(elements.size()), 0);
  if (!elements.empty()) std::memcpy(block_, elements.data(), elements.size());
  end_ = static_cast<uint32_t>(elements.size());
  count_ = static_cast<uint32_t>(count);
}

void ListNode::Move(size_t capacity, size_t front_room) {
  auto* const block = static_cast<uint8_t*>(Allocate(capacity));
  const size_t used = bytes();
  if (used > 0) std::memcpy(block + front_room, block_ + begin_, used);
  Free(block_);
  block_ = block;
  capacity_ = static_cast<uint32_t>(capacity);
  begin_ = static_cast<uint32_t>(front_room);
  end_ = static_cast<uint32_t>(front_room + used);
}

bool ListNode::MakeRoom(Side side, size_t size, size_t most) {
  const size_t used = bytes();
  if (used + size > most && count_ > 0) return false;
  const size_t room = capacity_ - used;
  const auto front_room = [&](size_t capacity) {
    return side == Side::kFront ? capacity - used : 0;
  };
  if (room >= size && room >= used / 2) {
    const size_t front = front_room(capacity_);
    std::memmove(block_ + front, block_ + begin_, used);
    begin_ = static_cast<uint32_t>(front);
    end_ = static_cast<uint32_t>(front + used);
    return true;
  }
  const size_t wanted = CapacityFor(used + size + used / 2);
  const size_t capacity =
      std::max(std::min(wanted, CapacityWithin(most)), CapacityFor(used + size));
  // Room enough is there, but on the wrong side, and the block may not grow: moving the run for
  // that little would be to do again and again.
  if (room >= size && capacity <= capacity_) return false;
  Move(capacity, front_room(capacity));
  return true;
}

void ListNode::Pop(Side side) {
  if (side == Side::kFront) {
    begin_ = Next(begin_);
  } else {
    end_ = Prev(end_);
  }
  --count_;
  Trim();
}

// Gives most of the room back once three quarters of the block are unused.
void ListNode::Trim() {
  const size_t used = bytes();
  if (ABSL_PREDICT_TRUE(used >= capacity_ / 4 || capacity_ <= kKeptCapacity)) return;
  const size_t capacity = CapacityFor(std::max(used * 2, kKeptCapacity / 2));
  Move(capacity, (capacity - used) / 2);
}

ListNode::Position ListNode::Splice(Position at, size_t removed, size_t added) {
  const size_t used = bytes();
  const size_t before = at - begin_;
  const size_t behind = used - before - removed;
  if (added > removed && capacity_ - used < added - removed) {
    Move(CapacityFor(used + added - removed + used / 8), 0);
    at = static_cast<Position>(begin_ + before);
  }
  const auto growth = static_cast<ptrdiff_t>(added) - static_cast<ptrdiff_t>(removed);
  const bool back_fits = static_cast<ptrdiff_t>(capacity_ - end_) >= growth;
  const bool front_fits = static_cast<ptrdiff_t>(begin_) >= growth;
  if (front_fits && (before < behind || !back_fits)) {
    std::memmove(block_ + begin_ - growth, block_ + begin_, before);
    begin_ = static_cast<uint32_t>(begin_ - growth);
    return static_cast<Position>(at - growth);
  }
  if (!back_fits) {
    // The room is split between both sides.
    const size_t moved = begin_;
    std::memmove(block_, block_ + begin_, used);
    begin_ = 0;
    end_ = static_cast<uint32_t>(used);
    at -= static_cast<Position>(moved);
  }
  std::memmove(block_ + at + added, block_ + at + removed, behind);
  end_ = static_cast<uint32_t>(end_ + growth);
  return at;
}

void ListNode::Insert(Position before, const packed::Form& form) {
  const Position at = Splice(before, 0, form.whole_size());
  packed::Write(block_ + at, form);
  ++count_;
}

void ListNode::Replace(Position at, const packed::Form& form) {
  const size_t old_size = packed::WholeSize(block_ + at);
  at = Splice(at, old_size, form.whole_size());
  packed::Write(block_ + at, form);
  Trim();
}

void ListNode::Erase(Position from, Position to, size_t count) {
  Splice(from, to - from, 0);
  count_ -= static_cast<uint32_t>(count);
  Trim();
}

// One pass: what is kept moves to the front over what goes.
void ListNode::EraseEqual(const packed::Needle& needle, Position from, size_t& left) {
  Position kept = from;
  Position at = from;
  while (at != end_ && left > 0) {
    const size_t size = packed::WholeSize(block_ + at);
    if (needle.Is(block_ + at)) {
      --left;
      --count_;
    } else {
      if (kept != at) std::memmove(block_ + kept, block_ + at, size);
      kept += static_cast<Position>(size);
    }
    at += static_cast<Position>(size);
  }
  if (kept == at) return;
  std::memmove(block_ + kept, block_ + at, end_ - at);
  end_ -= at - kept;
  Trim();
}

ListNode ListNode::SplitOff(Position from, size_t count) {
  ListNode rest;
  rest.Assign({reinterpret_cast<const char*>(block_ + from), end_ - from}, count);
  end_ = from;
  count_ -= static_cast<uint32_t>(count);
  Trim();
  return rest;
}

void ListNode::Append(const ListNode& next) {
  const size_t added = next.bytes();
  const Position at = Splice(end_, 0, added);
  if (added > 0) std::memcpy(block_ + at, next.block_ + next.begin_, added);
  count_ += next.count_;
}

}  // namespace lapse
