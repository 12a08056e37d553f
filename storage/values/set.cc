#include "storage/values/set.h"

#include <algorithm>

#include "storage/allocator.h"

namespace lapse {
namespace {

// Listpacks stay far below the length that their format allows, whatever is configured.
constexpr size_t kMostPackedBytes = size_t{1} << 30;
constexpr size_t kMostIntsetEntries = size_t{1} << 30;

size_t IntsetLimit(const Set::Limits& limits) {
  return std::min(limits.intset_entries, kMostIntsetEntries);
}

size_t DigitsOf(int64_t number) {
  char digits[kMaxInt64Chars];
  return FormatInt64(number, digits);
}

}  // namespace

Encoding Set::encoding() const {
  if (intset() != nullptr) return Encoding::kIntset;
  return listpack() != nullptr ? Encoding::kListpack : Encoding::kHashtable;
}

size_t Set::size() const {
  return std::visit([](const auto& members) { return members.size(); }, members_);
}

size_t Set::allocated_bytes() const {
  return AllocationSize(sizeof(Set)) +
         std::visit([](const auto& members) { return members.allocated_bytes(); }, members_);
}

void Set::Expect(std::string_view first, size_t members, const Limits& limits) {
  if (const Intset* const numbers = intset()) {
    int64_t number = 0;
    const bool fits =
        members <= IntsetLimit(limits) && (!numbers->empty() || ParseInt64(first, number));
    if (fits) return;
    if (numbers->empty() && members <= limits.listpack_entries) return TurnIntoListpack();
    TurnIntoTable();
  } else if (listpack() != nullptr && members > limits.listpack_entries) {
    TurnIntoTable();
  }
}

bool Set::Add(std::string_view member, const Limits& limits) {
  if (auto* const members = std::get_if<MemberTable>(&members_)) return members->Insert(member);
  if (listpack() != nullptr) return AddToListpack(member, limits);
  return AddToIntset(member, limits);
}

bool Set::AddToIntset(std::string_view member, const Limits& limits) {
  auto& numbers = std::get<Intset>(members_);
  int64_t number = 0;
  if (ParseInt64(member, number)) {
    if (!numbers.Insert(number)) return false;
    if (numbers.size() > IntsetLimit(limits)) TurnIntoTable();
    return true;
  }
  size_t longest = member.size();
  if (!numbers.empty()) {
    longest =
        std::max({longest, DigitsOf(numbers.at(0)), DigitsOf(numbers.at(numbers.size() - 1))});
  }
  if (numbers.size() < limits.listpack_entries && longest <= limits.listpack_value) {
    TurnIntoListpack();
    std::get<Listpack>(members_).Append(member);
    return true;
  }
  return TurnIntoTable().Insert(member);
}

bool Set::AddToListpack(std::string_view member, const Limits& limits) {
  auto& packed = std::get<Listpack>(members_);
  if (packed.Find(member, packed.begin()) != packed.end()) return false;
  if (packed.size() < limits.listpack_entries && member.size() <= limits.listpack_value &&
      packed.bytes() + member.size() < kMostPackedBytes) {
    packed.Append(member);
    return true;
  }
  return TurnIntoTable().Insert(member);
}

bool Set::Remove(std::string_view member) {
  if (auto* const table = std::get_if<MemberTable>(&members_)) return table->Erase(member);
  if (auto* const packed = std::get_if<Listpack>(&members_)) {
    const auto at = packed->Find(member, packed->begin());
    if (at == packed->end()) return false;
    packed->Erase(at);
    return true;
  }
  int64_t number = 0;
  return ParseInt64(member, number) && std::get<Intset>(members_).Erase(number);
}

bool Set::Contains(std::string_view member) const {
  if (const Intset* const numbers = intset()) {
    int64_t number = 0;
    return ParseInt64(member, number) && numbers->Contains(number);
  }
  if (const Listpack* const packed = listpack()) {
    return packed->Find(member, packed->begin()) != packed->end();
  }
  return table().Contains(member);
}

std::string Set::Pop(absl::InsecureBitGen& random) {
  std::string popped;
  if (auto* const numbers = std::get_if<Intset>(&members_)) {
    const auto i = absl::Uniform<size_t>(random, 0, numbers->size());
    popped = FormatInt64(numbers->at(i));
    numbers->EraseAt(i);
    return popped;
  }
  VisitRandom(random, [&](std::string_view member) { popped = member; });
  Remove(popped);
  return popped;
}

void Set::TurnIntoListpack() {
  Listpack packed;
  ForEach([&](std::string_view member) { packed.Append(member); });
  members_ = std::move(packed);
}

MemberTable& Set::TurnIntoTable() {
  MemberTable table;
  ForEach([&](std::string_view member) { table.Insert(member); });
  return members_.emplace<MemberTable>(std::move(table));
}

}  // namespace lapse
