#include "storage/values/field_table.h"

#define XXH_INLINE_ALL
#include <malloc.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

#include "absl/base/optimization.h"
#include "absl/random/distributions.h"
#include "storage/allocator.h"

namespace lapse {
namespace {

constexpr size_t kLoad = 8;       // fields a bucket, on average
constexpr size_t kLeastLoad = 2;  // below this, buckets are merged
// Name and value together; longer ones get a block of their own.
constexpr size_t kMaxInline = 192;
constexpr size_t kMallocHeader = sizeof(size_t);
// No bucket holds more, but for one in many billions: random picks rely on it.
constexpr size_t kFullBucket = 48;
constexpr int kCursorBits = 53;  // safe in a double
constexpr size_t kBucketsPerCount = 10;
// A tree of pairs of 16 bytes, filled to three quarters.
constexpr size_t kDueBytes = 22;

size_t BytesOf(void* block) { return malloc_usable_size(block) + kMallocHeader; }

uint64_t ReverseBits(uint64_t bits) {
  bits = (bits >> 1 & 0x5555555555555555) | (bits & 0x5555555555555555) << 1;
  bits = (bits >> 2 & 0x3333333333333333) | (bits & 0x3333333333333333) << 2;
  bits = (bits >> 4 & 0x0F0F0F0F0F0F0F0F) | (bits & 0x0F0F0F0F0F0F0F0F) << 4;
  return __builtin_bswap64(bits);
}

uint8_t TagOf(uint64_t hash) { return static_cast<uint8_t>(hash >> 56); }

}  // namespace

// Texts that a record points to.
struct FieldTable::Long {
  uint32_t name_size;
  uint32_t value_size;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  std::string_view name() { return {bytes(), name_size}; }
  std::string_view value() { return {bytes() + name_size, value_size}; }
};

struct FieldTable::Record {
  static constexpr uint8_t kHasDeadline = 1;
  static constexpr uint8_t kIsLong = 2;

  uint8_t tag;
  uint8_t flags;
  uint8_t name_size;  // of a long one, the pointer's
  uint8_t value_size;

  static size_t SizeFor(const Field& field) {
    const size_t texts = field.name.size() + field.value.size();
    return sizeof(Record) + (field.deadline != kNoDeadline ? sizeof(int64_t) : 0) +
           (texts > kMaxInline ? sizeof(Long*) : texts);
  }

  bool has_deadline() const { return (flags & kHasDeadline) != 0; }
  bool is_long() const { return (flags & kIsLong) != 0; }
  size_t deadline_size() const { return has_deadline() ? sizeof(int64_t) : 0; }
  size_t size() const { return sizeof(Record) + deadline_size() + name_size + value_size; }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  int64_t deadline() const {
    if (!has_deadline()) return kNoDeadline;
    int64_t deadline;
    std::memcpy(&deadline, bytes(), sizeof(deadline));
    return deadline;
  }
  const char* texts() const { return bytes() + deadline_size(); }
  Long* long_texts() const {
    Long* texts_at;
    std::memcpy(&texts_at, texts(), sizeof(texts_at));
    return texts_at;
  }
  std::string_view name() const {
    if (ABSL_PREDICT_FALSE(is_long())) return long_texts()->name();
    return {texts(), name_size};
  }
  Field field() const {
    if (ABSL_PREDICT_FALSE(is_long())) {
      return {long_texts()->name(), long_texts()->value(), deadline()};
    }
    return {{texts(), name_size}, {texts() + name_size, value_size}, deadline()};
  }
  Record* next() { return reinterpret_cast<Record*>(reinterpret_cast<char*>(this) + size()); }
};

struct FieldTable::Block {
  uint32_t used;  // with this header
  uint32_t count;

  char* bytes() { return reinterpret_cast<char*>(this); }
  Record* begin() const {
    return reinterpret_cast<Record*>(const_cast<char*>(reinterpret_cast<const char*>(this + 1)));
  }
  Record* end() const {
    return reinterpret_cast<Record*>(const_cast<char*>(reinterpret_cast<const char*>(this)) + used);
  }
  size_t OffsetOf(const Record* record) {
    return static_cast<size_t>(reinterpret_cast<const char*>(record) - bytes());
  }
};

// Where a name is, or (record is nullptr) would be.
struct FieldTable::Place {
  size_t bucket;
  uint8_t tag;
  Record* record;
};

FieldTable::FieldTable(uint64_t seed) : seed_(seed), buckets_(1, nullptr) {}

FieldTable::FieldTable(const FieldTable& other)
    : seed_(other.seed_), size_(other.size_), mask_(other.mask_) {
  buckets_.reserve(other.buckets_.size());
  for (const Block* block : other.buckets_) {
    if (block == nullptr) {
      buckets_.push_back(nullptr);
      continue;
    }
    Block* copy = Resize(nullptr, block->used);
    std::memcpy(copy, block, block->used);
    for (Record* at = copy->begin(); at != copy->end(); at = at->next()) {
      if (at->is_long()) Write(at, at->tag, at->field());
    }
    buckets_.push_back(copy);
  }
  if (other.due_ != nullptr) due_ = std::make_unique<DueBuckets>(*other.due_);
}

FieldTable::~FieldTable() {
  for (Block* block : buckets_) {
    if (block == nullptr) continue;
    for (Record* at = block->begin(); at != block->end(); at = at->next()) ReleaseLong(at);
    FreeBlock(block);
  }
}

size_t FieldTable::allocated_bytes() const {
  return AllocationSize(sizeof(FieldTable)) + kMallocHeader + buckets_.capacity() * sizeof(Block*) +
         bytes_ + (due_ == nullptr ? 0 : due_->size() * kDueBytes);
}

// --- where a field is ---

uint64_t FieldTable::Hash(std::string_view name) const {
  return XXH3_64bits_withSeed(name.data(), name.size(), seed_);
}

size_t FieldTable::IndexOf(uint64_t hash) const {
  const size_t index = hash & mask_;
  return index < buckets_.size() ? index : index & (mask_ >> 1);
}

// How many of a hash's lowest bits tell that it belongs into the bucket.
int FieldTable::DepthOf(size_t bucket) const {
  const int full = static_cast<int>(std::bit_width(mask_));
  if (full == 0) return 0;
  const size_t half = (mask_ >> 1) + 1;
  const bool split = bucket >= half || bucket + half < buckets_.size();
  return split ? full : full - 1;
}

FieldTable::Record* FieldTable::FindIn(const Block* block, uint8_t tag, std::string_view name) {
  if (block == nullptr) return nullptr;
  Record* const end = block->end();
  for (Record* at = block->begin(); at != end; at = at->next()) {
    if (at->tag == tag && at->name() == name) return at;
  }
  return nullptr;
}

FieldTable::Place FieldTable::Locate(std::string_view name) const {
  const uint64_t hash = Hash(name);
  const size_t bucket = IndexOf(hash);
  return {bucket, TagOf(hash), FindIn(buckets_[bucket], TagOf(hash), name)};
}

std::optional<FieldTable::Field> FieldTable::Find(std::string_view name) const {
  const Place place = Locate(name);
  if (place.record == nullptr) return std::nullopt;
  return place.record->field();
}

// --- blocks ---

// A block of at least so many bytes with what is in this one (nullptr: an empty one).
FieldTable::Block* FieldTable::Resize(Block* block, size_t bytes) {
  const size_t before = block == nullptr ? 0 : BytesOf(block);
  auto* resized = static_cast<Block*>(std::realloc(block, bytes));
  if (ABSL_PREDICT_FALSE(resized == nullptr)) std::abort();
  if (block == nullptr) *resized = {sizeof(Block), 0};
  bytes_ += BytesOf(resized) - before;
  return resized;
}

void FieldTable::FreeBlock(Block* block) {
  bytes_ -= BytesOf(block);
  Free(block);
}

// Makes the `removed` bytes at the offset `added` ones, moving what follows.
FieldTable::Record* FieldTable::Splice(size_t bucket, size_t offset, size_t removed, size_t added) {
  Block*& block = buckets_[bucket];
  const size_t used = (block == nullptr ? sizeof(Block) : block->used) - removed + added;
  if (block == nullptr || used > malloc_usable_size(block)) {
    block = Resize(block, used + used / 8);
  }
  if (removed != added) {
    std::memmove(block->bytes() + offset + added, block->bytes() + offset + removed,
                 block->used - offset - removed);
  }
  block->used = static_cast<uint32_t>(used);
  return reinterpret_cast<Record*>(block->bytes() + offset);
}

// Moves a record into the bucket; a long one's texts stay where they are.
void FieldTable::AppendCopy(size_t bucket, const Record& record) {
  const size_t offset = buckets_[bucket] == nullptr ? sizeof(Block) : buckets_[bucket]->used;
  std::memcpy(Splice(bucket, offset, 0, record.size()), &record, record.size());
  ++buckets_[bucket]->count;
}

// Requires: room for Record::SizeFor(field) bytes.
void FieldTable::Write(Record* record, uint8_t tag, const Field& field) {
  const bool has_deadline = field.deadline != kNoDeadline;
  const bool is_long = field.name.size() + field.value.size() > kMaxInline;
  record->tag = tag;
  record->flags = static_cast<uint8_t>((has_deadline ? Record::kHasDeadline : 0) |
                                       (is_long ? Record::kIsLong : 0));
  char* at = record->bytes();
  if (has_deadline) {
    std::memcpy(at, &field.deadline, sizeof(field.deadline));
    at += sizeof(field.deadline);
  }
  if (is_long) {
    auto* texts =
        static_cast<Long*>(Allocate(sizeof(Long) + field.name.size() + field.value.size()));
    bytes_ += BytesOf(texts);
    *texts = {static_cast<uint32_t>(field.name.size()), static_cast<uint32_t>(field.value.size())};
    std::memcpy(texts->bytes(), field.name.data(), field.name.size());
    std::memcpy(texts->bytes() + field.name.size(), field.value.data(), field.value.size());
    record->name_size = sizeof(texts);
    record->value_size = 0;
    std::memcpy(at, &texts, sizeof(texts));
    return;
  }
  record->name_size = static_cast<uint8_t>(field.name.size());
  record->value_size = static_cast<uint8_t>(field.value.size());
  if (!field.name.empty()) std::memcpy(at, field.name.data(), field.name.size());
  if (!field.value.empty()) {
    std::memcpy(at + field.name.size(), field.value.data(), field.value.size());
  }
}

void FieldTable::ReleaseLong(Record* record) {
  if (ABSL_PREDICT_TRUE(!record->is_long())) return;
  bytes_ -= BytesOf(record->long_texts());
  Free(record->long_texts());
}

void FieldTable::EraseRecord(size_t bucket, Record* record) {
  Block*& block = buckets_[bucket];
  ReleaseLong(record);
  --size_;
  if (--block->count == 0) {
    FreeBlock(block);
    block = nullptr;
    return;
  }
  Splice(bucket, block->OffsetOf(record), record->size(), 0);
  if (malloc_usable_size(block) / 2 > block->used) block = Resize(block, block->used);
}

// --- changes ---

bool FieldTable::Set(const Field& field) {
  const Place place = Locate(field.name);
  const bool is_new = place.record == nullptr;
  const bool volatile_now = field.deadline != kNoDeadline;
  const bool volatile_before = !is_new && place.record->has_deadline();
  const int64_t earliest = volatile_now || volatile_before ? EarliestOf(place.bucket) : kNoDeadline;

  Block* block = buckets_[place.bucket];
  size_t offset = sizeof(Block);
  size_t removed = 0;
  if (!is_new) {
    offset = block->OffsetOf(place.record);
    removed = place.record->size();
    ReleaseLong(place.record);
  } else if (block != nullptr) {
    offset = block->used;
  }
  Record* record = Splice(place.bucket, offset, removed, Record::SizeFor(field));
  Write(record, place.tag, field);
  if (is_new) {
    ++buckets_[place.bucket]->count;
    ++size_;
  }
  if (volatile_now || volatile_before) {
    NoteEarliest(place.bucket, earliest, EarliestIn(buckets_[place.bucket]));
  }
  if (is_new && size_ > buckets_.size() * kLoad) Grow();
  return is_new;
}

bool FieldTable::Erase(std::string_view name) {
  const Place place = Locate(name);
  if (place.record == nullptr) return false;
  const bool is_volatile = place.record->has_deadline();
  const int64_t earliest = is_volatile ? EarliestOf(place.bucket) : kNoDeadline;
  EraseRecord(place.bucket, place.record);
  if (is_volatile) NoteEarliest(place.bucket, earliest, EarliestIn(buckets_[place.bucket]));
  if (size_ < buckets_.size() * kLeastLoad) Shrink();
  return true;
}

bool FieldTable::SetDeadline(std::string_view name, int64_t deadline) {
  const Place place = Locate(name);
  if (place.record == nullptr) return false;
  const int64_t earliest = EarliestOf(place.bucket);
  const size_t offset = buckets_[place.bucket]->OffsetOf(place.record);
  const size_t before = place.record->deadline_size();
  const size_t wanted = deadline != kNoDeadline ? sizeof(deadline) : 0;
  Splice(place.bucket, offset + sizeof(Record), before, wanted);
  auto* record = reinterpret_cast<Record*>(buckets_[place.bucket]->bytes() + offset);
  record->flags = static_cast<uint8_t>((record->flags & ~Record::kHasDeadline) |
                                       (wanted > 0 ? Record::kHasDeadline : 0));
  std::memcpy(record->bytes(), &deadline, wanted);
  NoteEarliest(place.bucket, earliest, EarliestIn(buckets_[place.bucket]));
  return true;
}

void FieldTable::Grow() {
  const size_t fresh = buckets_.size();
  const size_t mask = std::bit_ceil(fresh + 1) - 1;
  const size_t parent = fresh & (mask >> 1);
  const int64_t earliest = EarliestOf(parent);
  buckets_.push_back(nullptr);
  mask_ = mask;
  Block*& block = buckets_[parent];
  if (block == nullptr) return;
  buckets_[fresh] = Resize(nullptr, sizeof(Block) + block->used / 2);

  size_t kept = sizeof(Block);
  uint32_t count = 0;
  const size_t used = block->used;
  for (size_t at = sizeof(Block); at < used;) {
    auto* record = reinterpret_cast<Record*>(block->bytes() + at);
    const size_t size = record->size();
    at += size;
    if (IndexOf(Hash(record->name())) == fresh) {
      AppendCopy(fresh, *record);
      continue;
    }
    std::memmove(block->bytes() + kept, record, size);
    kept += size;
    ++count;
  }
  block->used = static_cast<uint32_t>(kept);
  block->count = count;
  for (const size_t bucket : {parent, fresh}) Trim(bucket);
  // The one that may leave no bucket with a deadline, and so no tree, comes last.
  NoteEarliest(fresh, kNoDeadline, EarliestOf(fresh));
  NoteEarliest(parent, earliest, EarliestOf(parent));
}

void FieldTable::Shrink() {
  if (buckets_.size() == 1) return;
  const size_t last = buckets_.size() - 1;
  const size_t parent = last & (mask_ >> 1);
  const int64_t earliest = EarliestOf(parent);
  const int64_t last_earliest = EarliestOf(last);
  if (Block* block = buckets_[last]; block != nullptr) {
    for (Record* at = block->begin(); at != block->end(); at = at->next()) AppendCopy(parent, *at);
    FreeBlock(block);
  }
  buckets_.pop_back();
  mask_ = std::bit_ceil(last) - 1;
  if (buckets_.capacity() > 4 * buckets_.size()) buckets_.shrink_to_fit();
  NoteEarliest(parent, earliest, std::min(earliest, last_earliest));
  NoteEarliest(last, last_earliest, kNoDeadline);
}

// Gives back what a split left spare, or an empty block.
void FieldTable::Trim(size_t bucket) {
  Block*& block = buckets_[bucket];
  if (block->count == 0) {
    FreeBlock(block);
    block = nullptr;
  } else if (malloc_usable_size(block) > block->used + block->used / 4) {
    block = Resize(block, block->used + block->used / 8);
  }
}

// --- deadlines ---

int64_t FieldTable::EarliestIn(const Block* block) {
  int64_t earliest = kNoDeadline;
  if (block == nullptr) return earliest;
  for (Record* at = block->begin(); at != block->end(); at = at->next()) {
    if (at->has_deadline()) earliest = std::min(earliest, at->deadline());
  }
  return earliest;
}

int64_t FieldTable::EarliestOf(size_t bucket) const {
  return due_ == nullptr ? kNoDeadline : EarliestIn(buckets_[bucket]);
}

void FieldTable::NoteEarliest(size_t bucket, int64_t before, int64_t after) {
  if (before == after) return;
  if (due_ == nullptr) due_ = std::make_unique<DueBuckets>();
  const auto number = static_cast<uint32_t>(bucket);
  if (before != kNoDeadline) due_->erase({before, number});
  if (after != kNoDeadline) due_->insert({after, number});
  if (due_->empty()) due_.reset();
}

int64_t FieldTable::earliest_deadline() const {
  return due_ == nullptr ? kNoDeadline : due_->begin()->first;
}

size_t FieldTable::RemoveExpired(int64_t now_ms) {
  size_t removed = 0;
  while (due_ != nullptr && due_->begin()->first < now_ms) {
    const auto [earliest, bucket] = *due_->begin();
    for (size_t at = sizeof(Block); buckets_[bucket] != nullptr && at < buckets_[bucket]->used;) {
      auto* record = reinterpret_cast<Record*>(buckets_[bucket]->bytes() + at);
      if (record->deadline() < now_ms) {
        EraseRecord(bucket, record);
        ++removed;
      } else {
        at += record->size();
      }
    }
    NoteEarliest(bucket, earliest, EarliestIn(buckets_[bucket]));
  }
  for (size_t i = 0; i < removed && size_ < buckets_.size() * kLeastLoad; ++i) Shrink();
  return removed;
}

// --- walks ---

void FieldTable::VisitBucket(const Block* block, Visitor visit) {
  if (block == nullptr) return;
  for (Record* at = block->begin(); at != block->end(); at = at->next()) visit(at->field());
}

void FieldTable::Visit(Visitor visit) const {
  for (const Block* block : buckets_) VisitBucket(block, visit);
}

uint64_t FieldTable::Scan(uint64_t cursor, size_t count, Visitor visit) const {
  uint64_t position = cursor << (64 - kCursorBits);
  size_t seen = 0;
  for (size_t buckets = 0; seen < count && buckets < count * kBucketsPerCount; ++buckets) {
    const size_t bucket = IndexOf(ReverseBits(position));
    VisitBucket(buckets_[bucket], visit);
    if (buckets_[bucket] != nullptr) seen += buckets_[bucket]->count;
    const int depth = DepthOf(bucket);
    if (depth == 0) return 0;
    const uint64_t step = uint64_t{1} << (64 - depth);
    position = (position & ~(step - 1)) + step;
    if (position == 0) return 0;
  }
  return position >> (64 - kCursorBits);
}

FieldTable::Field FieldTable::Random(absl::BitGenRef random) const {
  const Block* block = buckets_[0];
  size_t pick = 0;
  if (buckets_.size() == 1) {
    pick = absl::Uniform<size_t>(random, 0, block->count);
  } else {
    // Every record of every bucket is hit by one pair of numbers; the others hit nothing.
    do {
      block = buckets_[absl::Uniform<size_t>(random, 0, buckets_.size())];
      pick = absl::Uniform<size_t>(random, 0, kFullBucket);
    } while (block == nullptr || pick >= block->count);
  }
  Record* at = block->begin();
  for (size_t i = 0; i < pick; ++i) at = at->next();
  return at->field();
}

}  // namespace lapse
