// A block of a stream: up to some hundred entries in one packed list, in the form in which Redis
// keeps, dumps and saves them.
//
//   master entry | item | item | ...
//
//   master   entries, deleted entries, number of fields, field ..., 0
//   item     flags, ms and seq as differences from the block's id,
//            fields as the master's:  value ...,                               elements of the item
//            others:                  number of fields, field, value, ...,     elements of the item
//
// The master entry has the fields of the first item, which mostly are all items' fields. Deleting
// an item only sets a flag. The last element of an item says how many there are before it, so that
// a block can be read backwards.
//
// The block does not know its id, which is its first item's: it is the key that a stream has it
// under, and is passed in.
//
// Invariants:
//   1. The list is a master entry and whole items; one that came from elsewhere has passed
//      Validate.
//   2. The master entry's counts are those of the items.
//
// Thread: as a std::string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "storage/values/listpack.h"
#include "storage/values/stream_id.h"

namespace lapse {

// Fields and values in turn: "name", "Ada", "year", "1815".
using StreamPairs = std::span<const std::string_view>;

// An entry, within its block. Good until the next change of the stream.
class StreamEntry {
 public:
  StreamId id;
  size_t fields = 0;

  // Calls visit(field, value) for each pair.
  template <typename Visit>
  void ForEachPair(Visit visit) const {
    Listpack::Position field = master_field_;
    Listpack::Position at = values_;
    for (size_t i = 0; i < fields; ++i) {
      Listpack::Position& name = same_fields_ ? field : at;
      char name_digits[24];
      char digits[24];
      const std::string_view text = pack_->Get(name).Text(name_digits);
      name = pack_->Next(name);
      visit(text, pack_->Get(at).Text(digits));
      at = pack_->Next(at);
    }
  }

 private:
  friend class StreamBlock;

  const Listpack* pack_ = nullptr;
  bool same_fields_ = false;
  bool deleted_ = false;
  Listpack::Position item_ = 0;
  Listpack::Position master_field_ = 0;  // with same_fields_
  Listpack::Position values_ = 0;
};

class StreamBlock {
 public:
  using Position = Listpack::Position;

  // A master entry with these fields, and no item yet.
  explicit StreamBlock(StreamPairs pairs);
  // Takes over what Validate accepts.
  explicit StreamBlock(Listpack pack) : pack_(std::move(pack)) {}
  // Whether the list is a block by invariants 1 and 2.
  static bool Validate(const Listpack& pack);

  size_t live() const { return Number(pack_.begin()); }
  size_t deleted() const { return Number(pack_.Next(pack_.begin())); }
  // Of the serialized list.
  size_t bytes() const { return pack_.bytes(); }
  std::string_view view() const { return pack_.view(); }
  // This object is not counted.
  size_t allocated_bytes() const { return pack_.allocated_bytes(); }

  void Append(const StreamId& block, const StreamId& id, StreamPairs pairs);
  // Gives back room that was kept for more items.
  void ShrinkToFit() { pack_ = Listpack(pack_.view()); }

  // Walking: items from begin() to end(), deleted ones included.
  Position begin() const;
  Position end() const { return pack_.end(); }
  // Reads the item there and returns the position of the next one.
  Position Read(const StreamId& block, Position item, StreamEntry& entry) const;
  // The item that ends there; begin() is the first. Requires: past != begin().
  Position Before(Position past) const;
  static bool IsDeleted(const StreamEntry& entry) { return entry.deleted_; }
  StreamId LastId(const StreamId& block) const;  // deleted or not; requires an item

  // Marks the item as deleted. Positions stay good but where the counts of the master entry outgrow
  // their bytes. Requires: it is not.
  void Delete(const StreamEntry& entry);

 private:
  struct Master {
    size_t fields;
    Position first_field;
    Position items;
  };

  size_t Number(Position at) const { return static_cast<size_t>(pack_.Get(at).number); }
  Master ReadMaster() const;
  bool HasFields(const Master& master, StreamPairs pairs) const;

  Listpack pack_;
};

}  // namespace lapse
