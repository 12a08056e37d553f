// What SETBIT and BITFIELD share: how an offset is written, and a string that is opened for changes
// of its bits, made or grown up to the farthest one.
//
//   BitString string(ctx);
//   if (!string.Open(last_bit)) return;      // another type: WRONGTYPE has been replied
//   string.bytes()[...] = ...;
//   string.Commit(changed);                  // reports "setbit" if anything changed
//
// Thread: the session's, under the key's shard's lock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/core/context.h"
#include "storage/locked_shard.h"

namespace lapse {

// Reads a bit's offset: a number, or, where `bits` (a field's width) is not 0, "#n" for the n-th
// field of that width. Within proto-max-bulk-len. False: the error has been replied.
bool ParseBitOffset(CommandContext& ctx, std::string_view text, int bits, uint64_t& offset);

// The row's first key as a string that reaches to a given bit at least.
class BitString {
 public:
  explicit BitString(CommandContext& ctx) : ctx_(ctx) {}

  bool Open(uint64_t last_bit);
  char* bytes() { return bytes_; }
  size_t size() const { return size_; }
  // Whether the string was made or became longer.
  bool grown() const { return grown_; }
  void Commit(bool changed);

 private:
  CommandContext& ctx_;
  Item item_;
  std::string made_;  // the bytes, while there is no key
  char* bytes_ = nullptr;
  size_t size_ = 0;
  bool grown_ = false;
};

}  // namespace lapse
