#include "storage/values/hash.h"

#include <string>
#include <utility>

#include "absl/base/optimization.h"
#include "absl/random/random.h"
#include "protocol/number.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

using Position = Listpack::Position;

constexpr size_t kMallocHeader = sizeof(size_t);
// A packed hash larger than this becomes a table, whatever the limits say.
constexpr size_t kMaxPackedBytes = size_t{256} << 20;

// Deadlines as triples hold them: 0 for none.
int64_t ReadDeadline(const Listpack& list, Position at) {
  const int64_t number = list.Get(at).number;
  return number == 0 ? kNoDeadline : number;
}

std::string_view DeadlineText(int64_t deadline, char (&digits)[24]) {
  return {digits, FormatInt64(deadline == kNoDeadline ? 0 : deadline, digits)};
}

Position DeadlineOf(const Listpack& list, Position name) { return list.Next(list.Next(name)); }

// Before which triple one with such a deadline belongs.
Position PlaceFor(const Listpack& list, int64_t deadline) {
  if (deadline == kNoDeadline) return list.end();
  Position at = list.begin();
  while (at != list.end()) {
    const Position last = DeadlineOf(list, at);
    if (ReadDeadline(list, last) > deadline) break;
    at = list.Next(last);
  }
  return at;
}

void InsertTriple(Listpack& list, std::string_view name, std::string_view value, int64_t deadline) {
  char digits[24];
  const Position at = list.Insert(PlaceFor(list, deadline), name);
  const Position second = list.Insert(list.Next(at), value);
  list.Insert(list.Next(second), DeadlineText(deadline, digits));
}

Hash::Text TextOf(std::string_view text) { return {text, 0, false}; }

// Calls visit(name, value, deadline) for each field of a packed hash.
template <typename Visit>
void VisitPacked(const Listpack& list, bool with_deadlines, Visit visit) {
  const Position end = list.end();
  for (Position at = list.begin(); at != end;) {
    const Listpack::Element name = list.Get(at);
    at = list.Next(at);
    const Listpack::Element value = list.Get(at);
    at = list.Next(at);
    int64_t deadline = kNoDeadline;
    if (with_deadlines) {
      deadline = ReadDeadline(list, at);
      at = list.Next(at);
    }
    visit(name, value, deadline);
  }
}

}  // namespace

Hash::Hash(Listpack packed, bool with_deadlines) {
  if (with_deadlines) {
    form_ = Triples{std::move(packed)};
  } else {
    form_ = Pairs{std::move(packed)};
  }
}

Encoding Hash::encoding() const {
  constexpr Encoding kEncodings[] = {Encoding::kListpack, Encoding::kListpackEx,
                                     Encoding::kHashtable};
  return kEncodings[form_.index()];
}

const Listpack* Hash::packed() const {
  if (const auto* pairs = std::get_if<Pairs>(&form_)) return &pairs->list;
  if (const auto* triples = std::get_if<Triples>(&form_)) return &triples->list;
  return nullptr;
}

size_t Hash::size() const {
  if (const auto* pairs = std::get_if<Pairs>(&form_)) return pairs->list.size() / 2;
  if (const auto* triples = std::get_if<Triples>(&form_)) return triples->list.size() / 3;
  return std::get<Table>(form_)->size();
}

size_t Hash::allocated_bytes() const {
  const size_t own = AllocationSize(sizeof(Hash)) + kMallocHeader;
  const Listpack* list = packed();
  return own +
         (list != nullptr ? list->allocated_bytes() : std::get<Table>(form_)->allocated_bytes());
}

std::unique_ptr<Value> Hash::Clone() const {
  if (const Listpack* list = packed()) {
    return std::make_unique<Hash>(*list, std::holds_alternative<Triples>(form_));
  }
  auto copy = std::make_unique<Hash>();
  copy->form_ = std::make_unique<FieldTable>(*std::get<Table>(form_));
  return copy;
}

int64_t Hash::earliest_deadline() const {
  if (ABSL_PREDICT_TRUE(std::holds_alternative<Pairs>(form_))) return kNoDeadline;
  if (const auto* table = std::get_if<Table>(&form_)) return (*table)->earliest_deadline();
  const Listpack& list = std::get<Triples>(form_).list;
  return list.empty() ? kNoDeadline : ReadDeadline(list, DeadlineOf(list, list.begin()));
}

size_t Hash::RemoveExpired(int64_t now_ms) {
  if (std::holds_alternative<Pairs>(form_)) return 0;
  if (auto* table = std::get_if<Table>(&form_)) return (*table)->RemoveExpired(now_ms);
  Listpack& list = std::get<Triples>(form_).list;
  size_t expired = 0;
  for (Position at = list.begin(); at != list.end(); ++expired) {
    const Position last = DeadlineOf(list, at);
    if (ReadDeadline(list, last) >= now_ms) break;
    at = list.Next(last);
  }
  if (expired > 0) list.EraseRange(list.begin(), 3 * expired);
  return expired;
}

std::optional<Hash::Found> Hash::Find(std::string_view name) const {
  if (const auto* pairs = std::get_if<Pairs>(&form_)) {
    const Listpack& list = pairs->list;
    const Position at = list.Find(name, list.begin(), 1);
    if (at == list.end()) return std::nullopt;
    return Found{list.Get(list.Next(at)), kNoDeadline};
  }
  if (const auto* table = std::get_if<Table>(&form_)) {
    const auto field = (*table)->Find(name);
    if (!field) return std::nullopt;
    return Found{TextOf(field->value), field->deadline};
  }
  const Listpack& list = std::get<Triples>(form_).list;
  const Position at = list.Find(name, list.begin(), 2);
  if (at == list.end()) return std::nullopt;
  const Position value = list.Next(at);
  return Found{list.Get(value), ReadDeadline(list, list.Next(value))};
}

bool Hash::Fits(std::string_view name, std::string_view value, const Limits& limits) const {
  return name.size() <= limits.text && value.size() <= limits.text &&
         packed()->bytes() + name.size() + value.size() <= kMaxPackedBytes;
}

bool Hash::Set(std::string_view name, std::string_view value, int64_t deadline,
               const Limits& limits) {
  if (!std::holds_alternative<Table>(form_)) {
    if (ABSL_PREDICT_TRUE(Fits(name, value, limits))) {
      if (ABSL_PREDICT_FALSE(deadline != kNoDeadline)) MakeTriples();
      auto* pairs = std::get_if<Pairs>(&form_);
      const bool is_new = pairs != nullptr
                              ? SetPair(pairs->list, name, value)
                              : SetTriple(std::get<Triples>(form_).list, name, value, deadline);
      if (ABSL_PREDICT_FALSE(is_new && size() > limits.fields)) MakeTable();
      return is_new;
    }
    MakeTable();
  }
  return std::get<Table>(form_)->Set({name, value, deadline});
}

bool Hash::SetPair(Listpack& list, std::string_view name, std::string_view value) {
  const Position at = list.Find(name, list.begin(), 1);
  if (at != list.end()) {
    list.Replace(list.Next(at), value);
    return false;
  }
  list.Append(name);
  list.Append(value);
  return true;
}

bool Hash::SetTriple(Listpack& list, std::string_view name, std::string_view value,
                     int64_t deadline) {
  const Position at = list.Find(name, list.begin(), 2);
  const bool is_new = at == list.end();
  if (!is_new && ReadDeadline(list, DeadlineOf(list, at)) == deadline) {
    list.Replace(list.Next(at), value);
    return false;
  }
  if (!is_new) list.EraseRange(at, 3);
  InsertTriple(list, name, value, deadline);
  return is_new;
}

bool Hash::Erase(std::string_view name) {
  if (auto* table = std::get_if<Table>(&form_)) return (*table)->Erase(name);
  auto* pairs = std::get_if<Pairs>(&form_);
  Listpack& list = pairs != nullptr ? pairs->list : std::get<Triples>(form_).list;
  const size_t width = pairs != nullptr ? 2 : 3;
  const Position at = list.Find(name, list.begin(), width - 1);
  if (at == list.end()) return false;
  list.EraseRange(at, width);
  return true;
}

bool Hash::SetDeadline(std::string_view name, int64_t deadline) {
  if (auto* table = std::get_if<Table>(&form_)) return (*table)->SetDeadline(name, deadline);
  if (std::holds_alternative<Pairs>(form_)) {
    if (deadline == kNoDeadline) return Contains(name);
    if (!Contains(name)) return false;
    MakeTriples();
  }
  Listpack& list = std::get<Triples>(form_).list;
  const Position at = list.Find(name, list.begin(), 2);
  if (at == list.end()) return false;
  if (ReadDeadline(list, DeadlineOf(list, at)) == deadline) return true;
  char digits[24];
  const std::string value(list.Get(list.Next(at)).Text(digits));
  list.EraseRange(at, 3);
  InsertTriple(list, name, value, deadline);
  return true;
}

void Hash::MakeTriples() {
  auto* pairs = std::get_if<Pairs>(&form_);
  if (pairs == nullptr) return;
  Listpack list = std::move(pairs->list);
  for (Position at = list.begin(); at != list.end();) {
    const Position third = list.Insert(DeadlineOf(list, at), "0");
    at = list.Next(third);
  }
  form_ = Triples{std::move(list)};
}

void Hash::MakeTable() {
  // Names must not be aimed at one bucket by who knows how they are hashed.
  absl::InsecureBitGen random;
  auto table = std::make_unique<FieldTable>(absl::Uniform<uint64_t>(random));
  VisitPacked(*packed(), std::holds_alternative<Triples>(form_),
              [&table](const Text& name, const Text& value, int64_t deadline) {
                char name_digits[24];
                char value_digits[24];
                table->Set({name.Text(name_digits), value.Text(value_digits), deadline});
              });
  form_ = std::move(table);
}

void Hash::Visit(Visitor visit) const {
  if (const Listpack* list = packed()) {
    VisitPacked(*list, std::holds_alternative<Triples>(form_), visit);
    return;
  }
  std::get<Table>(form_)->Visit([visit](const FieldTable::Field& field) {
    visit(TextOf(field.name), TextOf(field.value), field.deadline);
  });
}

uint64_t Hash::Scan(uint64_t cursor, size_t count, Visitor visit) const {
  const auto* table = std::get_if<Table>(&form_);
  if (table == nullptr) {
    Visit(visit);
    return 0;
  }
  return (*table)->Scan(cursor, count, [visit](const FieldTable::Field& field) {
    visit(TextOf(field.name), TextOf(field.value), field.deadline);
  });
}

void Hash::Random(absl::BitGenRef random, Visitor visit) const {
  if (const auto* table = std::get_if<Table>(&form_)) {
    const FieldTable::Field field = (*table)->Random(random);
    return visit(TextOf(field.name), TextOf(field.value), field.deadline);
  }
  const Listpack& list = *packed();
  const bool with_deadlines = std::holds_alternative<Triples>(form_);
  const size_t pick = absl::Uniform<size_t>(random, 0, size());
  const Position name = list.Seek(static_cast<int64_t>(pick * (with_deadlines ? 3 : 2)));
  const Position value = list.Next(name);
  visit(list.Get(name), list.Get(value),
        with_deadlines ? ReadDeadline(list, list.Next(value)) : kNoDeadline);
}

}  // namespace lapse
