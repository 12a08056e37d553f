// A list: a deque of nodes, each a run of packed elements (list_node.h).
//
//   nodes_, a ring:   | ... | last node |  unused  | first node | second | third | ...
//                                                       |
//                                                       v  one block of up to 8 KiB
//                                              | room | element | element | ... | room |
//
// A push or a pop touches the node at its end. An index is found by adding up the nodes' counts,
// which lie side by side in the ring, so that whole nodes are skipped at a nanosecond each. An
// element that is larger than a node may be has a node to itself.
//
// The encodings are names that Redis 7.2 would give: "listpack" as long as all fits into one node,
// "quicklist" beyond that, and "listpack" again once all is in one node that is at most half full.
//
// Invariants:
//   1. No node is empty, unless the list is, which then has none.
//   2. A node of more than one element holds at most limit_bytes_ and limit_count_.
//   3. size_ and allocated_ are sums over the nodes.
//
// Thread: the holder of the shard's lock, reads included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "storage/value.h"
#include "storage/values/list_node.h"

namespace lapse {

class List final : public Value {
 public:
  static constexpr ValueType kType = ValueType::kList;
  // The longest element.
  static constexpr size_t kMaxElement = ListNode::kMaxText;

  enum class End : uint8_t { kHead, kTail };

  // Where an element is. Invalidated by every change, unless that says otherwise.
  struct Cursor {
    size_t node = 0;
    ListNode::Position at = 0;
  };

  // The configuration's list-max-listpack-size: elements of a node, or, from -1 to -5, a node's
  // bytes, 4 KiB to 64 KiB.
  explicit List(int64_t max_node_size = -2);
  ~List() override;

  ValueType type() const override { return kType; }
  Encoding encoding() const override {
    return is_quicklist_ ? Encoding::kQuicklist : Encoding::kListpack;
  }
  size_t size() const override { return size_; }
  size_t allocated_bytes() const override { return allocated_; }
  std::unique_ptr<Value> Clone() const override;

  // Requires, of all texts that are put in: at most kMaxElement bytes, not within this list.
  void Push(End end, std::string_view element);
  // Requires: not empty.
  PackedElement Peek(End end) const;
  void Pop(End end);

  // Calls visit(element) for `count` elements from the one at `index` on, towards the tail.
  // Requires: there are as many.
  template <typename Visit>
  void ForEach(size_t index, size_t count, Visit visit) const;

  // Requires: index < size().
  Cursor Seek(size_t index) const;
  PackedElement Get(const Cursor& at) const { return Node(at.node).Get(at.at); }
  bool Is(const Cursor& at, const packed::Needle& needle) const {
    return needle.Is(Node(at.node).At(at.at));
  }
  // The next one towards the tail or the head. Requires: there is one.
  Cursor Next(Cursor at) const;
  Cursor Prev(Cursor at) const;

  void Set(size_t index, std::string_view element);
  void InsertBefore(Cursor at, std::string_view element);
  void InsertAfter(Cursor at, std::string_view element);
  // Removes elements equal to this one: `most` of them, from the head on, or from the tail when
  // `from_tail`. Returns how many.
  size_t Remove(std::string_view element, size_t most, bool from_tail);
  // Removes `count` elements from the one at `index` on. Requires: there are as many.
  void Erase(size_t index, size_t count);

  // --- For what stores lists ---

  size_t node_count() const { return node_count_; }
  // The elements of a node in a packed list's bytes, without its header and terminator.
  std::string_view NodeElements(size_t node) const { return Node(node).view(); }
  size_t NodeSize(size_t node) const { return Node(node).count(); }
  // Whether elements of so many bytes may be one node.
  bool FitsNode(size_t bytes, size_t count) const {
    return count == 1 || (bytes <= limit_bytes_ && count <= limit_count_);
  }
  // Puts a node of such elements at the tail. Requires: they are `count`, and valid.
  void AppendNode(std::string_view elements, size_t count);

 private:
  List(const List& other);

  ListNode& Node(size_t i) const { return ring_[(first_ + i) & (ring_size_ - 1)]; }
  ListNode& EndNode(End end) const { return Node(end == End::kHead ? 0 : node_count_ - 1); }
  bool IsFull(const ListNode& node) const { return node.count() >= limit_count_; }
  // Makes room for an empty node that is to be the i-th.
  ListNode& AddNode(size_t i);
  void RemoveNodes(size_t i, size_t count);
  void GrowRing();
  void PushSlow(End end, const packed::Form& form);
  void Insert(Cursor before, std::string_view element);
  // What follows a change that may have left nodes empty or small.
  void Tidy(size_t node);
  bool MayMerge(const ListNode& a, const ListNode& b) const;
  void NoteShrunk();
  size_t RingBytes() const;
  // Does something to a node, and keeps the sums true.
  template <typename Change>
  void Changing(ListNode& node, Change change);

  ListNode* ring_ = nullptr;
  uint32_t ring_size_ = 0;  // a power of two
  uint32_t first_ = 0;
  uint32_t node_count_ = 0;
  uint32_t limit_bytes_;  // of elements
  uint32_t limit_count_;
  bool is_quicklist_ = false;
  size_t size_ = 0;
  size_t allocated_;
};

template <typename Visit>
void List::ForEach(size_t index, size_t count, Visit visit) const {
  if (count == 0) return;
  Cursor cursor = Seek(index);
  for (;;) {
    const ListNode& node = Node(cursor.node);
    for (ListNode::Position at = cursor.at; at != node.end(); at = node.Next(at)) {
      visit(node.Get(at));
      if (--count == 0) return;
    }
    ++cursor.node;
    cursor.at = Node(cursor.node).begin();
  }
}

}  // namespace lapse
