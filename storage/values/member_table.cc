#include "storage/values/member_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "storage/allocator.h"

namespace lapse {
namespace {

constexpr uint8_t kLongMember = 255;
constexpr size_t kLongPrefix = 1 + sizeof(uint32_t);
// Of a page's slots, in eighths: above the first it splits or grows. Below the second a lone page
// halves.
constexpr size_t kFull = 6;
constexpr size_t kThin = 1;
// Of a page among several: when a page has less than this, and with its buddy less than that.
constexpr size_t kThinPage = 96;
constexpr size_t kMergedPage = 224;

uint64_t NewSeed() {
  absl::BitGen random;
  return absl::Uniform<uint64_t>(random);
}

// An index below `bound`, all with the same chance (but for a bias of 2^-64 or so).
size_t Below(uint64_t random, size_t bound) {
  return static_cast<size_t>(static_cast<unsigned __int128>(random) * bound >> 64);
}

size_t MemberBytes(std::string_view text) {
  return AllocationSize(text.size() + (text.size() < kLongMember ? 1 : kLongPrefix));
}

}  // namespace

std::string_view MemberTable::TextOf(uint64_t word) {
  const char* const member = MemberOf(word);
  const auto size = static_cast<uint8_t>(*member);
  if (ABSL_PREDICT_TRUE(size != kLongMember)) return {member + 1, size};
  uint32_t long_size = 0;
  std::memcpy(&long_size, member + 1, sizeof(long_size));
  return {member + kLongPrefix, long_size};
}

// The word without its tag.
uint64_t MemberTable::NewMember(std::string_view text) {
  const bool is_long = text.size() >= kLongMember;
  char* const member = static_cast<char*>(Allocate(text.size() + (is_long ? kLongPrefix : 1)));
  member[0] = static_cast<char>(is_long ? kLongMember : text.size());
  const auto long_size = static_cast<uint32_t>(text.size());
  if (is_long) std::memcpy(member + 1, &long_size, sizeof(long_size));
  if (!text.empty()) std::memcpy(member + (is_long ? kLongPrefix : 1), text.data(), text.size());
  return reinterpret_cast<uint64_t>(member);
}

void MemberTable::FreeMember(uint64_t word) { Free(const_cast<char*>(MemberOf(word))); }

MemberTable::MemberTable() : seed_(NewSeed()) {
  directory_.resize(1);
  Announce(NewPage(0, 0));
}

MemberTable::MemberTable(const MemberTable& other)
    : seed_(other.seed_), size_(other.size_), depth_(other.depth_), page_bits_(other.page_bits_) {
  directory_.resize(other.directory_.size());
  for (const Page* const source : other.pages_) {
    Page* const page = NewPage(source->prefix, static_cast<int>(source->depth));
    page->live = source->live;
    for (size_t i = 0; i < capacity(); ++i) {
      const uint64_t word = source->slots[i];
      if (word == 0) continue;
      const std::string_view text = TextOf(word);
      page->slots[i] = (word & ~kPointerMask) | NewMember(text);
      bytes_ += MemberBytes(text);
    }
    Announce(page);
  }
}

MemberTable::MemberTable(MemberTable&& other) noexcept
    : seed_(other.seed_),
      size_(std::exchange(other.size_, 0)),
      bytes_(std::exchange(other.bytes_, 0)),
      depth_(other.depth_),
      page_bits_(other.page_bits_),
      directory_(std::exchange(other.directory_, {})),
      pages_(std::exchange(other.pages_, {})) {}

MemberTable& MemberTable::operator=(MemberTable other) noexcept {
  std::swap(seed_, other.seed_);
  std::swap(size_, other.size_);
  std::swap(bytes_, other.bytes_);
  std::swap(depth_, other.depth_);
  std::swap(page_bits_, other.page_bits_);
  directory_.swap(other.directory_);
  pages_.swap(other.pages_);
  return *this;
}

MemberTable::~MemberTable() {
  // Freeing reads what malloc keeps in front of the member, which is anywhere in memory.
  for (Page* page : pages_) {
    for (size_t i = 0; i < capacity(); ++i) {
      if (i + kAhead < capacity()) {
        PrefetchLine(reinterpret_cast<const void*>((page->slots[i + kAhead] & kPointerMask) - 1));
      }
      if (page->slots[i] != 0) FreeMember(page->slots[i]);
    }
    Free(page);
  }
}

uint64_t MemberTable::HashOf(std::string_view text) const {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed_);
}

// --- pages ---

MemberTable::Page* MemberTable::NewPage(uint64_t prefix, int depth) {
  const size_t bytes = sizeof(Page) + capacity() * sizeof(uint64_t);
  auto* const page = static_cast<Page*>(Allocate(bytes));
  std::memset(page, 0, bytes);
  page->prefix = prefix;
  page->depth = static_cast<uint32_t>(depth);
  page->number = static_cast<uint32_t>(pages_.size());
  pages_.push_back(page);
  bytes_ += AllocationSize(bytes) + sizeof(Page*);
  return page;
}

void MemberTable::FreePage(Page* page) {
  pages_[page->number] = pages_.back();
  pages_[page->number]->number = page->number;
  pages_.pop_back();
  bytes_ -= AllocationSize(sizeof(Page) + capacity() * sizeof(uint64_t)) + sizeof(Page*);
  Free(page);
}

void MemberTable::Announce(Page* page) {
  const int below = depth_ - static_cast<int>(page->depth);
  const auto first = directory_.begin() + static_cast<ptrdiff_t>(page->prefix << below);
  const uint64_t word = uint64_t{page->depth} << kPointerBits | reinterpret_cast<uint64_t>(page);
  std::fill(first, first + (ptrdiff_t{1} << below), word);
}

void MemberTable::Place(Page* page, uint64_t word) {
  size_t slot = HomeOf(word);
  while (page->slots[slot] != 0) slot = (slot + 1) & mask();
  page->slots[slot] = word;
  ++page->live;
}

// Those behind move up, as long as that brings them no further than to where they belong.
void MemberTable::EraseSlot(Page* page, size_t slot) {
  for (size_t next = (slot + 1) & mask(); page->slots[next] != 0; next = (next + 1) & mask()) {
    const size_t from_home = (next - HomeOf(page->slots[next])) & mask();
    if (from_home < ((next - slot) & mask())) continue;
    page->slots[slot] = page->slots[next];
    slot = next;
  }
  page->slots[slot] = 0;
  --page->live;
}

void MemberTable::ResizeLonePage(int page_bits) {
  Page* const before = pages_[0];
  const size_t slots = capacity();
  const size_t bytes = sizeof(Page) + slots * sizeof(uint64_t);
  pages_.clear();
  page_bits_ = page_bits;
  Page* const page = NewPage(0, 0);
  for (size_t i = 0; i < slots; ++i) {
    if (before->slots[i] != 0) Place(page, before->slots[i]);
  }
  Announce(page);
  Free(before);
  bytes_ -= AllocationSize(bytes) + sizeof(Page*);
}

void MemberTable::Split(Page* page) {
  const int depth = static_cast<int>(page->depth) + 1;
  if (depth > depth_) {
    std::vector<uint64_t> twice(directory_.size() * 2);
    for (size_t i = 0; i < twice.size(); ++i) twice[i] = directory_[i / 2];
    directory_ = std::move(twice);
    ++depth_;
  }
  const std::vector<uint64_t> words(page->slots, page->slots + capacity());
  std::memset(page->slots, 0, capacity() * sizeof(uint64_t));
  page->live = 0;
  page->depth = static_cast<uint32_t>(depth);
  page->prefix <<= 1;
  Page* const high = NewPage(page->prefix + 1, depth);
  for (size_t i = 0; i < words.size(); ++i) {
    if (i + kAhead < words.size()) PrefetchLine(MemberOf(words[i + kAhead]));
    if (words[i] == 0) continue;
    const uint64_t tag = TagFor(HashOf(TextOf(words[i])), depth);
    const bool is_high = words[i] >> 63 != 0;  // the tag's first bit becomes the prefix's last
    Place(is_high ? high : page, tag << kPointerBits | (words[i] & kPointerMask));
  }
  Announce(page);
  Announce(high);
}

void MemberTable::MakeRoom(uint64_t hash) {
  if (page_bits_ < kPageBits) return ResizeLonePage(page_bits_ + 1);
  Split(PageOf(directory_[DirectoryIndex(hash)]));
}

void MemberTable::Thin(Page* page) {
  if (depth_ == 0) {
    if (page_bits_ > kLeastPageBits && page->live < capacity() * kThin / 8) {
      ResizeLonePage(page_bits_ - 1);
    }
    return;
  }
  if (page->live >= kThinPage || page->depth == 0) return;
  const int below = depth_ - static_cast<int>(page->depth);
  Page* const buddy = PageOf(directory_[(page->prefix ^ 1) << below]);
  if (buddy->depth != page->depth || page->live + buddy->live > kMergedPage) return;
  (page->prefix & 1) == 0 ? MergeBuddies(page, buddy) : MergeBuddies(buddy, page);
}

void MemberTable::MergeBuddies(Page* low, Page* high) {
  std::vector<uint64_t> words;
  for (const Page* const page : {low, high}) {
    const uint64_t first_bit = (page->prefix & 1) << (kTagBits - 1);
    for (size_t i = 0; i < capacity(); ++i) {
      if (page->slots[i] == 0) continue;
      const uint64_t tag = first_bit | TagOf(page->slots[i]) >> 1;
      words.push_back(tag << kPointerBits | (page->slots[i] & kPointerMask));
    }
  }
  std::memset(low->slots, 0, capacity() * sizeof(uint64_t));
  low->live = 0;
  --low->depth;
  low->prefix >>= 1;
  for (const uint64_t word : words) Place(low, word);
  FreePage(high);
  Announce(low);
  const auto shallower = [this](const Page* page) {
    return static_cast<int>(page->depth) < depth_;
  };
  // Looked at only where it may well be so: a directory is as long as its pages are many.
  while (depth_ > 0 && directory_.size() >= 2 * pages_.size() &&
         std::all_of(pages_.begin(), pages_.end(), shallower)) {
    for (size_t i = 0; i < directory_.size() / 2; ++i) directory_[i] = directory_[2 * i];
    directory_.resize(directory_.size() / 2);
    directory_.shrink_to_fit();
    --depth_;
  }
}

// --- members ---

MemberTable::Found MemberTable::Find(uint64_t hash, std::string_view text) const {
  const uint64_t entry = directory_[DirectoryIndex(hash)];
  Page* const page = PageOf(entry);
  const uint64_t tag = TagFor(hash, DepthOf(entry));
  size_t slot = HomeOf(tag << kPointerBits);
  for (;; slot = (slot + 1) & mask()) {
    const uint64_t word = page->slots[slot];
    if (word == 0) return {page, slot, 0};
    if (TagOf(word) == tag && TextOf(word) == text) return {page, slot, word};
  }
}

bool MemberTable::Contains(std::string_view text) const {
  return Find(HashOf(text), text).word != 0;
}

bool MemberTable::Insert(std::string_view text) {
  const uint64_t hash = HashOf(text);
  Found found = Find(hash, text);
  if (found.word != 0) return false;
  while (found.page->live >= capacity() * kFull / 8) {
    MakeRoom(hash);
    found = Find(hash, text);
  }
  const uint64_t tag = TagFor(hash, static_cast<int>(found.page->depth));
  found.page->slots[found.slot] = tag << kPointerBits | NewMember(text);
  ++found.page->live;
  ++size_;
  bytes_ += MemberBytes(text);
  return true;
}

bool MemberTable::Erase(std::string_view text) {
  const Found found = Find(HashOf(text), text);
  if (found.word == 0) return false;
  bytes_ -= MemberBytes(text);
  --size_;
  EraseSlot(found.page, found.slot);
  FreeMember(found.word);
  Thin(found.page);
  return true;
}

std::string_view MemberTable::Random(absl::InsecureBitGen& random) const {
  for (;;) {
    const Page* const page = pages_[Below(random(), pages_.size())];
    const uint64_t word = page->slots[Below(random(), capacity())];
    if (word != 0) return TextOf(word);
  }
}

void MemberTable::Sorted(const Page* page, uint64_t from_tag, std::vector<uint64_t>& words) const {
  words.clear();
  for (size_t i = 0; i < capacity(); ++i) {
    if (page->slots[i] != 0 && TagOf(page->slots[i]) >= from_tag) words.push_back(page->slots[i]);
  }
  std::sort(words.begin(), words.end());
}

}  // namespace lapse
