#include "storage/entry.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "absl/base/optimization.h"
#include "storage/allocator.h"
#include "storage/entry_heap.h"

namespace lapse {
namespace {

constexpr size_t kDeadlineBytes = sizeof(int64_t);
constexpr size_t kLongKeyBytes = 4;
constexpr size_t kMaxEmbstr = 44;       // Redis's OBJ_ENCODING_EMBSTR_SIZE_LIMIT
constexpr size_t kGrowthCap = 1 << 20;  // a large value grows by its own size, at most by this

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void Store(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace

struct Entry::External {
  size_t size;
  size_t capacity;

  char* data() { return reinterpret_cast<char*>(this + 1); }

  static External* Create(std::string_view value, size_t capacity) {
    const size_t bytes = AllocationSize(sizeof(External) + capacity);
    auto* made = static_cast<External*>(Allocate(bytes));
    made->size = value.size();
    made->capacity = bytes - sizeof(External);
    std::memcpy(made->data(), value.data(), value.size());
    return made;
  }
  size_t allocated_bytes() const { return AllocationSize(sizeof(External) + capacity); }
};

Encoding EncodingOfString(std::string_view value) {
  constexpr size_t kLongestInt = 20;  // "-9223372036854775808"
  if (value.size() > kMaxEmbstr) return Encoding::kRaw;
  if (value.empty() || value.size() > kLongestInt) return Encoding::kEmbstr;
  const char first = value[0];
  if (first != '-' && (first < '0' || first > '9')) return Encoding::kEmbstr;
  const std::string_view digits = first == '-' ? value.substr(1) : value;
  const bool canonical = !digits.empty() && (digits[0] != '0' || value == "0");
  int64_t parsed;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  const bool whole = error == std::errc() && end == value.data() + value.size();
  return canonical && whole ? Encoding::kInt : Encoding::kEmbstr;
}

size_t Entry::LayoutSize(const Spec& spec) {
  return sizeof(Entry) + (spec.deadline != kNoDeadline ? kDeadlineBytes : 0) +
         (spec.key.size() >= kKeyEscape ? kLongKeyBytes : 0) + spec.key.size() +
         (spec.collection != nullptr || spec.value.size() > kMaxInlineValue ? sizeof(void*)
                                                                            : spec.value.size());
}

Entry* Entry::Create(EntryHeap& heap, const Spec& spec) {
  auto* entry = static_cast<Entry*>(heap.Allocate(LayoutSize(spec)));
  entry->Fill(spec);
  return entry;
}

void Entry::Fill(const Spec& spec) {
  type_encoding_ = spec.collection != nullptr
                       ? static_cast<uint8_t>(spec.collection->type())
                       : static_cast<uint8_t>(static_cast<uint8_t>(spec.encoding) << 4);
  flags_ = spec.deadline != kNoDeadline ? kHasDeadline : 0;
  set_access_clock(spec.access_clock);
  char* at = bytes() + sizeof(Entry);
  if (has_deadline()) {
    Store(at, spec.deadline);
    at += kDeadlineBytes;
  }
  const bool long_key = spec.key.size() >= kKeyEscape;
  key_length_ = long_key ? kKeyEscape : static_cast<uint8_t>(spec.key.size());
  if (long_key) {
    Store(at, static_cast<uint32_t>(spec.key.size()));
    at += kLongKeyBytes;
  }
  std::memcpy(at, spec.key.data(), spec.key.size());
  at += spec.key.size();
  if (spec.collection != nullptr) {
    value_length_ = sizeof(spec.collection);
    Store(at, spec.collection);
    NoteFieldDeadlines();
  } else if (spec.value.size() > kMaxInlineValue) {
    value_length_ = kExternal;
    Store(at, External::Create(spec.value, spec.value.size()));
  } else {
    value_length_ = static_cast<uint16_t>(spec.value.size());
    if (!spec.value.empty()) std::memcpy(at, spec.value.data(), spec.value.size());
  }
}

void Entry::Destroy(EntryHeap& heap, Entry* entry) {
  if (ABSL_PREDICT_FALSE(entry->is_external())) Free(entry->external());
  if (ABSL_PREDICT_FALSE(!entry->is_string())) delete entry->collection();
  heap.Free(entry, entry->layout_size());
}

bool Entry::RewriteInPlace(const Spec& spec) {
  if (is_external() || !is_string()) return false;
  if (spec.value.size() == value_length_ && spec.collection == nullptr &&
      has_deadline() == (spec.deadline != kNoDeadline)) {
    // Nothing moves.
    set_encoding(spec.encoding);
    set_access_clock(spec.access_clock);
    if (has_deadline()) OverwriteDeadline(spec.deadline);
    std::memcpy(bytes() + value_offset(), spec.value.data(), spec.value.size());
    return true;
  }
  if (spec.collection != nullptr || spec.value.size() > kMaxInlineValue) return false;
  if (EntryHeap::SizeClass(LayoutSize(spec)) != EntryHeap::SizeClass(layout_size())) return false;
  // The key is copied from the spec, not moved within: it is the caller's, and equal.
  Fill(spec);
  return true;
}

std::string_view Entry::LongKey() const {
  const char* at = bytes() + prefix_size();
  return {at + kLongKeyBytes, Load<uint32_t>(at)};
}

std::string_view Entry::ExternalValue() const {
  External* large = external();
  return {large->data(), large->size};
}

Value* Entry::collection() const { return Load<Value*>(bytes() + value_offset()); }

std::unique_ptr<Value> Entry::ReleaseCollection() {
  std::unique_ptr<Value> released(collection());
  Store<Value*>(bytes() + value_offset(), nullptr);
  return released;
}

int64_t Entry::DueWithFields() const {
  return std::min(deadline(), collection()->earliest_deadline());
}

void Entry::NoteFieldDeadlines() {
  const bool any = collection()->earliest_deadline() != kNoDeadline;
  flags_ = static_cast<uint8_t>((flags_ & ~kHasFieldDeadlines) | (any ? kHasFieldDeadlines : 0));
}

size_t Entry::value_offset() const {
  const std::string_view k = key();
  return static_cast<size_t>(k.data() + k.size() - bytes());
}

char* Entry::mutable_value() {
  return is_external() ? external()->data() : bytes() + value_offset();
}

void Entry::set_encoding(Encoding encoding) {
  type_encoding_ =
      static_cast<uint8_t>((type_encoding_ & 0xF) | static_cast<uint8_t>(encoding) << 4);
}

Entry::External* Entry::external() const { return Load<External*>(bytes() + value_offset()); }

void Entry::set_external(External* value) { Store(bytes() + value_offset(), value); }

size_t Entry::layout_size() const {
  return value_offset() + (is_external() ? sizeof(External*) : value_length_);
}

size_t Entry::allocated_bytes() const {
  const size_t own = EntryHeap::SizeClass(layout_size());
  if (ABSL_PREDICT_FALSE(!is_string())) return own + collection()->allocated_bytes();
  return is_external() ? own + external()->allocated_bytes() : own;
}

int64_t Entry::deadline() const {
  return has_deadline() ? Load<int64_t>(bytes() + sizeof(Entry)) : kNoDeadline;
}

void Entry::OverwriteDeadline(int64_t deadline) { Store(bytes() + sizeof(Entry), deadline); }

// Shifts key and value by the deadline's width when the size class allows it.
bool Entry::MoveBody(bool with_deadline) {
  const size_t old_size = layout_size();
  const size_t new_size = with_deadline ? old_size + kDeadlineBytes : old_size - kDeadlineBytes;
  if (EntryHeap::SizeClass(new_size) != EntryHeap::SizeClass(old_size)) return false;
  char* plain = bytes() + sizeof(Entry);
  char* shifted = plain + kDeadlineBytes;
  const size_t body = std::min(old_size, new_size) - sizeof(Entry);
  if (with_deadline) {
    std::memmove(shifted, plain, body);
    flags_ |= kHasDeadline;
  } else {
    std::memmove(plain, shifted, body);
    flags_ &= static_cast<uint8_t>(~kHasDeadline);
  }
  return true;
}

bool Entry::AddDeadlineInPlace(int64_t deadline) {
  if (!MoveBody(true)) return false;
  OverwriteDeadline(deadline);
  return true;
}

bool Entry::DropDeadlineInPlace() { return MoveBody(false); }

bool Entry::ResizeValueInPlace(size_t size) {
  if (!is_external()) {
    const size_t new_layout = value_offset() + size;
    if (size > kMaxInlineValue) return false;
    if (EntryHeap::SizeClass(new_layout) != EntryHeap::SizeClass(layout_size())) return false;
    char* data = bytes() + value_offset();
    if (size > value_length_) std::memset(data + value_length_, 0, size - value_length_);
    value_length_ = static_cast<uint16_t>(size);
    return true;
  }
  External* large = external();
  if (size > large->capacity) {
    External* grown =
        External::Create({large->data(), large->size}, size + std::min(size, kGrowthCap));
    Free(large);
    large = grown;
    set_external(large);
  }
  if (size > large->size) std::memset(large->data() + large->size, 0, size - large->size);
  large->size = size;
  return true;
}

uint32_t Entry::access_clock() const {
  return access_clock_[0] | access_clock_[1] << 8 | access_clock_[2] << 16;
}

void Entry::set_access_clock(uint32_t clock) {
  access_clock_[0] = static_cast<uint8_t>(clock);
  access_clock_[1] = static_cast<uint8_t>(clock >> 8);
  access_clock_[2] = static_cast<uint8_t>(clock >> 16);
}

}  // namespace lapse
