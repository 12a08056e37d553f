// A hash table of texts in which large sets keep their members.
//
//   directory word  | 63..48 page's depth | 47..0 page |     2^depth words, by the hash's first
//   bits page            | header | 512 slots of 8 bytes |        a lone page has fewer: 16, 32,
//   ... slot            | 63..48 tag | 47..0 member |            0: empty member          | length
//   (1 byte, or 255 and 4 bytes) | text |       one allocation
//
// The tag is the 16 bits of the hash behind those that lead to the page, and its own first bits say
// where in the page the member belongs; from there on slots are tried in turn. So members lie in
// the order of their hashes, as far as the tag knows it, and a lookup reads directory, slots and
// member: two cache misses in a set of a million, where the directory stays in the cache.
//
// A full page splits in two and two thin ones merge, so that no insertion waits for a rehash of
// everything. A page that merges makes its tags from what they are; one that splits asks the
// members for the bit that is missing.
//
// A scan's cursor is a place in the order of hashes, which no split or merge disturbs: a member
// that stays during the whole scan is returned. A random member is a random slot of a random page,
// tried again while it is empty; pages are kept at least about a quarter full on average.
//
// Hashes are XXH3 with a seed of the table's own, so that nobody outside can aim at one page.
//
// Invariants:
//   1. Every slot between a member's own and the one it is in is taken (cyclically).
//   2. Every directory word whose number begins with a page's prefix points to that page.
//
// Thread: as a std::set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/base/optimization.h"
#include "absl/random/random.h"
#include "storage/prefetch.h"

namespace lapse {

class MemberTable {
 public:
  MemberTable();
  MemberTable(const MemberTable& other);
  MemberTable(MemberTable&& other) noexcept;
  MemberTable& operator=(MemberTable other) noexcept;
  ~MemberTable();

  size_t size() const { return size_; }
  // Of all allocations, as malloc hands them out; this object is not counted.
  size_t allocated_bytes() const { return bytes_ + directory_.capacity() * sizeof(uint64_t); }

  bool Contains(std::string_view text) const;
  // False: it was there already, or was not there.
  bool Insert(std::string_view text);
  bool Erase(std::string_view text);

  // Calls visit(text) for each member, in no order that means anything, until it returns false.
  // The table must not change meanwhile.
  template <typename Visit>
  void VisitWhile(Visit visit) const;

  // Any member, all with the same chance; good until the next change. Requires: not empty.
  std::string_view Random(absl::InsecureBitGen& random) const;

  // Calls visit(text) for `count` members, or a few more, from the cursor on. Returns where to go
  // on; 0 begins, and is returned at the end.
  template <typename Visit>
  uint64_t Scan(uint64_t cursor, size_t count, Visit visit) const;

 private:
  static constexpr int kPageBits = 9;
  static constexpr int kLeastPageBits = 4;
  static constexpr int kTagBits = 16;
  static constexpr int kPointerBits = 48;
  static constexpr uint64_t kPointerMask = (uint64_t{1} << kPointerBits) - 1;
  static constexpr int kCursorShift = 11;  // 53 bits are kept: a double holds them
  static constexpr size_t kAhead = 8;      // members asked for ahead of their turn

  struct Page {
    uint64_t prefix;  // the first `depth` bits of its members' hashes
    uint32_t depth;
    uint32_t live;
    uint32_t number;  // in pages_
    uint64_t slots[];
  };

  struct Found {
    Page* page = nullptr;
    size_t slot = 0;  // the member's, or the empty one where it would go
    uint64_t word = 0;
  };

  static const char* MemberOf(uint64_t word) {
    return reinterpret_cast<const char*>(word & kPointerMask);
  }
  static std::string_view TextOf(uint64_t word);
  static uint64_t TagOf(uint64_t word) { return word >> kPointerBits; }
  static uint64_t TagFor(uint64_t hash, int depth) { return (hash << depth) >> kPointerBits; }
  static uint64_t NewMember(std::string_view text);
  static void FreeMember(uint64_t word);

  uint64_t HashOf(std::string_view text) const;
  size_t capacity() const { return size_t{1} << page_bits_; }
  size_t mask() const { return capacity() - 1; }
  size_t HomeOf(uint64_t word) const { return word >> (64 - page_bits_); }
  // By the hash's first bits.
  size_t DirectoryIndex(uint64_t hash) const { return (hash >> 1) >> (63 - depth_); }
  Page* PageOf(uint64_t directory_word) const {
    return reinterpret_cast<Page*>(directory_word & kPointerMask);
  }
  static int DepthOf(uint64_t directory_word) {
    return static_cast<int>(directory_word >> kPointerBits);
  }

  Found Find(uint64_t hash, std::string_view text) const;
  Page* NewPage(uint64_t prefix, int depth);
  void FreePage(Page* page);
  void Place(Page* page, uint64_t word);
  void EraseSlot(Page* page, size_t slot);
  // Points the directory's words to the page.
  void Announce(Page* page);
  void MakeRoom(uint64_t hash);
  void ResizeLonePage(int page_bits);
  void Split(Page* page);
  void Thin(Page* page);
  void MergeBuddies(Page* low, Page* high);
  // The words of one page from a tag on, by tag.
  void Sorted(const Page* page, uint64_t from_tag, std::vector<uint64_t>& words) const;

  uint64_t seed_;
  size_t size_ = 0;
  size_t bytes_ = 0;
  int depth_ = 0;
  int page_bits_ = kLeastPageBits;
  std::vector<uint64_t> directory_;
  std::vector<Page*> pages_;
};

template <typename Visit>
void MemberTable::VisitWhile(Visit visit) const {
  for (const Page* page : pages_) {
    for (size_t i = 0; i < capacity(); ++i) {
      if (i + kAhead < capacity()) PrefetchLine(MemberOf(page->slots[i + kAhead]));
      if (page->slots[i] != 0 && !visit(TextOf(page->slots[i]))) return;
    }
  }
}

template <typename Visit>
uint64_t MemberTable::Scan(uint64_t cursor, size_t count, Visit visit) const {
  uint64_t place = cursor << kCursorShift;
  std::vector<uint64_t> words;
  for (;;) {
    const Page* const page = PageOf(directory_[DirectoryIndex(place)]);
    const int depth = static_cast<int>(page->depth);
    Sorted(page, TagFor(place, depth), words);
    const uint64_t start = depth == 0 ? 0 : page->prefix << (64 - depth);
    for (size_t i = 0; i < words.size(); ++i) {
      // Members of one tag are returned together: the cursor tells them from the next tag's alone.
      const bool apart = i > 0 && TagOf(words[i]) != TagOf(words[i - 1]);
      if (count == 0 && apart) {
        return (start | (TagOf(words[i]) << kPointerBits) >> depth) >> kCursorShift;
      }
      visit(TextOf(words[i]));
      if (count > 0) --count;
    }
    const uint64_t next = depth == 0 ? 0 : (page->prefix + 1) << (64 - depth);
    if (next == 0 || count == 0) return next >> kCursorShift;
    place = next;
  }
}

}  // namespace lapse
