#include "storage/values/stream.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "absl/container/inlined_vector.h"

namespace lapse {
namespace {

// A block's share of the tree's nodes and their spare room.
constexpr size_t kBlockBytes = sizeof(Stream::Blocks::value_type) * 7 / 6;
// A group's, beside its own.
constexpr size_t kGroupBytes = sizeof(Stream::Groups::value_type) * 7 / 6;

size_t BytesOf(const StreamBlock& block) { return kBlockBytes + block.allocated_bytes(); }

constexpr size_t kIdBytes = 16;

// An id as bytes that sort as ids do.
std::array<uint8_t, kIdBytes> BytesOf(const StreamId& id) {
  std::array<uint8_t, kIdBytes> bytes;
  for (size_t i = 0; i < kIdBytes; ++i) {
    const uint64_t half = i < 8 ? id.ms : id.seq;
    bytes[i] = static_cast<uint8_t>(half >> (56 - 8 * (i % 8)));
  }
  return bytes;
}

size_t CommonPrefix(const StreamId& a, const StreamId& b) {
  const auto left = BytesOf(a);
  const auto right = BytesOf(b);
  return static_cast<size_t>(std::mismatch(left.begin(), left.end(), right.begin()).first -
                             left.begin());
}

}  // namespace

Stream::Stream(const Stream& other)
    : Value(other),
      blocks_(other.blocks_),
      length_(other.length_),
      first_id_(other.first_id_),
      last_id_(other.last_id_),
      max_deleted_id_(other.max_deleted_id_),
      entries_added_(other.entries_added_) {
  for (const auto& [id, block] : blocks_) bytes_ += BytesOf(block);
  for (const auto& [name, group] : other.groups_) {
    bytes_ += kGroupBytes;
    auto copy = std::make_unique<StreamGroup>(*group, bytes_);
    const std::string_view own_name = copy->name();
    groups_.emplace(own_name, std::move(copy));
  }
}

Stream::~Stream() = default;

size_t Stream::allocated_bytes() const { return sizeof(Stream) + sizeof(size_t) + bytes_; }

// --- Entries. ---

Stream::Blocks::const_iterator Stream::BlockOf(const StreamId& id) const {
  const auto after = blocks_.upper_bound(id);
  return after == blocks_.begin() ? blocks_.end() : std::prev(after);
}

Stream::Blocks::iterator Stream::MutableBlockOf(const StreamId& id) {
  const auto after = blocks_.upper_bound(id);
  return after == blocks_.begin() ? blocks_.end() : std::prev(after);
}

// nullptr: the last block is full, or there is none.
StreamBlock* Stream::BlockToAppendTo(size_t text_bytes, const Limits& limits) {
  if (blocks_.empty()) return nullptr;
  StreamBlock& last = blocks_.rbegin()->second;
  const size_t max_bytes =
      limits.max_bytes == 0 ? kMaxEntryBytes : std::min(limits.max_bytes, kMaxEntryBytes);
  const bool full = last.bytes() + text_bytes >= max_bytes ||
                    (limits.max_entries != 0 && last.live() + last.deleted() >= limits.max_entries);
  if (!full) return &last;
  bytes_ -= BytesOf(last);
  last.ShrinkToFit();
  bytes_ += BytesOf(last);
  return nullptr;
}

void Stream::Append(const StreamId& id, StreamPairs pairs, const Limits& limits) {
  size_t text_bytes = 0;
  for (const std::string_view text : pairs) text_bytes += text.size();
  StreamBlock* block = BlockToAppendTo(text_bytes, limits);
  if (block == nullptr) {
    block = &blocks_.emplace_hint(blocks_.end(), id, StreamBlock(pairs))->second;
  } else {
    bytes_ -= BytesOf(*block);
  }
  block->Append(blocks_.rbegin()->first, id, pairs);
  bytes_ += BytesOf(*block);
  ++length_;
  ++entries_added_;
  last_id_ = id;
  if (length_ == 1) first_id_ = id;
}

Stream::Blocks::iterator Stream::EraseBlock(Blocks::iterator at) {
  bytes_ -= BytesOf(at->second);
  return blocks_.erase(at);
}

bool Stream::DeleteOne(const StreamId& id) {
  const auto found = MutableBlockOf(id);
  if (found == blocks_.end()) return false;
  auto& [block_id, block] = *found;
  StreamEntry entry;
  for (auto at = block.begin(); at != block.end();) {
    at = block.Read(block_id, at, entry);
    if (entry.id >= id) break;
  }
  if (entry.id != id || StreamBlock::IsDeleted(entry) || block.live() == 0) return false;
  if (block.live() == 1) {
    EraseBlock(found);
  } else {
    bytes_ -= BytesOf(block);
    block.Delete(entry);
    bytes_ += BytesOf(block);
  }
  --length_;
  return true;
}

size_t Stream::Delete(std::span<const StreamId> ids) {
  size_t deleted = 0;
  bool first_deleted = false;
  for (const StreamId& id : ids) {
    if (!DeleteOne(id)) continue;
    ++deleted;
    first_deleted |= id == first_id_;
    max_deleted_id_ = std::max(max_deleted_id_, id);
  }
  if (first_deleted || length_ == 0) FindFirstId();
  return deleted;
}

// Deletes entries of a block that goes on living.
size_t Stream::TrimWithin(Blocks::iterator found, const TrimRule& rule) {
  auto& [block_id, block] = *found;
  bytes_ -= BytesOf(block);
  size_t deleted = 0;
  StreamEntry entry;
  auto at = block.begin();
  while (at != block.end()) {
    auto next = block.Read(block_id, at, entry);
    if (rule.by == TrimRule::By::kLength ? length_ <= static_cast<size_t>(rule.length)
                                         : entry.id >= rule.id) {
      break;
    }
    if (!StreamBlock::IsDeleted(entry)) {
      // The counts at the front may need more or fewer bytes than before.
      const size_t size = block.bytes();
      block.Delete(entry);
      next = static_cast<StreamBlock::Position>(next + block.bytes() - size);
      ++deleted;
      --length_;
    }
    at = next;
  }
  bytes_ += BytesOf(block);
  return deleted;
}

size_t Stream::Trim(const TrimRule& rule) {
  if (rule.by == TrimRule::By::kNothing) return 0;
  const auto wanted = static_cast<size_t>(rule.length);
  size_t deleted = 0;
  auto at = blocks_.begin();
  while (at != blocks_.end()) {
    if (rule.by == TrimRule::By::kLength && length_ <= wanted) break;
    const size_t live = at->second.live();
    if (rule.most != 0 && deleted + live > static_cast<size_t>(rule.most)) break;
    const bool whole = rule.by == TrimRule::By::kLength ? length_ - live >= wanted
                                                        : at->second.LastId(at->first) < rule.id;
    if (!whole) {
      if (!rule.approximate) deleted += TrimWithin(at, rule);
      break;
    }
    at = EraseBlock(at);
    length_ -= live;
    deleted += live;
  }
  if (deleted > 0 || length_ == 0) FindFirstId();
  return deleted;
}

StreamId Stream::FirstEntryId() const {
  StreamRange range(*this, {}, StreamId::Max());
  StreamEntry entry;
  return range.Next(entry) ? entry.id : StreamId{};
}

void Stream::FindFirstId() { first_id_ = FirstEntryId(); }

bool Stream::Contains(const StreamId& id) const {
  StreamRange range(*this, id, id);
  StreamEntry entry;
  return range.Next(entry);
}

StreamId Stream::LastEntryId() const {
  StreamRange range(*this, {}, StreamId::Max(), StreamRange::Order::kBackward);
  StreamEntry entry;
  return range.Next(entry) ? entry.id : StreamId{};
}

void Stream::AddBlock(const StreamId& id, Listpack pack) {
  const auto at = blocks_.emplace_hint(blocks_.end(), id, StreamBlock(std::move(pack)));
  bytes_ += BytesOf(at->second);
  length_ += at->second.live();
  if (first_id_.IsZero()) FindFirstId();
}

// A radix tree over keys of one length has an empty node for each key, a node for each place where
// keys part, and one for each stretch of bytes between those. Depths at which neighbouring keys
// part are enough to count them.
size_t Stream::RadixNodes() const {
  if (blocks_.empty()) return 1;
  size_t nodes = blocks_.size();
  absl::InlinedVector<size_t, kIdBytes> open;  // depths of the partings above the last key
  // The edge from a parting at depth `from` to one, or a leaf, at `to`.
  const auto count_edge = [&nodes](size_t from, size_t to) { nodes += to > from + 1 ? 1 : 0; };
  const auto close_above = [&](size_t depth) {
    size_t below = kIdBytes;
    for (; !open.empty() && open.back() > depth; open.pop_back()) {
      count_edge(open.back(), below);
      below = open.back();
    }
    return below;
  };
  for (auto at = std::next(blocks_.begin()); at != blocks_.end(); ++at) {
    const size_t depth = CommonPrefix(std::prev(at)->first, at->first);
    const size_t below = close_above(depth);
    count_edge(depth, below);
    if (open.empty() || open.back() != depth) {
      open.push_back(depth);
      ++nodes;
    }
  }
  size_t top = kIdBytes;
  for (; !open.empty(); open.pop_back()) {
    count_edge(open.back(), top);
    top = open.back();
  }
  return nodes + (top > 0 ? 1 : 0);
}

// --- Groups. ---

StreamGroup* Stream::FindGroup(std::string_view name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

StreamGroup* Stream::AddGroup(std::string_view name, const StreamId& last_id,
                              int64_t entries_read) {
  const auto at = groups_.lower_bound(name);
  if (at != groups_.end() && at->first == name) return nullptr;
  bytes_ += kGroupBytes;
  auto group = std::make_unique<StreamGroup>(name, last_id, entries_read, bytes_);
  StreamGroup* const added = group.get();
  groups_.emplace_hint(at, added->name(), std::move(group));
  return added;
}

bool Stream::RemoveGroup(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return false;
  groups_.erase(found);
  bytes_ -= kGroupBytes;
  return true;
}

bool Stream::HasTombstonesFrom(const StreamId& from) const {
  if (length_ == 0 || max_deleted_id_.IsZero()) return false;
  if (first_id_ > max_deleted_id_) return false;  // all that is left came after
  return from <= max_deleted_id_;
}

int64_t Stream::EstimateEntriesUpTo(const StreamId& id) const {
  const auto added = static_cast<int64_t>(entries_added_);
  if (added == 0) return 0;
  if (length_ == 0 && id <= last_id_) return added;
  if (id == last_id_) return added;
  if (id > last_id_) return StreamGroup::kUnknown;
  if (!max_deleted_id_.IsZero() && max_deleted_id_ >= first_id_) return StreamGroup::kUnknown;
  const int64_t before_first = added - static_cast<int64_t>(length_);
  if (id < first_id_) return before_first;
  return id == first_id_ ? before_first + 1 : StreamGroup::kUnknown;
}

void Stream::NoteRead(StreamGroup& group, const StreamId& id) const {
  if (id <= group.last_id()) return;
  if (group.entries_read() != StreamGroup::kUnknown && !HasTombstonesFrom(id)) {
    group.set_entries_read(group.entries_read() + 1);
  } else if (entries_added_ != 0) {
    group.set_entries_read(EstimateEntriesUpTo(id));
  }
  group.set_last_id(id);
}

std::optional<int64_t> Stream::LagOf(const StreamGroup& group) const {
  if (entries_added_ == 0) return 0;
  int64_t read = group.entries_read();
  if (read == StreamGroup::kUnknown || HasTombstonesFrom(group.last_id())) {
    read = EstimateEntriesUpTo(group.last_id());
  }
  if (read == StreamGroup::kUnknown) return std::nullopt;
  return static_cast<int64_t>(entries_added_) - read;
}

// --- StreamRange. ---

StreamRange::StreamRange(const Stream& stream, const StreamId& first, const StreamId& last,
                         Order order)
    : stream_(stream), first_(first), last_(last), order_(order), block_(stream.blocks_.end()) {
  if (order_ == Order::kForward) {
    block_ = stream_.BlockOf(first_);
    if (block_ == stream_.blocks_.end()) block_ = stream_.blocks_.begin();
    if (block_ != stream_.blocks_.end()) at_ = block_->second.begin();
  } else {
    block_ = stream_.BlockOf(last_);
    if (block_ != stream_.blocks_.end()) at_ = block_->second.end();
  }
}

bool StreamRange::Forward(StreamEntry& entry) {
  while (block_ != stream_.blocks_.end()) {
    const auto& [id, block] = *block_;
    while (at_ != block.end()) {
      at_ = block.Read(id, at_, entry);
      if (entry.id > last_) return false;
      if (entry.id >= first_ && !StreamBlock::IsDeleted(entry)) return true;
    }
    ++block_;
    if (block_ != stream_.blocks_.end()) at_ = block_->second.begin();
  }
  return false;
}

bool StreamRange::Backward(StreamEntry& entry) {
  while (block_ != stream_.blocks_.end()) {
    const auto& [id, block] = *block_;
    const auto begin = block.begin();
    while (at_ != begin) {
      at_ = block.Before(at_);
      block.Read(id, at_, entry);
      if (entry.id < first_) return false;
      if (entry.id <= last_ && !StreamBlock::IsDeleted(entry)) return true;
    }
    if (block_ == stream_.blocks_.begin()) break;
    --block_;
    at_ = block_->second.end();
  }
  return false;
}

}  // namespace lapse
