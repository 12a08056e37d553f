#include "storage/values/ranked_tree.h"

#include <algorithm>
#include <array>

#include "absl/base/macros.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

// Each level needs the one below to have been split 70 times over, so this is never reached.
constexpr size_t kMaxHeight = 16;

// Whether a member in the tree is the given one or before it.
struct AtOrBefore {
  double score;
  std::string_view text;

  explicit AtOrBefore(const RankedMember& member) : score(member.score()), text(member.text()) {}
  bool operator()(double their_score, const RankedMember* theirs) const {
    return their_score < score || (their_score == score && theirs->text() <= text);
  }
};

template <typename T>
void MoveUp(T* array, uint32_t size, uint32_t at) {
  std::copy_backward(array + at, array + size, array + size + 1);
}

template <typename T>
void MoveDown(T* array, uint32_t size, uint32_t at) {
  std::copy(array + at + 1, array + size, array + at);
}

}  // namespace

RankedTree::RankedTree() {
  first_ = last_ = NewLeaf();
  root_ = first_;
}

RankedTree::~RankedTree() { FreeTree(root_, height_); }

RankedTree::Leaf* RankedTree::NewLeaf() {
  allocated_bytes_ += AllocationSize(sizeof(Leaf));
  return new Leaf;
}

RankedTree::Inner* RankedTree::NewInner() {
  allocated_bytes_ += AllocationSize(sizeof(Inner));
  return new Inner;
}

void RankedTree::FreeNode(Node* node, int height) {
  if (height > 0) {
    allocated_bytes_ -= AllocationSize(sizeof(Inner));
    delete static_cast<Inner*>(node);
  } else {
    allocated_bytes_ -= AllocationSize(sizeof(Leaf));
    delete static_cast<Leaf*>(node);
  }
}

void RankedTree::FreeTree(Node* node, int height) {
  if (height > 0) {
    const Inner& inner = *static_cast<const Inner*>(node);
    for (uint32_t i = 0; i < inner.size; ++i) FreeTree(inner.children[i], height - 1);
  }
  FreeNode(node, height);
}

bool RankedTree::IsFull(const Node* node, int height) {
  return node->size == (height > 0 ? kInnerCapacity : kLeafCapacity);
}

uint32_t RankedTree::SplitPoint(uint32_t capacity, Split split) {
  if (split == Split::kMiddle) return capacity / 2;
  return split == Split::kAtEnd ? capacity - 1 : 1;
}

size_t RankedTree::CountOf(const Node* node, int height) {
  if (height == 0) return node->size;
  const Inner& inner = *static_cast<const Inner*>(node);
  size_t count = 0;
  for (uint32_t i = 0; i < inner.size; ++i) count += inner.counts[i];
  return count;
}

// Has the parent know the least member below its child.
void RankedTree::TakeLeast(Inner& parent, uint32_t i, int child_height) {
  const Node* child = parent.children[i];
  if (child_height > 0) {
    parent.scores[i] = static_cast<const Inner*>(child)->scores[0];
    parent.members[i] = static_cast<const Inner*>(child)->members[0];
  } else {
    parent.scores[i] = static_cast<const Leaf*>(child)->scores[0];
    parent.members[i] = static_cast<const Leaf*>(child)->members[0];
  }
}

void RankedTree::OpenGap(Inner& node, uint32_t at) {
  MoveUp(node.scores, node.size, at);
  MoveUp(node.members, node.size, at);
  MoveUp(node.children, node.size, at);
  MoveUp(node.counts, node.size, at);
  ++node.size;
}

void RankedTree::CloseGap(Inner& node, uint32_t at) {
  MoveDown(node.scores, node.size, at);
  MoveDown(node.members, node.size, at);
  MoveDown(node.children, node.size, at);
  MoveDown(node.counts, node.size, at);
  --node.size;
}

// --- Insertion. ---

void RankedTree::GrowRoot() {
  Inner* const root = NewInner();
  root->size = 1;
  root->children[0] = root_;
  root->counts[0] = static_cast<uint32_t>(size_);
  TakeLeast(*root, 0, height_);
  root_ = root;
  ++height_;
}

void RankedTree::SplitChild(Inner& parent, uint32_t i, int child_height, Split split) {
  Node* fresh;
  if (child_height > 0) {
    Inner* const left = static_cast<Inner*>(parent.children[i]);
    Inner* const right = NewInner();
    const uint32_t at = SplitPoint(kInnerCapacity, split);
    right->size = left->size - at;
    std::copy_n(left->scores + at, right->size, right->scores);
    std::copy_n(left->members + at, right->size, right->members);
    std::copy_n(left->children + at, right->size, right->children);
    std::copy_n(left->counts + at, right->size, right->counts);
    left->size = at;
    fresh = right;
  } else {
    Leaf* const left = static_cast<Leaf*>(parent.children[i]);
    Leaf* const right = NewLeaf();
    const uint32_t at = SplitPoint(kLeafCapacity, split);
    right->size = left->size - at;
    std::copy_n(left->scores + at, right->size, right->scores);
    std::copy_n(left->members + at, right->size, right->members);
    left->size = at;
    right->previous = left;
    right->next = left->next;
    (left->next != nullptr ? left->next->previous : last_) = right;
    left->next = right;
    fresh = right;
  }
  OpenGap(parent, i + 1);
  parent.children[i + 1] = fresh;
  parent.counts[i + 1] = static_cast<uint32_t>(CountOf(fresh, child_height));
  parent.counts[i] -= parent.counts[i + 1];
  TakeLeast(parent, i + 1, child_height);
}

void RankedTree::Insert(RankedMember* member) {
  const AtOrBefore reaches(*member);
  Split split = Split::kMiddle;
  if (size_ > 0) {
    if (reaches(last_->scores[last_->size - 1], last_->members[last_->size - 1])) {
      split = Split::kAtEnd;
    } else if (!reaches(first_->scores[0], first_->members[0])) {
      split = Split::kAtStart;
    }
  }
  if (IsFull(root_, height_)) GrowRoot();
  Node* node = root_;
  for (int height = height_; height > 0; --height) {
    Inner& inner = *static_cast<Inner*>(node);
    uint32_t i = ChildFor(inner, reaches);
    if (IsFull(inner.children[i], height - 1)) {
      SplitChild(inner, i, height - 1, split);
      if (reaches(inner.scores[i + 1], inner.members[i + 1])) ++i;
    }
    ++inner.counts[i];
    if (i == 0 && !reaches(inner.scores[0], inner.members[0])) {
      inner.scores[0] = member->score();
      inner.members[0] = member;
    }
    node = inner.children[i];
  }
  Leaf& leaf = *static_cast<Leaf*>(node);
  const uint32_t at = Partition(leaf, reaches);
  MoveUp(leaf.scores, leaf.size, at);
  MoveUp(leaf.members, leaf.size, at);
  ++leaf.size;
  leaf.scores[at] = member->score();
  leaf.members[at] = member;
  ++size_;
}

// --- Removal. ---

void RankedTree::Unlink(Leaf* leaf) {
  (leaf->previous != nullptr ? leaf->previous->next : first_) = leaf->next;
  (leaf->next != nullptr ? leaf->next->previous : last_) = leaf->previous;
}

// Moves all of the right neighbour into the child at `left`.
void RankedTree::Join(Inner& parent, uint32_t left, int child_height) {
  Node* const from = parent.children[left + 1];
  if (child_height > 0) {
    Inner& target = *static_cast<Inner*>(parent.children[left]);
    const Inner& source = *static_cast<const Inner*>(from);
    std::copy_n(source.scores, source.size, target.scores + target.size);
    std::copy_n(source.members, source.size, target.members + target.size);
    std::copy_n(source.children, source.size, target.children + target.size);
    std::copy_n(source.counts, source.size, target.counts + target.size);
    target.size += source.size;
  } else {
    Leaf& target = *static_cast<Leaf*>(parent.children[left]);
    const Leaf& source = *static_cast<const Leaf*>(from);
    std::copy_n(source.scores, source.size, target.scores + target.size);
    std::copy_n(source.members, source.size, target.members + target.size);
    target.size += source.size;
    Unlink(static_cast<Leaf*>(from));
  }
  parent.counts[left] += parent.counts[left + 1];
  FreeNode(from, child_height);
  CloseGap(parent, left + 1);
}

void RankedTree::Tend(Inner& parent, uint32_t i, int child_height) {
  Node* const child = parent.children[i];
  if (child->size == 0) {
    if (child_height == 0) Unlink(static_cast<Leaf*>(child));
    FreeNode(child, child_height);
    CloseGap(parent, i);
    return;
  }
  TakeLeast(parent, i, child_height);
  const uint32_t capacity = child_height > 0 ? kInnerCapacity : kLeafCapacity;
  if (child->size >= capacity / 4) return;
  const uint32_t room = capacity - capacity / 4;
  const auto fits = [&](uint32_t neighbour) {
    return parent.children[neighbour]->size + child->size <= room;
  };
  if (i + 1 < parent.size && fits(i + 1)) {
    Join(parent, i, child_height);
  } else if (i > 0 && fits(i - 1)) {
    Join(parent, i - 1, child_height);
  }
}

void RankedTree::ShrinkRoot() {
  while (height_ > 0 && root_->size <= 1) {
    Inner* const old = static_cast<Inner*>(root_);
    const bool has_child = old->size == 1;
    if (has_child) {
      root_ = old->children[0];
      --height_;
      FreeNode(old, height_ + 1);
      continue;
    }
    FreeNode(old, height_);
    height_ = 0;
    first_ = last_ = NewLeaf();
    root_ = first_;
  }
}

void RankedTree::Erase(const RankedMember* member) {
  struct Step {
    Inner* node;
    uint32_t child;
  };
  std::array<Step, kMaxHeight> way;
  const AtOrBefore reaches(*member);
  Node* node = root_;
  for (int height = height_; height > 0; --height) {
    Inner& inner = *static_cast<Inner*>(node);
    const uint32_t child = ChildFor(inner, reaches);
    --inner.counts[child];
    way[static_cast<size_t>(height)] = {&inner, child};
    node = inner.children[child];
  }
  Leaf& leaf = *static_cast<Leaf*>(node);
  const uint32_t after = Partition(leaf, reaches);
  ABSL_HARDENING_ASSERT(after > 0 && leaf.members[after - 1] == member);
  MoveDown(leaf.scores, leaf.size, after - 1);
  MoveDown(leaf.members, leaf.size, after - 1);
  --leaf.size;
  --size_;
  const int top = height_;
  for (int height = 1; height <= top; ++height) {
    const Step& step = way[static_cast<size_t>(height)];
    Tend(*step.node, step.child, height - 1);
  }
  ShrinkRoot();
}

// --- Lookup. ---

size_t RankedTree::RankOf(const RankedMember& member) const {
  return CountBefore(AtOrBefore(member)) - 1;
}

RankedTree::Spot RankedTree::At(size_t rank) const {
  const Node* node = root_;
  for (int height = height_; height > 0; --height) {
    const Inner& inner = *static_cast<const Inner*>(node);
    uint32_t child = 0;
    while (rank >= inner.counts[child]) rank -= inner.counts[child++];
    node = inner.children[child];
  }
  return {static_cast<const Leaf*>(node), static_cast<uint32_t>(rank)};
}

}  // namespace lapse
