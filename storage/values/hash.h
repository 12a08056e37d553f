// A hash: fields with values, each of which may have a deadline of its own.
//
// Small ones are one packed list: field, value, field, value ... ("listpack"). The first deadline
// adds a third element to each, 0 where there is none, and sorts the fields by it, those without
// one last, so that what expires next stands in front ("listpackex"). Hashes with more fields or
// longer texts than the limits say are a FieldTable ("hashtable"), and stay one.
//
// Values come out as elements of a packed list, numbers as numbers: whoever replies with one
// formats it once, into the reply.
//
// Thread: the holder of the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "absl/functional/function_ref.h"
#include "absl/random/bit_gen_ref.h"
#include "storage/value.h"
#include "storage/values/field_table.h"
#include "storage/values/listpack.h"

namespace lapse {

class Hash final : public Value {
 public:
  static constexpr ValueType kType = ValueType::kHash;

  // Up to where a hash is packed.
  struct Limits {
    size_t fields = 512;
    size_t text = 64;  // the longest name or value, bytes
  };

  using Text = Listpack::Element;
  struct Found {
    Text value;
    int64_t deadline = kNoDeadline;
  };
  using Visitor = absl::FunctionRef<void(const Text& name, const Text& value, int64_t deadline)>;

  Hash() = default;
  // From packed fields and values or, with deadlines, triples, in the order described above.
  // Requires: they are, and no field is there twice.
  Hash(Listpack packed, bool with_deadlines);

  ValueType type() const override { return kType; }
  Encoding encoding() const override;
  size_t size() const override;
  size_t allocated_bytes() const override;
  std::unique_ptr<Value> Clone() const override;
  int64_t earliest_deadline() const override;
  size_t RemoveExpired(int64_t now_ms) override;

  std::optional<Found> Find(std::string_view name) const;
  bool Contains(std::string_view name) const { return Find(name).has_value(); }
  // Sets value and deadline; returns whether the field is new. The texts must not point into the
  // hash.
  bool Set(std::string_view name, std::string_view value, int64_t deadline, const Limits& limits);
  bool Erase(std::string_view name);
  // Returns whether there is such a field.
  bool SetDeadline(std::string_view name, int64_t deadline);

  void Visit(Visitor visit) const;
  // One step of a scan: visits some fields and returns the cursor to go on from, 0 at the end. A
  // packed hash is visited whole. No field that stays is missed; some may be visited twice.
  uint64_t Scan(uint64_t cursor, size_t count, Visitor visit) const;
  // Any field, with equal probability. Requires: not empty.
  void Random(absl::BitGenRef random, Visitor visit) const;

  // The packed list, as it is saved; nullptr when it is a table.
  const Listpack* packed() const;

 private:
  struct Pairs {
    Listpack list;
  };
  struct Triples {
    Listpack list;
  };
  using Table = std::unique_ptr<FieldTable>;

  bool Fits(std::string_view name, std::string_view value, const Limits& limits) const;
  bool SetPair(Listpack& list, std::string_view name, std::string_view value);
  bool SetTriple(Listpack& list, std::string_view name, std::string_view value, int64_t deadline);
  void MakeTriples();
  void MakeTable();

  std::variant<Pairs, Triples, Table> form_;
};

}  // namespace lapse
