// A stream: entries of fields and values under growing ids, and the groups that read them.
//
//   block's id -> block (stream_block.h)      ordered; entries are appended to the last block
//   name       -> group (stream_group.h)      ordered
//
// A new block is begun when the last one is full by the limits that the caller passes. Beside its
// entries a stream remembers what it has seen: the last id ever, how many entries were added, the
// greatest id that was deleted. From those follows how far behind a group is, as long as no entry
// was deleted ahead of it.
//
// A stream without entries is a value of its own: it does not vanish with its last entry.
//
// Invariants:
//   1. A block's id is not above its entries', and those are below the next block's id. (Where
//      XSETID has set the last id back, as it may once all entries are deleted, deleted ones are an
//      exception: they stand before others of smaller ids.)
//   2. first_id() is the first entry's, or 0-0; no entry's id is above last_id().
//
// Thread: as Value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "storage/value.h"
#include "storage/values/stream_block.h"
#include "storage/values/stream_group.h"
#include "storage/values/stream_id.h"

namespace lapse {

class Stream final : public Value {
 public:
  static constexpr ValueType kType = ValueType::kStream;
  // What one entry's texts may sum up to, and so a block of one entry.
  static constexpr size_t kMaxEntryBytes = size_t{1} << 30;

  // Of a block: one that reaches either begins a new one. Zero means none.
  struct Limits {
    size_t max_bytes = 4096;
    size_t max_entries = 100;
  };

  // What may be removed from the beginning. `approximate`: whole blocks only. At most `most`
  // entries, which only whole blocks respect; 0 for any number.
  struct TrimRule {
    enum class By : uint8_t { kNothing, kLength, kId };
    By by = By::kNothing;
    bool approximate = false;
    int64_t length = 0;
    StreamId id;  // the least to stay
    int64_t most = 0;
  };

  using Blocks = absl::btree_map<StreamId, StreamBlock>;
  // The names are those within the groups.
  using Groups = absl::btree_map<std::string_view, std::unique_ptr<StreamGroup>>;

  Stream() = default;
  Stream(const Stream& other);
  ~Stream() override;

  ValueType type() const override { return kType; }
  Encoding encoding() const override { return Encoding::kStream; }
  size_t size() const override { return length_; }
  size_t allocated_bytes() const override;
  std::unique_ptr<Value> Clone() const override { return std::make_unique<Stream>(*this); }
  bool vanishes() const override { return false; }

  const StreamId& first_id() const { return first_id_; }
  const StreamId& last_id() const { return last_id_; }
  const StreamId& max_deleted_id() const { return max_deleted_id_; }
  uint64_t entries_added() const { return entries_added_; }
  void set_last_id(const StreamId& id) { last_id_ = id; }
  void set_max_deleted_id(const StreamId& id) { max_deleted_id_ = id; }
  void set_entries_added(uint64_t added) { entries_added_ = added; }

  // --- Entries. ---

  // Requires: id > last_id(), at least one pair, and no more than kMaxEntryBytes of text.
  void Append(const StreamId& id, StreamPairs pairs, const Limits& limits);
  // Deletes what there is of these; returns how many there were.
  size_t Delete(std::span<const StreamId> ids);
  size_t Trim(const TrimRule& rule);

  bool Contains(const StreamId& id) const;
  // The last entry's id; that of no entry (0-0) when there is none.
  StreamId LastEntryId() const;

  const Blocks& blocks() const { return blocks_; }
  // For loading, in order. Requires: Validate accepts the block, and invariant 1.
  void AddBlock(const StreamId& id, Listpack pack);
  // Nodes of the radix tree that Redis would keep the blocks' ids in, which XINFO tells.
  size_t RadixNodes() const;

  // --- Groups. ---

  const Groups& groups() const { return groups_; }
  StreamGroup* FindGroup(std::string_view name) const;
  // nullptr when there is one already.
  StreamGroup* AddGroup(std::string_view name, const StreamId& last_id, int64_t entries_read);
  bool RemoveGroup(std::string_view name);

  // Notes that the group has been given this entry, if it is ahead of what it had.
  void NoteRead(StreamGroup& group, const StreamId& id) const;
  // How many entries the group has not read; nullopt when that cannot be known.
  std::optional<int64_t> LagOf(const StreamGroup& group) const;

 private:
  friend class StreamRange;

  // Whether entries may have been deleted from `from` on.
  bool HasTombstonesFrom(const StreamId& from) const;
  // How many entries there had been up to this id; StreamGroup::kUnknown.
  int64_t EstimateEntriesUpTo(const StreamId& id) const;

  // The block that would hold the id.
  Blocks::const_iterator BlockOf(const StreamId& id) const;
  Blocks::iterator MutableBlockOf(const StreamId& id);
  StreamBlock* BlockToAppendTo(size_t text_bytes, const Limits& limits);
  bool DeleteOne(const StreamId& id);
  Blocks::iterator EraseBlock(Blocks::iterator at);
  size_t TrimWithin(Blocks::iterator at, const TrimRule& rule);
  StreamId FirstEntryId() const;
  void FindFirstId();

  Blocks blocks_;
  Groups groups_;
  size_t length_ = 0;
  size_t bytes_ = 0;  // of blocks and groups
  StreamId first_id_;
  StreamId last_id_;
  StreamId max_deleted_id_;
  uint64_t entries_added_ = 0;
};

// The entries from `first` to `last`, both included, or backwards:
//
//   StreamRange range(stream, StreamId{}, StreamId::Max());
//   StreamEntry entry;
//   while (range.Next(entry)) ...
//
// Invalidates: by any change of the stream's entries.
class StreamRange {
 public:
  enum class Order : uint8_t { kForward, kBackward };

  StreamRange(const Stream& stream, const StreamId& first, const StreamId& last,
              Order order = Order::kForward);

  bool Next(StreamEntry& entry) {
    return order_ == Order::kForward ? Forward(entry) : Backward(entry);
  }

 private:
  bool Forward(StreamEntry& entry);
  bool Backward(StreamEntry& entry);

  const Stream& stream_;
  const StreamId first_;
  const StreamId last_;
  const Order order_;
  Stream::Blocks::const_iterator block_;
  StreamBlock::Position at_ = 0;  // of the next item, or the end of the next one backwards
};

}  // namespace lapse
