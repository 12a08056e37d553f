// The numbers of Redis's RDB format: what a value's first byte says, and which version knows it.
//
// Written is what Redis 7.0 reads, format version 10; a hash with deadlines of fields, which only
// Redis 7.4 knows, takes version 12. Read is everything up to 12, and the forms of the releases
// before.
//
// Thread: constants.
#pragma once

#include <cstdint>

namespace lapse::rdb {

inline constexpr uint16_t kVersion = 10;               // Redis 7.0
inline constexpr uint16_t kFieldDeadlineVersion = 12;  // Redis 7.4
inline constexpr uint16_t kNewestVersion = 12;

enum class Type : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kSortedSetText = 3,  // scores as decimal texts
  kHash = 4,
  kSortedSet = 5,
  kListZiplist = 10,
  kIntset = 11,
  kSortedSetZiplist = 12,
  kHashZiplist = 13,
  kListZiplists = 14,
  kStream = 15,
  kHashListpack = 16,
  kSortedSetListpack = 17,
  kListNodes = 18,
  kStream2 = 19,
  kSetListpack = 20,
  kStream3 = 21,
  kHashDeadlines = 24,
  kHashListpackDeadlines = 25,
};

inline constexpr uint8_t kFunctionTag = 0xF5;

// How a node of kListNodes is held.
inline constexpr uint64_t kPlainNode = 1;   // one element, as it is
inline constexpr uint64_t kPackedNode = 2;  // a listpack

// A text's first byte when it is not a length.
inline constexpr uint8_t kInt8Text = 0xC0;
inline constexpr uint8_t kInt16Text = 0xC1;
inline constexpr uint8_t kInt32Text = 0xC2;
inline constexpr uint8_t kLzfText = 0xC3;

}  // namespace lapse::rdb
