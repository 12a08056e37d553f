#include "storage/values/list.h"

#include <algorithm>
#include <utility>

#include "storage/allocator.h"

namespace lapse {
namespace {

using packed::Form;
using packed::FormOf;
using packed::Needle;

// What a packed list's header and terminator take of a node's bytes in Redis.
constexpr size_t kListpackFrame = 7;
// Of a node whose elements are limited by their number.
constexpr uint32_t kSafeBytes = 8192;
constexpr int64_t kLargestSize = 5;  // 4 KiB << 4

uint32_t LimitBytes(int64_t max_node_size) {
  if (max_node_size >= 0) return kSafeBytes - kListpackFrame;
  const int64_t step = std::min(-max_node_size, kLargestSize) - 1;
  return (uint32_t{4096} << step) - kListpackFrame;
}

uint32_t LimitCount(int64_t max_node_size) {
  if (max_node_size < 0) return UINT32_MAX;
  return static_cast<uint32_t>(std::clamp<int64_t>(max_node_size, 1, UINT16_MAX));
}

ListNode::Side SideOf(List::End end) {
  return end == List::End::kHead ? ListNode::Side::kFront : ListNode::Side::kBack;
}

}  // namespace

List::List(int64_t max_node_size)
    : limit_bytes_(LimitBytes(max_node_size)),
      limit_count_(LimitCount(max_node_size)),
      allocated_(AllocationSize(sizeof(List))) {}

List::List(const List& other)
    : Value(other),
      limit_bytes_(other.limit_bytes_),
      limit_count_(other.limit_count_),
      is_quicklist_(other.is_quicklist_),
      allocated_(AllocationSize(sizeof(List))) {
  for (size_t i = 0; i < other.node_count_; ++i) {
    AppendNode(other.NodeElements(i), other.NodeSize(i));
  }
  is_quicklist_ = other.is_quicklist_;
}

List::~List() { delete[] ring_; }

std::unique_ptr<Value> List::Clone() const { return std::unique_ptr<Value>(new List(*this)); }

// --- the ring ---

size_t List::RingBytes() const {
  // An array of objects with destructors keeps its length in front.
  return ring_ == nullptr ? 0 : AllocationSize(sizeof(size_t) + ring_size_ * sizeof(ListNode));
}

void List::GrowRing() {
  const uint32_t size = ring_size_ == 0 ? 1 : ring_size_ * 2;
  auto* const ring = new ListNode[size];
  for (size_t i = 0; i < node_count_; ++i) ring[i] = std::move(Node(i));
  allocated_ -= RingBytes();
  delete[] ring_;
  ring_ = ring;
  ring_size_ = size;
  first_ = 0;
  allocated_ += RingBytes();
}

ListNode& List::AddNode(size_t i) {
  if (node_count_ == ring_size_) GrowRing();
  ++node_count_;
  if (i < node_count_ / 2) {
    first_ = (first_ - 1) & (ring_size_ - 1);
    for (size_t k = 0; k < i; ++k) Node(k) = std::move(Node(k + 1));
  } else {
    for (size_t k = node_count_ - 1; k > i; --k) Node(k) = std::move(Node(k - 1));
  }
  if (node_count_ > 1) is_quicklist_ = true;
  return Node(i);
}

void List::RemoveNodes(size_t i, size_t count) {
  for (size_t k = i; k < i + count; ++k) {
    size_ -= Node(k).count();
    allocated_ -= Node(k).allocated_bytes();
    ListNode emptied = std::move(Node(k));
  }
  if (i < node_count_ - i - count) {
    for (size_t k = i; k-- > 0;) Node(k + count) = std::move(Node(k));
    first_ = static_cast<uint32_t>((first_ + count) & (ring_size_ - 1));
  } else {
    for (size_t k = i + count; k < node_count_; ++k) Node(k - count) = std::move(Node(k));
  }
  node_count_ -= static_cast<uint32_t>(count);
  NoteShrunk();
}

template <typename Change>
void List::Changing(ListNode& node, Change change) {
  size_ -= node.count();
  allocated_ -= node.allocated_bytes();
  change();
  size_ += node.count();
  allocated_ += node.allocated_bytes();
}

void List::NoteShrunk() {
  if (!is_quicklist_ || node_count_ > 1) return;
  if (node_count_ == 1 && Node(0).bytes() + kListpackFrame > (limit_bytes_ + kListpackFrame) / 2) {
    return;
  }
  if (node_count_ == 1 && Node(0).count() > limit_count_ / 2) return;
  is_quicklist_ = false;
}

void List::AppendNode(std::string_view elements, size_t count) {
  ListNode& node = AddNode(node_count_);
  Changing(node, [&] { node.Assign(elements, count); });
  if (elements.size() > limit_bytes_) is_quicklist_ = true;
}

// --- the ends ---

void List::Push(End end, std::string_view element) {
  const Form form = FormOf(element);
  if (ABSL_PREDICT_TRUE(node_count_ > 0)) {
    ListNode& node = EndNode(end);
    if (ABSL_PREDICT_TRUE(!IsFull(node))) {
      allocated_ -= node.allocated_bytes();
      const bool done = node.Push(SideOf(end), form, limit_bytes_);
      allocated_ += node.allocated_bytes();
      if (ABSL_PREDICT_TRUE(done)) {
        ++size_;
        return;
      }
    }
  }
  PushSlow(end, form);
}

void List::PushSlow(End end, const Form& form) {
  ListNode& node = AddNode(end == End::kHead ? 0 : node_count_);
  Changing(node, [&] { node.Push(SideOf(end), form, limit_bytes_); });
  if (form.whole_size() > limit_bytes_) is_quicklist_ = true;
}

PackedElement List::Peek(End end) const {
  const ListNode& node = EndNode(end);
  return node.Get(end == End::kHead ? node.begin() : node.Prev(node.end()));
}

void List::Pop(End end) {
  const size_t i = end == End::kHead ? 0 : node_count_ - 1;
  ListNode& node = Node(i);
  if (node.count() == 1) return RemoveNodes(i, 1);
  Changing(node, [&] { node.Pop(SideOf(end)); });
  NoteShrunk();
}

// --- by place ---

List::Cursor List::Seek(size_t index) const {
  if (index < size_ / 2) {
    size_t i = 0;
    while (index >= Node(i).count()) index -= Node(i++).count();
    return {i, Node(i).Seek(index)};
  }
  size_t behind = size_ - index;  // at least one: the element itself
  size_t i = node_count_ - 1;
  while (behind > Node(i).count()) behind -= Node(i--).count();
  return {i, Node(i).Seek(Node(i).count() - behind)};
}

List::Cursor List::Next(Cursor at) const {
  at.at = Node(at.node).Next(at.at);
  if (at.at == Node(at.node).end() && at.node + 1 < node_count_) {
    ++at.node;
    at.at = Node(at.node).begin();
  }
  return at;
}

List::Cursor List::Prev(Cursor at) const {
  if (at.at == Node(at.node).begin()) {
    --at.node;
    at.at = Node(at.node).end();
  }
  at.at = Node(at.node).Prev(at.at);
  return at;
}

void List::Set(size_t index, std::string_view element) {
  const Cursor cursor = Seek(index);
  const Form form = FormOf(element);
  ListNode& node = Node(cursor.node);
  const size_t old_size = packed::WholeSize(node.At(cursor.at));
  if (node.count() == 1 || node.bytes() - old_size + form.whole_size() <= limit_bytes_) {
    Changing(node, [&] { node.Replace(cursor.at, form); });
    if (form.whole_size() > limit_bytes_) is_quicklist_ = true;
    return Tidy(cursor.node);
  }
  // What does not fit goes in before the old one, which then goes.
  InsertBefore(cursor, element);
  Erase(index + 1, 1);
}

void List::InsertBefore(Cursor at, std::string_view element) { Insert(at, element); }

void List::InsertAfter(Cursor at, std::string_view element) {
  at.at = Node(at.node).Next(at.at);  // may be the node's end
  Insert(at, element);
}

void List::Insert(Cursor before, std::string_view element) {
  const Form form = FormOf(element);
  ListNode& node = Node(before.node);
  if (!IsFull(node) && node.bytes() + form.whole_size() <= limit_bytes_) {
    return Changing(node, [&] { node.Insert(before.at, form); });
  }
  // A new node between what comes before and what comes after; the neighbours take it in when
  // there is room.
  size_t i = before.node;
  if (before.at == node.end()) {
    ++i;
  } else if (before.at != node.begin()) {
    size_t ahead = 0;
    for (auto at = node.begin(); at != before.at; at = node.Next(at)) ++ahead;
    ListNode rest;
    Changing(node, [&] { rest = node.SplitOff(before.at, node.count() - ahead); });
    ++i;
    ListNode& behind = AddNode(i);
    Changing(behind, [&] { behind = std::move(rest); });
  }
  ListNode& middle = AddNode(i);
  Changing(middle, [&] { middle.Push(ListNode::Side::kBack, form, limit_bytes_); });
  Tidy(i);
}

size_t List::Remove(std::string_view element, size_t most, bool from_tail) {
  const Needle needle(element);
  Cursor from{0, node_count_ == 0 ? 0 : Node(0).begin()};
  if (from_tail && most < size_) {
    // Where the most that may go begin.
    size_t found = 0;
    Cursor at{node_count_ - 1, Node(node_count_ - 1).end()};
    for (size_t left = size_; left > 0 && found < most; --left) {
      at = Prev(at);
      if (Is(at, needle)) {
        ++found;
        from = at;
      }
    }
    if (found == 0) return 0;
    if (found < most) from = {0, Node(0).begin()};
  }
  size_t left = std::min(most, size_);
  const size_t before = size_;
  size_t first_changed = node_count_;
  for (size_t i = from.node; i < node_count_ && left > 0; ++i) {
    ListNode& node = Node(i);
    const size_t count = node.count();
    const ListNode::Position at = i == from.node ? from.at : node.begin();
    Changing(node, [&] { node.EraseEqual(needle, at, left); });
    if (node.count() != count) first_changed = std::min(first_changed, i);
  }
  // From the last on, for nodes go.
  for (size_t i = node_count_; i-- > first_changed;) Tidy(std::min<size_t>(i, node_count_ - 1));
  return before - size_;
}

void List::Erase(size_t index, size_t count) {
  if (count == 0) return;
  const Cursor from = Seek(index);
  size_t i = from.node;
  ListNode& node = Node(i);
  if (from.at != node.begin()) {
    const size_t ahead = [&] {
      size_t n = 0;
      for (size_t k = 0; k < i; ++k) n += Node(k).count();
      return index - n;
    }();
    const size_t here = std::min(count, node.count() - ahead);
    const ListNode::Position to =
        ahead + here == node.count() ? node.end() : node.Seek(ahead + here);
    Changing(node, [&] { node.Erase(from.at, to, here); });
    count -= here;
    ++i;
  }
  size_t whole = 0;
  while (i + whole < node_count_ && count >= Node(i + whole).count() && count > 0) {
    count -= Node(i + whole).count();
    ++whole;
  }
  if (whole > 0) RemoveNodes(i, whole);
  if (count > 0) {
    ListNode& last = Node(i);
    Changing(last, [&] { last.Erase(last.begin(), last.Seek(count), count); });
  }
  if (node_count_ > 0) Tidy(std::min<size_t>(i, node_count_ - 1));
  NoteShrunk();
}

// --- tidiness ---

// Together at most half a node, so that they are not split again at once.
bool List::MayMerge(const ListNode& a, const ListNode& b) const {
  return a.bytes() + b.bytes() <= limit_bytes_ / 2 &&
         a.count() + b.count() <= std::max<size_t>(limit_count_ / 2, 1);
}

void List::Tidy(size_t i) {
  if (node_count_ == 0) return;
  if (Node(i).empty()) {
    RemoveNodes(i, 1);
    if (node_count_ == 0) return;
    i = std::min<size_t>(i, node_count_ - 1);
  }
  const auto merge_with_next = [&](size_t k) {
    if (k + 1 >= node_count_ || !MayMerge(Node(k), Node(k + 1))) return;
    Changing(Node(k), [&] { Node(k).Append(Node(k + 1)); });
    RemoveNodes(k + 1, 1);
  };
  merge_with_next(i);
  if (i > 0) merge_with_next(i - 1);
  NoteShrunk();
}

}  // namespace lapse
