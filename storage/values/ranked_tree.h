// Ranks the members of a large sorted set by score, then by bytes: a B+-tree that counts.
//
//   inner   | size | least score of each child | least member | child | members below |   72
//   children
//                      |
//   leaf    | size | previous, next | scores | members |                                 62 members
//
// A rank is the sum of the counts to the left of one way down, so ZRANK and the start of any range
// cost O(log n), and the rest of a range is a walk along the leaves. Scores stand in the nodes, so
// members are looked at only where scores are equal. A million members are four levels deep, of
// which all but the leaf stay in the cache; a leaf costs 16 bytes a member at the 0.7 full that
// random order gives and at the 1.0 of ascending or descending order, which splits at the end.
//
// A skiplist, as Redis has it, takes 40 bytes a member and a cache miss a step.
//
// Nodes are split on the way down when they are full, and joined on the way up when one is less
// than a quarter full and fits beside its neighbour with a quarter to spare.
//
// Invariants:
//   1. An inner node knows the least member below each child, and how many there are.
//   2. No node is empty but a root that is a leaf.
//
// Thread: the holder of the shard's lock. The tree does not own the members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "storage/values/ranked_member.h"

namespace lapse {

class RankedTree {
 public:
  static constexpr uint32_t kLeafCapacity = 62;
  static constexpr uint32_t kInnerCapacity = 72;

  struct Node {
    uint32_t size = 0;
  };
  struct Leaf : Node {
    Leaf* previous = nullptr;
    Leaf* next = nullptr;
    double scores[kLeafCapacity];
    RankedMember* members[kLeafCapacity];
  };

  // Where a member is. Invalidates: by any change.
  struct Spot {
    const Leaf* leaf = nullptr;
    uint32_t index = 0;

    double score() const { return leaf->scores[index]; }
    RankedMember* member() const { return leaf->members[index]; }
    void Forward() {
      if (++index == leaf->size) *this = {leaf->next, 0};
    }
    void Backward() {
      if (index-- == 0) *this = {leaf->previous, leaf->previous ? leaf->previous->size - 1 : 0};
    }
  };

  RankedTree();
  ~RankedTree();
  RankedTree(const RankedTree&) = delete;
  RankedTree& operator=(const RankedTree&) = delete;

  size_t size() const { return size_; }
  size_t allocated_bytes() const { return allocated_bytes_; }

  // Requires: no equal one is there.
  void Insert(RankedMember* member);
  // Requires: it is there, under its score.
  void Erase(const RankedMember* member);

  // How many members there are before the first for which before(score, member) is false. Requires:
  // none after that one for which it is true.
  template <typename Before>
  size_t CountBefore(Before before) const;
  size_t RankOf(const RankedMember& member) const;
  // Requires: rank < size().
  Spot At(size_t rank) const;
  Spot First() const { return {first_, 0}; }

 private:
  struct Inner : Node {
    double scores[kInnerCapacity];
    RankedMember* members[kInnerCapacity];
    Node* children[kInnerCapacity];
    uint32_t counts[kInnerCapacity];
  };
  // Where a full node is split: in the middle, unless members come in order.
  enum class Split : uint8_t { kMiddle, kAtEnd, kAtStart };

  template <typename NodeType, typename Before>
  static uint32_t Partition(const NodeType& node, Before before);
  // The child that a member belongs to of which `reaches` says whether it is at or after another.
  template <typename Reaches>
  static uint32_t ChildFor(const Inner& node, Reaches reaches);
  static bool IsFull(const Node* node, int height);
  static uint32_t SplitPoint(uint32_t capacity, Split split);

  Leaf* NewLeaf();
  Inner* NewInner();
  void FreeNode(Node* node, int height);
  void FreeTree(Node* node, int height);
  void Unlink(Leaf* leaf);
  static size_t CountOf(const Node* node, int height);
  static void TakeLeast(Inner& parent, uint32_t i, int child_height);
  static void OpenGap(Inner& node, uint32_t at);
  static void CloseGap(Inner& node, uint32_t at);

  void GrowRoot();
  void ShrinkRoot();
  void SplitChild(Inner& parent, uint32_t i, int child_height, Split split);
  // After something was erased below the child.
  void Tend(Inner& parent, uint32_t i, int child_height);
  void Join(Inner& parent, uint32_t left, int child_height);

  Node* root_;
  int height_ = 0;  // of the root; leaves are at 0
  Leaf* first_;
  Leaf* last_;
  size_t size_ = 0;
  size_t allocated_bytes_ = 0;
};

template <typename NodeType, typename Before>
uint32_t RankedTree::Partition(const NodeType& node, Before before) {
  uint32_t from = 0;
  uint32_t left = node.size;
  while (left > 0) {
    const uint32_t half = left / 2;
    if (before(node.scores[from + half], node.members[from + half])) {
      from += half + 1;
      left -= half + 1;
    } else {
      left = half;
    }
  }
  return from;
}

template <typename Reaches>
uint32_t RankedTree::ChildFor(const Inner& node, Reaches reaches) {
  const uint32_t after = Partition(node, reaches);
  return after == 0 ? 0 : after - 1;
}

template <typename Before>
size_t RankedTree::CountBefore(Before before) const {
  size_t count = 0;
  const Node* node = root_;
  for (int height = height_; height > 0; --height) {
    const Inner& inner = *static_cast<const Inner*>(node);
    const uint32_t child = ChildFor(inner, before);
    for (uint32_t i = 0; i < child; ++i) count += inner.counts[i];
    node = inner.children[child];
  }
  return count + Partition(*static_cast<const Leaf*>(node), before);
}

}  // namespace lapse
