#include "storage/persist/value_reader.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "protocol/number.h"
#include "storage/persist/stream_format.h"
#include "storage/persist/ziplist.h"
#include "storage/values/list.h"

namespace lapse {
namespace {

using Position = Listpack::Position;
using rdb::Type;

// Deadlines of fields are below this, as the commands that set them have it.
constexpr int64_t kMaxFieldDeadline = int64_t{1} << 46;

// The least bytes of an element.
constexpr size_t kLeastText = 1;
constexpr size_t kLeastPair = 2;

Listpack ReadListpack(RdbReader& in) {
  const std::string_view bytes = in.Text();
  if (in.ok() && Listpack::Validate(bytes)) return Listpack(bytes);
  in.Fail();
  return {};
}

Listpack ReadZiplist(RdbReader& in) {
  Listpack list;
  in.Require(lapse::ReadZiplist(in.Text(), list));
  return list;
}

// A packed list of records of so many elements, at least one, and no two with the same first
// element.
bool HoldsRecords(const Listpack& list, size_t width) {
  if (list.empty() || list.size() % width != 0) return false;
  absl::flat_hash_set<std::string> names;
  char digits[24];
  for (Position at = list.begin(); at != list.end();) {
    if (!names.emplace(list.Get(at).Text(digits)).second) return false;
    for (size_t i = 0; i < width; ++i) at = list.Next(at);
  }
  return true;
}

Listpack ReadRecords(RdbReader& in, bool ziplist, size_t width) {
  Listpack list = ziplist ? ReadZiplist(in) : ReadListpack(in);
  in.Require(HoldsRecords(list, width));
  return list;
}

// --- lists ---

void AppendPacked(List& list, const Listpack& packed) {
  constexpr size_t kHeaderBytes = 6;
  constexpr size_t kFrameBytes = kHeaderBytes + 1;
  if (packed.empty()) return;
  const std::string_view elements =
      packed.view().substr(kHeaderBytes, packed.bytes() - kFrameBytes);
  if (list.FitsNode(elements.size(), packed.size())) {
    return list.AppendNode(elements, packed.size());
  }
  char digits[24];
  for (Position at = packed.begin(); at != packed.end(); at = packed.Next(at)) {
    list.Push(List::End::kTail, packed.Get(at).Text(digits));
  }
}

void ReadNode(RdbReader& in, List& list) {
  switch (in.Length()) {
    case rdb::kPlainNode: {
      const std::string_view element = in.Text();
      if (in.ok()) list.Push(List::End::kTail, element);
      return;
    }
    case rdb::kPackedNode:
      return AppendPacked(list, ReadListpack(in));
    default:
      return in.Fail();
  }
}

std::unique_ptr<Value> ReadList(RdbReader& in, Type type, const ValueLimits& limits) {
  auto list = std::make_unique<List>(limits.list_node_size);
  uint64_t left = type == Type::kListZiplist ? 1 : in.Count(kLeastText);
  for (; in.ok() && left > 0; --left) {
    if (type == Type::kListNodes) {
      ReadNode(in, *list);
    } else if (type == Type::kList) {
      const std::string_view element = in.Text();
      if (in.ok()) list->Push(List::End::kTail, element);
    } else {
      AppendPacked(*list, ReadZiplist(in));
    }
  }
  return list;
}

// --- sets ---

// Adds members that come one by one, so many in all.
class SetBuilder {
 public:
  SetBuilder(uint64_t members, const Set::Limits& limits) : members_(members), limits_(limits) {}

  // False: it is there already.
  bool Add(std::string_view member) {
    // More are made room for as they come: nobody has promised that they differ.
    constexpr uint64_t kMostExpected = 1 << 20;
    if (set_->size() == 0) set_->Expect(member, std::min(members_, kMostExpected), limits_);
    return set_->Add(member, limits_);
  }
  std::unique_ptr<Value> Take() { return std::move(set_); }

 private:
  const uint64_t members_;
  const Set::Limits limits_;
  std::unique_ptr<Set> set_ = std::make_unique<Set>();
};

std::unique_ptr<Value> ReadIntset(RdbReader& in, const Set::Limits& limits) {
  const std::string_view bytes = in.Text();
  in.Require(Intset::Validate(bytes));
  if (!in.ok()) return nullptr;
  Intset numbers(bytes);
  if (numbers.size() <= limits.intset_entries) return std::make_unique<Set>(std::move(numbers));
  SetBuilder builder(numbers.size(), limits);
  for (size_t i = 0; i < numbers.size(); ++i) builder.Add(FormatInt64(numbers.at(i)));
  return builder.Take();
}

std::unique_ptr<Value> ReadSet(RdbReader& in, Type type, const Set::Limits& limits) {
  if (type == Type::kIntset) return ReadIntset(in, limits);
  if (type == Type::kSetListpack) {
    Listpack packed = ReadRecords(in, false, 1);
    if (packed.size() <= limits.listpack_entries) return std::make_unique<Set>(std::move(packed));
    SetBuilder builder(packed.size(), limits);
    char digits[24];
    for (Position at = packed.begin(); at != packed.end(); at = packed.Next(at)) {
      builder.Add(packed.Get(at).Text(digits));
    }
    return builder.Take();
  }
  uint64_t left = in.Count(kLeastText);
  SetBuilder builder(left, limits);
  for (; in.ok() && left > 0; --left) {
    const std::string_view member = in.Text();
    in.Require(in.ok() && builder.Add(member));
  }
  return builder.Take();
}

// --- sorted sets ---

bool ScoreOf(const Listpack::Element& element, double& score) {
  if (!element.is_number) return ParseDouble(element.text, score);
  score = static_cast<double>(element.number);
  return true;
}

std::unique_ptr<Value> ReadPackedSortedSet(RdbReader& in, bool ziplist,
                                           const SortedSet::Limits& limits) {
  Listpack packed = ReadRecords(in, ziplist, 2);
  bool in_order = true;
  auto set = std::make_unique<SortedSet>();
  const bool fits = packed.size() / 2 <= limits.entries;
  std::string last_member;
  double last_score = 0;
  char digits[24];
  for (Position at = packed.begin(); in.ok() && at != packed.end();) {
    const std::string_view member = packed.Get(at).Text(digits);
    double score = 0;
    const Position second = packed.Next(at);
    in.Require(ScoreOf(packed.Get(second), score));
    in_order &= at == packed.begin() || std::pair<double, std::string_view>(
                                            last_score, last_member) < std::pair(score, member);
    if (!fits) set->Set(member, score, limits);
    last_member = member;
    last_score = score;
    at = packed.Next(second);
  }
  if (!fits) return set;
  in.Require(in_order);
  return std::make_unique<SortedSet>(std::move(packed));
}

std::unique_ptr<Value> ReadSortedSet(RdbReader& in, Type type, const SortedSet::Limits& limits) {
  if (type == Type::kSortedSetListpack || type == Type::kSortedSetZiplist) {
    return ReadPackedSortedSet(in, type == Type::kSortedSetZiplist, limits);
  }
  auto set = std::make_unique<SortedSet>();
  const bool binary = type == Type::kSortedSet;
  uint64_t left = in.Count(kLeastText + (binary ? sizeof(double) : 1));
  for (; in.ok() && left > 0; --left) {
    const std::string member(in.Text());
    const double score = binary ? in.Double() : in.DecimalDouble();
    in.Require(in.ok() && !std::isnan(score) &&
               set->Set(member, score, limits) == SortedSet::Outcome::kAdded);
  }
  return set;
}

// --- hashes ---

// Deadlines are numbers, 0 for none, and ascend; those without one come last.
bool DeadlinesAscend(const Listpack& list) {
  int64_t last = 0;
  bool ended = false;
  for (Position at = list.begin(); at != list.end(); at = list.Next(at)) {
    at = list.Next(list.Next(at));
    const Listpack::Element deadline = list.Get(at);
    if (!deadline.is_number || deadline.number < 0 || deadline.number >= kMaxFieldDeadline) {
      return false;
    }
    if (deadline.number != 0 && (ended || deadline.number < last)) return false;
    ended |= deadline.number == 0;
    last = deadline.number;
  }
  return true;
}

std::unique_ptr<Value> ReadPackedHash(RdbReader& in, Type type, const Hash::Limits& limits) {
  const bool deadlines = type == Type::kHashListpackDeadlines;
  if (deadlines) in.Millis();  // the earliest, which stands in front as well
  const size_t width = deadlines ? 3 : 2;
  Listpack packed = ReadRecords(in, type == Type::kHashZiplist, width);
  if (in.ok() && deadlines) in.Require(DeadlinesAscend(packed));
  if (!in.ok()) return nullptr;
  const size_t fields = packed.size() / width;
  auto hash = std::make_unique<Hash>(std::move(packed), deadlines);
  if (fields <= limits.fields) return hash;
  auto table = std::make_unique<Hash>();
  hash->Visit([&](const Hash::Text& name, const Hash::Text& value, int64_t deadline) {
    char name_digits[24];
    char value_digits[24];
    table->Set(name.Text(name_digits), value.Text(value_digits), deadline, limits);
  });
  return table;
}

std::unique_ptr<Value> ReadHash(RdbReader& in, Type type, const Hash::Limits& limits) {
  if (type != Type::kHash && type != Type::kHashDeadlines) return ReadPackedHash(in, type, limits);
  auto hash = std::make_unique<Hash>();
  const bool deadlines = type == Type::kHashDeadlines;
  const int64_t earliest = deadlines ? in.Millis() : 0;
  uint64_t left = in.Count(kLeastPair);
  for (; in.ok() && left > 0; --left) {
    int64_t deadline = kNoDeadline;
    if (const uint64_t after = deadlines ? in.Length() : 0; after > 0) {
      in.Require(earliest > 0 && earliest < kMaxFieldDeadline && after <= kMaxFieldDeadline);
      if (in.ok()) deadline = earliest + static_cast<int64_t>(after) - 1;
      in.Require(deadline < kMaxFieldDeadline);
    }
    const std::string name(in.Text());
    const std::string_view value = in.Text();
    in.Require(in.ok() && hash->Set(name, value, deadline, limits));
  }
  return hash;
}

std::unique_ptr<Value> ReadCollection(RdbReader& in, Type type, const ValueLimits& limits) {
  switch (type) {
    case Type::kList:
    case Type::kListZiplist:
    case Type::kListZiplists:
    case Type::kListNodes:
      return ReadList(in, type, limits);
    case Type::kSet:
    case Type::kIntset:
    case Type::kSetListpack:
      return ReadSet(in, type, limits.set);
    case Type::kSortedSetText:
    case Type::kSortedSet:
    case Type::kSortedSetZiplist:
    case Type::kSortedSetListpack:
      return ReadSortedSet(in, type, limits.sorted_set);
    case Type::kHash:
    case Type::kHashZiplist:
    case Type::kHashListpack:
    case Type::kHashDeadlines:
    case Type::kHashListpackDeadlines:
      return ReadHash(in, type, limits.hash);
    case Type::kStream:
    case Type::kStream2:
    case Type::kStream3:
      return ReadStream(in, type);
    default:
      return nullptr;
  }
}

}  // namespace

std::optional<ReadResult> ReadValue(RdbReader& in, uint8_t tag, const ValueLimits& limits) {
  const auto type = static_cast<Type>(tag);
  ReadResult result;
  if (type == Type::kString) {
    result.text = in.Text();
  } else {
    result.collection = ReadCollection(in, type, limits);
    in.Require(result.collection != nullptr && !result.collection->vanishes());
  }
  if (!in.ok()) return std::nullopt;
  return result;
}

}  // namespace lapse
