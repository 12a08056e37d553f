// A reply as a value: what a command answered, for programs that embed Lapse and for tests.
//
// One plain struct for every kind rather than a class per kind or a variant: the kinds nest, most
// callers know which one they expect, and a field that a kind does not use costs nothing to
// ignore. It owns its bytes, so it outlives the connection or database that gave it.
//
//     kind                                          field
//     kSimple kError kBulk kBigNumber kVerbatim     text (an error's without '-')
//     kInteger, kBoolean (0 or 1)                   integer
//     kDouble                                       number, and text as it was spelled
//     kArray kSet kPush                             elements
//     kMap                                          elements: key, value, key, value
//     kNull, kNullArray (RESP2's "*-1")             none
//
// This header is installed and part of the public API: it includes nothing of ours.
//
// Thread: a plain value.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

enum class ReplyType : uint8_t {
  kNull,
  kSimple,
  kError,
  kInteger,
  kBulk,
  kArray,
  kMap,
  kSet,
  kPush,
  kDouble,
  kBoolean,
  kBigNumber,
  kVerbatim,
  kNullArray,
};

struct Reply {
  ReplyType type = ReplyType::kNull;
  std::string text;
  int64_t integer = 0;
  double number = 0;
  std::vector<Reply> elements;

  bool IsNull() const { return type == ReplyType::kNull || type == ReplyType::kNullArray; }
  bool IsError() const { return type == ReplyType::kError; }
  // True for the kinds whose whole content is `text`, errors included.
  bool IsText() const {
    return type == ReplyType::kSimple || type == ReplyType::kBulk || type == ReplyType::kError ||
           type == ReplyType::kVerbatim || type == ReplyType::kBigNumber;
  }
  // True for an array, map, set or push.
  bool IsCollection() const {
    return type == ReplyType::kArray || type == ReplyType::kMap || type == ReplyType::kSet ||
           type == ReplyType::kPush;
  }

  // The integer, or the one that a text spells ("12", as GET answers); `otherwise` if neither.
  int64_t AsInteger(int64_t otherwise = 0) const;

  size_t size() const { return elements.size(); }
  // Requires: i < size().
  const Reply& operator[](size_t i) const { return elements[i]; }

  // As redis-cli renders it at a terminal: 1) "a", (integer) 2, (nil), nested lists indented.
  std::string ToString() const;

  friend bool operator==(const Reply& a, const Reply& b);
  // Text kinds only: an integer 5 does not equal "5".
  friend bool operator==(const Reply& reply, std::string_view text) {
    return reply.IsText() && reply.text == text;
  }
  // Integers only: a text "5" does not equal 5; compare AsInteger() for that.
  friend bool operator==(const Reply& reply, int64_t integer) {
    return reply.type == ReplyType::kInteger && reply.integer == integer;
  }
};

// So that a failed test assertion shows ToString().
void PrintTo(const Reply& reply, std::ostream* out);

}  // namespace lapse
