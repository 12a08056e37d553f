// Random words of requests, likely and unlikely ones: keys from a small set, so that commands meet
// each other's results, and values, numbers and times that lie on both sides of every limit.
//
// Nothing here lets two servers with the same history answer differently by chance:
//   1. A TTL is hours long or over already, so that no key expires while two replies are compared.
//   2. Relative TTLs differ from each other by much more than two servers' clocks readings do, so
//      that GT and LT decide alike.
//   3. No number lies between kMaxOffset and the longest string: SETRANGE would allocate it.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace lapse {

inline constexpr int kDatabasesInPlay = 3;

class Dice {
 public:
  Dice(uint64_t seed, int protocol) : random_(seed), protocol_(protocol) {}

  // The protocol version that a HELLO asks for most often.
  int protocol() const { return protocol_; }
  // Absolute times lie around this one.
  void set_now_ms(int64_t now_ms) { now_ms_ = now_ms; }

  size_t Below(size_t bound) { return random_() % bound; }
  bool Chance(int percent) { return Below(100) < static_cast<size_t>(percent); }
  int64_t Between(int64_t least, int64_t most);
  std::string OneOf(std::initializer_list<std::string_view> words);

  std::string Key();
  std::string Pattern();
  std::string Value();
  std::string Integer();  // mostly one, of any size
  std::string Float();    // mostly one
  std::string Offset();   // into a string; 3. holds
  std::string Database();
  // A word where it does not belong.
  std::string Junk();
  // The same letters, some in the other case.
  std::string AnyCase(std::string_view word);

  // Times as EX, PX, EXAT and PXAT take them.
  std::string Seconds() { return RelativeTtl(false); }
  std::string Milliseconds() { return RelativeTtl(true); }
  std::string UnixSeconds() { return AbsoluteTtl(false); }
  std::string UnixMilliseconds() { return AbsoluteTtl(true); }

 private:
  std::string RelativeTtl(bool in_ms);
  std::string AbsoluteTtl(bool in_ms);
  std::string BadTtl();
  std::string Bytes(size_t size);

  std::mt19937_64 random_;
  int protocol_;
  int64_t now_ms_ = 0;
};

}  // namespace lapse
