// A set of texts, in one of three representations:
//
//   intset      all members are integers, and they are few      sorted array
//   listpack    few members, and none is long                   packed list, found by walking
//   hashtable   anything else                                   MemberTable
//
// A set begins as an intset, whatever comes, and turns into a listpack or a hashtable when a member
// or its size makes it; it never turns back. The limits come with each addition, for they may be
// configured at any time.
//
// A text that is the one spelling of a 64-bit integer is that integer: "7" is, "07" is not.
//
// Thread: the holder of the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "absl/random/random.h"
#include "protocol/number.h"
#include "storage/value.h"
#include "storage/values/intset.h"
#include "storage/values/listpack.h"
#include "storage/values/member_table.h"

namespace lapse {

class Set final : public Value {
 public:
  static constexpr ValueType kType = ValueType::kSet;

  struct Limits {
    size_t intset_entries = 512;
    size_t listpack_entries = 128;
    size_t listpack_value = 64;  // bytes
  };

  Set() = default;
  // From what DUMP wrote, or similar; duplicates are the caller's to rule out.
  explicit Set(Intset members) : members_(std::move(members)) {}
  explicit Set(Listpack members) : members_(std::move(members)) {}

  ValueType type() const override { return kType; }
  Encoding encoding() const override;
  size_t size() const override;
  size_t allocated_bytes() const override;
  std::unique_ptr<Value> Clone() const override { return std::make_unique<Set>(*this); }

  // Takes the representation that so many members, the first of which is given, may need, rather
  // than going there step by step.
  void Expect(std::string_view first, size_t members, const Limits& limits);
  // False: it was there already, or was not there.
  bool Add(std::string_view member, const Limits& limits);
  bool Remove(std::string_view member);
  bool Contains(std::string_view member) const;

  // Calls visit(text) for each member until it returns false. The set must not change meanwhile;
  // the text is good during the call.
  template <typename Visit>
  void VisitWhile(Visit visit) const;
  template <typename Visit>
  void ForEach(Visit visit) const {
    VisitWhile([&](std::string_view member) { return visit(member), true; });
  }

  // Calls visit(text) for any member, all with the same chance. Requires: not empty.
  template <typename Visit>
  void VisitRandom(absl::InsecureBitGen& random, Visit visit) const;
  // Removes any member and returns it. Requires: not empty.
  std::string Pop(absl::InsecureBitGen& random);

  // One step of SSCAN: calls visit(text) for about `count` members from the cursor on, for all of a
  // set that is packed, and returns the next cursor. 0 begins and ends.
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const;

  // nullptr when it is represented in another way.
  const Intset* intset() const { return std::get_if<Intset>(&members_); }
  const Listpack* listpack() const { return std::get_if<Listpack>(&members_); }

 private:
  struct Digits {
    char bytes[24];
    std::string_view Format(int64_t number) { return {bytes, FormatInt64(number, bytes)}; }
  };

  const MemberTable& table() const { return *std::get_if<MemberTable>(&members_); }
  bool AddToIntset(std::string_view member, const Limits& limits);
  bool AddToListpack(std::string_view member, const Limits& limits);
  void TurnIntoListpack();
  MemberTable& TurnIntoTable();

  std::variant<Intset, Listpack, MemberTable> members_;
};

template <typename Visit>
void Set::VisitWhile(Visit visit) const {
  Digits digits;
  if (const Intset* const numbers = intset()) {
    for (size_t i = 0; i < numbers->size(); ++i) {
      if (!visit(digits.Format(numbers->at(i)))) return;
    }
  } else if (const Listpack* const packed = listpack()) {
    const auto end = packed->end();
    for (auto at = packed->begin(); at != end; at = packed->Next(at)) {
      if (!visit(packed->Get(at).Text(digits.bytes))) return;
    }
  } else {
    table().VisitWhile(visit);
  }
}

template <typename Visit>
void Set::VisitRandom(absl::InsecureBitGen& random, Visit visit) const {
  Digits digits;
  if (const Intset* const numbers = intset()) {
    visit(digits.Format(numbers->at(absl::Uniform<size_t>(random, 0, numbers->size()))));
  } else if (const Listpack* const packed = listpack()) {
    const auto at =
        packed->Seek(absl::Uniform<int64_t>(random, 0, static_cast<int64_t>(packed->size())));
    visit(packed->Get(at).Text(digits.bytes));
  } else {
    visit(table().Random(random));
  }
}

template <typename Visit>
uint64_t Set::Scan(uint64_t cursor, size_t count, Visit visit) const {
  if (std::holds_alternative<MemberTable>(members_)) return table().Scan(cursor, count, visit);
  ForEach(visit);
  return 0;
}

}  // namespace lapse
