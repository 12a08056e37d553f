// Streams against a plain model, and their blocks' form.

#include "storage/values/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lapse {
namespace {

using ::testing::ElementsAre;

using Fields = std::vector<std::string>;
using Model = std::map<StreamId, Fields>;

void Append(Stream& stream, const StreamId& id, const Fields& fields,
            const Stream::Limits& limits = {}) {
  const std::vector<std::string_view> pairs(fields.begin(), fields.end());
  stream.Append(id, pairs, limits);
}

Fields FieldsOf(const StreamEntry& entry) {
  Fields fields;
  entry.ForEachPair([&](std::string_view field, std::string_view value) {
    fields.emplace_back(field);
    fields.emplace_back(value);
  });
  return fields;
}

std::vector<std::pair<StreamId, Fields>> Collect(StreamRange range) {
  std::vector<std::pair<StreamId, Fields>> found;
  StreamEntry entry;
  while (range.Next(entry)) found.emplace_back(entry.id, FieldsOf(entry));
  return found;
}

std::vector<std::pair<StreamId, Fields>> Between(const Model& model, const StreamId& first,
                                                 const StreamId& last) {
  if (first > last) return {};
  return {model.lower_bound(first), model.upper_bound(last)};
}

void ExpectSound(const Stream& stream) {
  size_t live = 0;
  for (const auto& [id, block] : stream.blocks()) {
    ASSERT_TRUE(Listpack::Validate(block.view()));
    ASSERT_TRUE(StreamBlock::Validate(Listpack(block.view())));
    live += block.live();
  }
  EXPECT_EQ(live, stream.size());
}

void ExpectSame(const Stream& stream, const Model& model, const StreamId& first,
                const StreamId& last) {
  auto expected = Between(model, first, last);
  EXPECT_EQ(Collect(StreamRange(stream, first, last)), expected);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(Collect(StreamRange(stream, first, last, StreamRange::Order::kBackward)), expected);
}

class Player {
 public:
  explicit Player(uint64_t seed) : random_(seed) {}

  void Play() {
    switch (Below(10)) {
      case 0:
        return Delete();
      case 1:
        return Trim();
      default:
        return Add();
    }
  }

  void Check() {
    ExpectSound(stream_);
    EXPECT_EQ(stream_.size(), model_.size());
    EXPECT_EQ(stream_.first_id(), model_.empty() ? StreamId{} : model_.begin()->first);
    EXPECT_EQ(stream_.LastEntryId(), model_.empty() ? StreamId{} : model_.rbegin()->first);
    ExpectSame(stream_, model_, {}, StreamId::Max());
    ExpectSame(stream_, model_, AnyId(), AnyId());
    const StreamId id = AnyId();
    EXPECT_EQ(stream_.Contains(id), model_.contains(id));
    const std::unique_ptr<Value> clone = stream_.Clone();
    EXPECT_EQ(clone->allocated_bytes() > sizeof(Stream), true);
    ExpectSame(static_cast<const Stream&>(*clone), model_, {}, StreamId::Max());
  }

 private:
  size_t Below(size_t bound) { return random_() % bound; }
  StreamId AnyId() { return {Below(last_.ms + 2), Below(5)}; }

  void Add() {
    last_.ms += Below(3) == 0 ? 1 : 0;
    last_.seq = Below(3) == 0 && last_ > stream_.last_id() ? Below(4) : last_.seq + 1;
    if (last_ <= stream_.last_id()) last_ = {stream_.last_id().ms + 1, 0};
    Fields fields = {"name", std::string(Below(30), 'v'), "number", std::to_string(Below(5000))};
    if (Below(4) == 0) fields = {std::to_string(Below(3)), "x"};
    Append(stream_, last_, fields, {.max_bytes = 400, .max_entries = 7});
    model_[last_] = fields;
  }

  void Delete() {
    std::vector<StreamId> ids;
    for (size_t i = Below(4); i > 0; --i) ids.push_back(AnyId());
    size_t expected = 0;
    for (const StreamId& id : ids) expected += model_.erase(id);
    EXPECT_EQ(stream_.Delete(ids), expected);
  }

  void Trim() {
    Stream::TrimRule rule;
    const size_t before = model_.size();
    if (Below(2) == 0) {
      rule.by = Stream::TrimRule::By::kLength;
      rule.length = static_cast<int64_t>(model_.size() - Below(model_.size() / 4 + 1));
      while (model_.size() > static_cast<size_t>(rule.length)) model_.erase(model_.begin());
    } else {
      rule.by = Stream::TrimRule::By::kId;
      rule.id = {Below(last_.ms / 2 + 1), Below(5)};
      model_.erase(model_.begin(), model_.lower_bound(rule.id));
    }
    EXPECT_EQ(stream_.Trim(rule), before - model_.size());
  }

  std::mt19937_64 random_;
  Stream stream_;
  Model model_;
  StreamId last_;
};

TEST(Stream, AgreesWithAMap) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Player player(seed);
    for (int i = 0; i < 400 && !testing::Test::HasFailure(); ++i) {
      player.Play();
      if (i % 10 == 0) player.Check();
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed;
  }
}

TEST(Stream, BlocksAreFullByTheLimits) {
  Stream stream;
  for (uint64_t i = 1; i <= 250; ++i) Append(stream, {i, 0}, {"f", "v"});
  EXPECT_EQ(stream.blocks().size(), 3u);
  Stream large;
  for (uint64_t i = 1; i <= 8; ++i) Append(large, {i, 0}, {"f", std::string(1000, 'v')});
  EXPECT_EQ(large.blocks().size(), 2u);
  Stream unlimited;
  for (uint64_t i = 1; i <= 250; ++i) Append(unlimited, {i, 0}, {"f", "v"}, {0, 0});
  EXPECT_EQ(unlimited.blocks().size(), 1u);
}

TEST(Stream, ApproximateTrimmingTakesWholeBlocks) {
  Stream stream;
  for (uint64_t i = 1; i <= 250; ++i) Append(stream, {i, 0}, {"f", "v"});
  Stream::TrimRule rule{.by = Stream::TrimRule::By::kLength, .approximate = true, .length = 120};
  EXPECT_EQ(stream.Trim(rule), 100u);
  EXPECT_EQ(stream.size(), 150u);
  rule.length = 0;
  rule.most = 60;
  EXPECT_EQ(stream.Trim(rule), 0u) << "a block has more than that";
}

TEST(Stream, BytesAreGivenBack) {
  Stream stream;
  const size_t empty = stream.allocated_bytes();
  for (uint64_t i = 1; i <= 1000; ++i) Append(stream, {i, 0}, {"f", std::to_string(i)});
  StreamGroup* const group = stream.AddGroup("g", {}, 0);
  StreamConsumer* const consumer = group->AddConsumer("c", 1);
  for (uint64_t i = 1; i <= 1000; ++i) group->Deliver({i, 0}, {consumer, 1, 1});
  EXPECT_GT(stream.allocated_bytes(), empty + 1000 * 40);
  EXPECT_EQ(stream.Clone()->allocated_bytes() / 1024, stream.allocated_bytes() / 1024);
  EXPECT_TRUE(group->Acknowledge({5, 0}));
  EXPECT_FALSE(group->Acknowledge({5, 0}));
  group->RemoveConsumer(consumer);
  EXPECT_TRUE(group->pending().empty());
  EXPECT_TRUE(stream.RemoveGroup("g"));
  stream.Trim({.by = Stream::TrimRule::By::kLength, .length = 0});
  EXPECT_EQ(stream.allocated_bytes(), empty);
  EXPECT_FALSE(stream.vanishes());
}

TEST(Stream, EntriesArePackedTightly) {
  Stream stream;
  for (uint64_t i = 0; i < 100'000; ++i) {
    Append(stream, {1'700'000'000'000 + i, 0}, {"temperature", std::to_string(i % 1000)});
  }
  EXPECT_LT(stream.allocated_bytes() / 100'000, 16u);
}

// --- Groups. ---

TEST(StreamGroup, AnEntryIsPendingForOneConsumer) {
  Stream stream;
  StreamGroup* const group = stream.AddGroup("g", {}, 0);
  EXPECT_EQ(stream.AddGroup("g", {}, 0), nullptr);
  StreamConsumer* const ada = group->AddConsumer("ada", 1);
  StreamConsumer* const bob = group->AddConsumer("bob", 1);
  group->Deliver({1, 0}, {ada, 1, 1});
  group->Deliver({3, 0}, {ada, 1, 1});
  group->Deliver({2, 0}, {ada, 1, 1});
  group->Deliver({1, 0}, {bob, 2, 2});
  EXPECT_THAT(ada->pending(), ElementsAre(StreamId{2, 0}, StreamId{3, 0}));
  EXPECT_THAT(bob->pending(), ElementsAre(StreamId{1, 0}));
  EXPECT_EQ(group->FindPending({1, 0})->consumer, bob);
  EXPECT_EQ(group->FindPending({1, 0})->count, 2u);
  EXPECT_EQ(group->FindPending({4, 0}), nullptr);
  group->RemoveConsumer(ada);
  EXPECT_EQ(group->pending().size(), 1u);
}

TEST(StreamGroup, CloneStandsOnItsOwn) {
  Stream stream;
  StreamGroup* const group = stream.AddGroup("g", {4, 0}, 3);
  group->Deliver({1, 0}, {group->AddConsumer("c", 7), 5, 2});
  const std::unique_ptr<Value> clone = stream.Clone();
  stream.RemoveGroup("g");
  const StreamGroup* const copy = static_cast<const Stream&>(*clone).FindGroup("g");
  ASSERT_NE(copy, nullptr);
  EXPECT_EQ(copy->last_id(), (StreamId{4, 0}));
  EXPECT_EQ(copy->entries_read(), 3);
  ASSERT_NE(copy->FindConsumer("c"), nullptr);
  EXPECT_EQ(copy->FindConsumer("c")->seen_ms(), 7);
  EXPECT_EQ(copy->FindPending({1, 0})->consumer, copy->FindConsumer("c"));
}

TEST(Stream, LagIsKnownUnlessSomethingAheadWasDeleted) {
  Stream stream;
  StreamGroup* const group = stream.AddGroup("g", {}, StreamGroup::kUnknown);
  EXPECT_EQ(stream.LagOf(*group), 0);
  for (uint64_t i = 1; i <= 5; ++i) Append(stream, {i, 0}, {"f", "v"});
  EXPECT_EQ(stream.LagOf(*group), 5);
  stream.NoteRead(*group, {1, 0});
  EXPECT_EQ(group->entries_read(), 1);
  const StreamId third[] = {{3, 0}};
  stream.Delete(third);
  EXPECT_EQ(stream.LagOf(*group), std::nullopt);
  for (const uint64_t ms : {2, 4, 5}) stream.NoteRead(*group, {ms, 0});
  EXPECT_EQ(stream.LagOf(*group), 0);
}

// --- Form. ---

TEST(StreamBlock, HasRedisForm) {
  Stream stream;
  Append(stream, {1000, 5}, {"f", "v"});
  Append(stream, {1001, 0}, {"f", "12"});
  Append(stream, {1002, 0}, {"g", "w", "h", "x"});
  const Listpack pack(stream.blocks().begin()->second.view());
  std::vector<std::string> elements;
  for (auto at = pack.begin(); at != pack.end(); at = pack.Next(at)) {
    char digits[24];
    elements.emplace_back(pack.Get(at).Text(digits));
  }
  EXPECT_THAT(elements, ElementsAre("3", "0", "1", "f", "0",    //
                                    "2", "0", "0", "v", "4",    //
                                    "2", "1", "-5", "12", "4",  //
                                    "0", "2", "-5", "2", "g", "w", "h", "x", "8"));
}

TEST(StreamBlock, ValidateRefusesWhatIsNoBlock) {
  Stream stream;
  for (uint64_t i = 1; i <= 3; ++i) Append(stream, {i, 0}, {"f", "v"});
  const std::string good(stream.blocks().begin()->second.view());
  EXPECT_TRUE(StreamBlock::Validate(Listpack(good)));
  EXPECT_FALSE(StreamBlock::Validate(Listpack()));
  Listpack pack(good);
  for (size_t i = 0; i < pack.size(); ++i) {
    Listpack shorter = pack;
    shorter.Erase(shorter.Seek(static_cast<int64_t>(i)));
    EXPECT_FALSE(StreamBlock::Validate(shorter)) << "without element " << i;
  }
  pack.ReplaceNumber(pack.begin(), 2);
  EXPECT_FALSE(StreamBlock::Validate(pack)) << "the count is wrong";
}

TEST(Stream, BlocksCanBeTakenOver) {
  Stream stream;
  for (uint64_t i = 1; i <= 250; ++i) Append(stream, {i, 0}, {"f", std::to_string(i)});
  Stream copy;
  for (const auto& [id, block] : stream.blocks()) copy.AddBlock(id, Listpack(block.view()));
  EXPECT_EQ(copy.size(), 250u);
  EXPECT_EQ(copy.first_id(), (StreamId{1, 0}));
  EXPECT_EQ(Collect(StreamRange(copy, {}, StreamId::Max())),
            Collect(StreamRange(stream, {}, StreamId::Max())));
}

// A trie over the ids' 16 bytes with its chains merged, counted the plain way.
size_t CountNodes(const std::set<std::string>& keys) {
  if (keys.size() == 1) return keys.begin()->empty() ? 1 : 2;
  const std::string& first = *keys.begin();
  const std::string& last = *keys.rbegin();
  size_t common = 0;
  while (first[common] == last[common]) ++common;
  size_t nodes = common > 0 ? 2 : 1;
  std::map<char, std::set<std::string>> children;
  for (const std::string& key : keys) children[key[common]].insert(key.substr(common + 1));
  for (const auto& [c, rest] : children) nodes += CountNodes(rest);
  return nodes;
}

TEST(Stream, RadixNodesAreThoseOfATrie) {
  EXPECT_EQ(Stream().RadixNodes(), 1u);
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    Stream stream;
    StreamId id{random() % 1000, 0};
    std::set<std::string> keys;
    for (size_t i = 1 + random() % 40; i > 0; --i) {
      id.ms += random() % 3 == 0 ? random() % 100'000 : 1;
      id.seq = random() % 3 == 0 ? random() % 70'000 : 0;
      Append(stream, id, {"f", "v"}, {.max_bytes = 1, .max_entries = 1});
      std::string key;
      for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(id.ms >> shift);
      for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>(id.seq >> shift);
      keys.insert(key);
    }
    EXPECT_EQ(stream.RadixNodes(), CountNodes(keys));
  }
}

TEST(StreamId, CountsUpAndDown) {
  StreamId id{1, UINT64_MAX};
  EXPECT_TRUE(id.Increment());
  EXPECT_EQ(id, (StreamId{2, 0}));
  EXPECT_TRUE(id.Decrement());
  EXPECT_EQ(id, (StreamId{1, UINT64_MAX}));
  EXPECT_EQ(id.ToString(), "1-18446744073709551615");
  id = StreamId::Max();
  EXPECT_FALSE(id.Increment());
  EXPECT_TRUE(id.IsZero());
  EXPECT_FALSE(id.Decrement());
}

}  // namespace
}  // namespace lapse
