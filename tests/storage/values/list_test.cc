// Lists: against a plain deque, and what their layout promises.

#include "storage/values/list.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace lapse {
namespace {

using End = List::End;

std::string TextOf(const PackedElement& element) {
  char digits[24];
  return std::string(element.Text(digits));
}

std::vector<std::string> Content(const List& list) {
  std::vector<std::string> content;
  list.ForEach(0, list.size(), [&](const PackedElement& e) { content.push_back(TextOf(e)); });
  return content;
}

size_t NodeSizes(const List& list) {
  size_t sum = 0;
  for (size_t i = 0; i < list.node_count(); ++i) {
    EXPECT_GT(list.NodeSize(i), 0u);
    sum += list.NodeSize(i);
  }
  return sum;
}

// Random operations on a list and on a deque.
class Model {
 public:
  Model(uint64_t seed, int64_t node_size, size_t longest)
      : random_(seed), list_(std::make_unique<List>(node_size)), longest_(longest) {}

  void Step() {
    switch (Below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return Push(End::kHead);
      case 5:
      case 6:
      case 7:
      case 8:
      case 9:
        return Push(End::kTail);
      case 10:
      case 11:
        return Pop(End::kHead);
      case 12:
      case 13:
        return Pop(End::kTail);
      case 14:
        return Set();
      case 15:
      case 16:
        return Insert();
      case 17:
        return Remove();
      case 18:
        return Erase();
      default:
        return Copy();
    }
  }

  void Compare() {
    ASSERT_EQ(list_->size(), model_.size());
    ASSERT_EQ(NodeSizes(*list_), model_.size());
    const std::vector<std::string> expected(model_.begin(), model_.end());
    ASSERT_EQ(Content(*list_), expected);
    // The running sum agrees with one made anew.
    size_t nodes = 0;
    for (size_t i = 0; i < list_->node_count(); ++i) nodes += list_->NodeElements(i).size();
    ASSERT_GE(list_->allocated_bytes(), nodes);
    if (model_.empty()) {
      ASSERT_EQ(list_->node_count(), 0u);
      return;
    }
    const size_t index = Below(model_.size());
    const List::Cursor at = list_->Seek(index);
    ASSERT_EQ(TextOf(list_->Get(at)), model_[index]);
    if (index > 0) {
      ASSERT_EQ(TextOf(list_->Get(list_->Prev(at))), model_[index - 1]);
    }
    if (index + 1 < model_.size()) {
      ASSERT_EQ(TextOf(list_->Get(list_->Next(at))), model_[index + 1]);
    }
  }

  void Drain() {
    while (!model_.empty()) Pop(Below(2) == 0 ? End::kHead : End::kTail);
    EXPECT_EQ(list_->node_count(), 0u);
    EXPECT_EQ(list_->encoding(), Encoding::kListpack);
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }

  std::string Element() {
    if (Below(3) == 0) return std::to_string(static_cast<int64_t>(random_()) >> Below(64));
    if (Below(100) == 0) return std::string(Below(20'000), 'L');
    std::string text = "e" + std::to_string(Below(10));
    text.resize(Below(4) == 0 ? Below(longest_) : text.size(), 'x');
    return text;
  }

  void Push(End end) {
    const std::string element = Element();
    list_->Push(end, element);
    end == End::kHead ? model_.push_front(element) : model_.push_back(element);
  }

  void Pop(End end) {
    if (model_.empty()) return;
    EXPECT_EQ(TextOf(list_->Peek(end)), end == End::kHead ? model_.front() : model_.back());
    list_->Pop(end);
    end == End::kHead ? model_.pop_front() : model_.pop_back();
  }

  void Set() {
    if (model_.empty()) return;
    const size_t index = Below(model_.size());
    const std::string element = Element();
    list_->Set(index, element);
    model_[index] = element;
  }

  void Insert() {
    if (model_.empty()) return;
    const size_t index = Below(model_.size());
    const std::string element = Element();
    const bool after = Below(2) == 0;
    const List::Cursor at = list_->Seek(index);
    after ? list_->InsertAfter(at, element) : list_->InsertBefore(at, element);
    model_.insert(model_.begin() + static_cast<ptrdiff_t>(index + (after ? 1 : 0)), element);
  }

  void Remove() {
    if (model_.empty() || Below(4) > 0) return;
    const std::string element = model_[Below(model_.size())];
    const bool from_tail = Below(2) == 0;
    const size_t most = Below(3) == 0 ? model_.size() : 1 + Below(4);
    size_t removed = 0;
    if (from_tail) {
      for (size_t i = model_.size(); i-- > 0 && removed < most;) {
        if (model_[i] != element) continue;
        model_.erase(model_.begin() + static_cast<ptrdiff_t>(i));
        ++removed;
      }
    } else {
      for (size_t i = 0; i < model_.size() && removed < most;) {
        if (model_[i] != element) {
          ++i;
          continue;
        }
        model_.erase(model_.begin() + static_cast<ptrdiff_t>(i));
        ++removed;
      }
    }
    EXPECT_EQ(list_->Remove(element, most, from_tail), removed);
  }

  void Erase() {
    const size_t from = Below(model_.size() + 1);
    size_t count = Below(model_.size() - from + 1);
    if (Below(3) > 0) count = std::min<size_t>(count, 5);
    list_->Erase(from, count);
    const auto begin = model_.begin() + static_cast<ptrdiff_t>(from);
    model_.erase(begin, begin + static_cast<ptrdiff_t>(count));
  }

  void Copy() {
    if (Below(10) > 0) return;
    std::unique_ptr<Value> copy = list_->Clone();
    EXPECT_EQ(copy->size(), list_->size());
    EXPECT_EQ(copy->encoding(), list_->encoding());
    list_.reset(static_cast<List*>(copy.release()));
  }

  std::mt19937_64 random_;
  std::unique_ptr<List> list_;
  std::deque<std::string> model_;
  const size_t longest_;
};

void PlayModel(uint64_t seed, int64_t node_size, size_t longest) {
  constexpr int kSteps = 6000;
  Model model(seed, node_size, longest);
  for (int i = 0; i < kSteps && !testing::Test::HasFatalFailure(); ++i) {
    model.Step();
    if (i % 20 == 0) model.Compare();
  }
  model.Drain();
}

TEST(ListModel, SmallElements) { PlayModel(1, -2, 20); }
TEST(ListModel, LargeElements) { PlayModel(2, -2, 3000); }
TEST(ListModel, SmallNodes) { PlayModel(3, -1, 200); }
TEST(ListModel, NodesOfFewElements) { PlayModel(4, 3, 100); }
TEST(ListModel, NodesOfOneElement) { PlayModel(5, 1, 100); }

TEST(List, EncodingFollowsSize) {
  List list;
  EXPECT_EQ(list.encoding(), Encoding::kListpack);
  for (int i = 0; i < 100; ++i) list.Push(End::kTail, "small");
  EXPECT_EQ(list.encoding(), Encoding::kListpack);
  const std::string large(100, 'x');
  while (list.node_count() < 2) list.Push(End::kTail, large);
  EXPECT_EQ(list.encoding(), Encoding::kQuicklist);
  // Not at once when it fits one node again, but once that is half empty.
  while (list.node_count() > 1) list.Pop(End::kTail);
  EXPECT_EQ(list.encoding(), Encoding::kQuicklist);
  while (list.size() > 10) list.Pop(End::kTail);
  EXPECT_EQ(list.encoding(), Encoding::kListpack);
}

TEST(List, LargeElementMakesAQuicklist) {
  List list;
  list.Push(End::kTail, std::string(9000, 'x'));
  EXPECT_EQ(list.encoding(), Encoding::kQuicklist);
  EXPECT_EQ(list.node_count(), 1u);
  list.Push(End::kTail, "small");
  EXPECT_EQ(list.node_count(), 2u);
}

// What Redis would take for the same: nodes of 8 KiB that are full.
TEST(List, NodesAreFull) {
  constexpr size_t kElements = 100'000;
  for (const End end : {End::kHead, End::kTail}) {
    List list;
    for (size_t i = 0; i < kElements; ++i) list.Push(end, "0123456789abcde");
    const double bytes = static_cast<double>(list.allocated_bytes());
    // An opening and a tail are two bytes, and a node leaves at most one element's room.
    EXPECT_LT(bytes / kElements, 17.0 * 1.02);
  }
}

TEST(List, QueueStaysSmall) {
  List list;
  for (int i = 0; i < 5; ++i) list.Push(End::kHead, "waiting");
  for (int i = 0; i < 100'000; ++i) {
    list.Push(End::kHead, "passing");
    list.Pop(End::kTail);
  }
  EXPECT_EQ(list.node_count(), 1u);
  EXPECT_LT(list.allocated_bytes(), 400u);
}

TEST(List, MemoryGoesWithTheElements) {
  List list;
  const size_t before = list.allocated_bytes();
  for (int i = 0; i < 1000; ++i) list.Push(End::kTail, "0123456789");
  while (list.size() > 3) list.Pop(End::kHead);
  EXPECT_LT(list.allocated_bytes(), before + 400);
}

TEST(List, NodesGoIntoAnother) {
  List list;
  for (int i = 0; i < 5000; ++i) list.Push(End::kTail, std::to_string(i * 7919));
  List other;
  for (size_t i = 0; i < list.node_count(); ++i) {
    other.AppendNode(list.NodeElements(i), list.NodeSize(i));
  }
  EXPECT_EQ(Content(other), Content(list));
}

}  // namespace
}  // namespace lapse
