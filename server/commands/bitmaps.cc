// Strings as arrays of bits: SETBIT, GETBIT, BITCOUNT, BITPOS, BITOP.
//
// Bit 0 is the highest bit of the first byte.

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

#include "protocol/number.h"
#include "server/commands/bit_offset.h"
#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr std::string_view kBitNotInteger = "ERR bit is not an integer or out of range";
constexpr std::string_view kBitNotZeroOrOne = "ERR The bit argument must be 1 or 0.";
constexpr std::string_view kNotTakesOneKey =
    "ERR BITOP NOT must be called with a single source key.";
constexpr uint8_t kFullByte = 0xFF;

uint64_t LoadWord(const char* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

int64_t CountOnes(std::string_view bytes) {
  int64_t ones = 0;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= bytes.size(); i += sizeof(uint64_t)) {
    ones += std::popcount(LoadWord(&bytes[i]));
  }
  for (; i < bytes.size(); ++i) ones += std::popcount(static_cast<uint8_t>(bytes[i]));
  return ones;
}

// The byte's bits from `first` to `last`, both included; the others are cleared.
uint8_t BitsOf(char byte, int64_t first, int64_t last) {
  const int mask = (kFullByte >> first) & (kFullByte << (7 - last));
  return static_cast<uint8_t>(static_cast<uint8_t>(byte) & mask);
}

// Bits, both ends included; empty when first > last.
struct BitRange {
  int64_t first = 0;
  int64_t last = -1;
};

int64_t CountOnes(std::string_view bytes, BitRange range) {
  const int64_t first = range.first >> 3;
  const int64_t last = range.last >> 3;
  const auto byte = [&](int64_t i) { return bytes[static_cast<size_t>(i)]; };
  if (first == last) {
    return std::popcount(BitsOf(byte(first), range.first & 7, range.last & 7));
  }
  const std::string_view whole =
      bytes.substr(static_cast<size_t>(first + 1), static_cast<size_t>(last - first - 1));
  return std::popcount(BitsOf(byte(first), range.first & 7, 7)) + CountOnes(whole) +
         std::popcount(BitsOf(byte(last), 0, range.last & 7));
}

// The first bit of the range that is `wanted`; -1 when none is.
int64_t FindBit(std::string_view bytes, BitRange range, bool wanted) {
  const uint8_t flip = wanted ? 0 : kFullByte;  // look for a one in any case
  const int64_t last = range.last >> 3;
  for (int64_t i = range.first >> 3; i <= last; ++i) {
    // Whole words without what is wanted are passed over eight bytes at a time.
    while (i + 8 < last && i > range.first >> 3 &&
           LoadWord(&bytes[static_cast<size_t>(i)]) == (wanted ? 0 : ~uint64_t{0})) {
      i += 8;
    }
    const int64_t from = std::max(range.first - i * 8, int64_t{0});
    const int64_t to = std::min(range.last - i * 8, int64_t{7});
    const auto byte = static_cast<char>(static_cast<uint8_t>(bytes[static_cast<size_t>(i)]) ^ flip);
    const uint8_t ones = BitsOf(byte, from, to);
    if (ones != 0) return i * 8 + std::countl_zero(ones);
  }
  return -1;
}

void SetBit(CommandContext& ctx) {
  uint64_t offset = 0;
  if (!ParseBitOffset(ctx, ctx.args[2], 0, offset)) return;
  int64_t bit = 0;
  if (!ParseInt64(ctx.args[3], bit) || (bit != 0 && bit != 1)) {
    return ctx.reply.Error(kBitNotInteger);
  }
  BitString string(ctx);
  if (!string.Open(offset)) return;
  char& byte = string.bytes()[offset >> 3];
  const int shift = static_cast<int>(7 - (offset & 7));
  const int64_t before = byte >> shift & 1;
  byte = static_cast<char>((byte & ~(1 << shift)) | (static_cast<int>(bit) << shift));
  string.Commit(string.grown() || before != bit);
  ctx.reply.Integer(before);
}

void GetBit(CommandContext& ctx) {
  uint64_t offset = 0;
  if (!ParseBitOffset(ctx, ctx.args[2], 0, offset)) return;
  const Item item = ctx.shard().Read(ctx.key());
  if (!ExpectString(ctx, item)) return;
  const std::string_view bytes = item ? item.value() : std::string_view();
  const uint64_t i = offset >> 3;
  ctx.reply.Integer(i < bytes.size() ? bytes[i] >> (7 - (offset & 7)) & 1 : 0);
}

// "BYTE" or "BIT", the unit that a range is counted in.
bool ReadUnit(ArgumentReader& in) {
  if (in.Match("BIT")) return true;
  if (!in.Match("BYTE")) in.Fail(errors::kSyntax);
  return false;
}

// The range that [first, last] means, in bits or bytes; negative ends count from the back.
BitRange Resolve(int64_t first, int64_t last, bool in_bits, size_t size) {
  const auto total = static_cast<int64_t>(size) * (in_bits ? 8 : 1);
  if (first < 0) first = std::max<int64_t>(first + total, 0);
  if (last < 0) last = std::max<int64_t>(last + total, 0);
  last = std::min(last, total - 1);
  if (first > last) return {};
  return in_bits ? BitRange{first, last} : BitRange{first * 8, last * 8 + 7};
}

void BitCount(CommandContext& ctx) {
  const Item item = ctx.shard().Read(ctx.key());
  if (!item) return ctx.reply.Integer(0);  // whatever the range says
  if (!ExpectString(ctx, item)) return;
  const std::string_view bytes = item.value();
  if (ctx.args.size() == 2) return ctx.reply.Integer(CountOnes(bytes));
  if (ctx.args.size() != 4 && ctx.args.size() != 5) return ctx.reply.Error(errors::kSyntax);

  ArgumentReader in(ctx.args, 2);
  const int64_t first = in.Integer();
  const int64_t last = in.Integer();
  if (!in.ok()) return ctx.reply.Error(in.error());
  if (first < 0 && last < 0 && first > last) return ctx.reply.Integer(0);
  const bool in_bits = in.More() && ReadUnit(in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  const BitRange range = Resolve(first, last, in_bits, bytes.size());
  ctx.reply.Integer(range.first > range.last ? 0 : CountOnes(bytes, range));
}

void BitPos(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const int64_t bit = in.Integer();
  if (bit != 0 && bit != 1) in.Fail(kBitNotZeroOrOne);
  if (!in.ok()) return ctx.reply.Error(in.error());
  const Item item = ctx.shard().Read(ctx.key());
  if (!item) return ctx.reply.Integer(bit == 1 ? -1 : 0);
  if (!ExpectString(ctx, item)) return;
  if (ctx.args.size() > 6) return ctx.reply.Error(errors::kSyntax);

  const std::string_view bytes = item.value();
  const int64_t first = in.More() ? in.Integer() : 0;
  const bool has_end = in.More();
  // The unit is looked at before the end.
  bool in_bits = false;
  if (ctx.args.size() == 6 && in.ok()) {
    ArgumentReader unit(ctx.args, 5);
    in_bits = ReadUnit(unit);
    if (!unit.ok()) return ctx.reply.Error(unit.error());
  }
  const int64_t last = has_end ? in.Integer() : -1;
  if (!in.ok()) return ctx.reply.Error(in.error());
  const BitRange range = Resolve(first, last, in_bits, bytes.size());
  if (range.first > range.last) return ctx.reply.Integer(-1);
  const int64_t found = FindBit(bytes, range, bit == 1);
  // A string counts as followed by zeroes, unless its end was named.
  const bool beyond = found < 0 && bit == 0 && !has_end;
  ctx.reply.Integer(beyond ? range.last + 1 : found);
}

enum class BitOperation : uint8_t { kAnd, kOr, kXor, kNot };

bool ParseOperation(std::string_view word, BitOperation& operation) {
  using enum BitOperation;
  if (EqualsIgnoreCase(word, "and")) return operation = kAnd, true;
  if (EqualsIgnoreCase(word, "or")) return operation = kOr, true;
  if (EqualsIgnoreCase(word, "xor")) return operation = kXor, true;
  if (EqualsIgnoreCase(word, "not")) return operation = kNot, true;
  return false;
}

// Simple loops over bytes, which compilers turn into vector instructions.
void Combine(BitOperation operation, std::string& into, std::string_view bytes) {
  char* const out = into.data();
  const size_t size = bytes.size();
  switch (operation) {
    case BitOperation::kAnd:
      for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] & bytes[i]);
      // What is missing counts as zeroes.
      std::fill(into.begin() + static_cast<ptrdiff_t>(size), into.end(), '\0');
      break;
    case BitOperation::kOr:
      for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] | bytes[i]);
      break;
    case BitOperation::kXor:
      for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(out[i] ^ bytes[i]);
      break;
    case BitOperation::kNot:
      for (size_t i = 0; i < size; ++i) out[i] = static_cast<char>(~bytes[i]);
  }
}

void BitOp(CommandContext& ctx) {
  BitOperation operation{};
  if (!ParseOperation(ctx.args[1], operation)) return ctx.reply.Error(errors::kSyntax);
  if (operation == BitOperation::kNot && ctx.key_count() != 2) {
    return ctx.reply.Error(kNotTakesOneKey);
  }
  std::vector<std::string_view> sources;
  size_t longest = 0;
  for (size_t i = 1; i < ctx.key_count(); ++i) {
    const Item item = ctx.shard(i).Read(ctx.key(i));
    if (!ExpectString(ctx, item)) return;
    sources.push_back(item ? item.value() : std::string_view());
    longest = std::max(longest, sources.back().size());
  }
  std::string result(sources[0]);
  result.resize(longest);
  if (operation == BitOperation::kNot) Combine(operation, result, sources[0]);
  for (size_t i = 1; i < sources.size(); ++i) Combine(operation, result, sources[i]);

  const Item existing = ctx.shard().Find(ctx.key());
  if (longest > 0) {
    ctx.shard().Store(ctx.key(), existing, {.value = result, .event = kSetEvent});
  } else if (existing) {
    ctx.shard().Remove(existing, kDelEvent);
  }
  ctx.reply.Integer(static_cast<int64_t>(longest));
}

constexpr CommandRow kRows[] = {
    {"setbit", 4, kWrite | kDenyOom, kOneKey, KeyAccess::kReadWrite, "bitmap", "bitmap", "2.2.0",
     "O(1)", "Change one bit of a string", "key offset value", SetBit},
    {"getbit", 3, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "bitmap", "bitmap", "2.2.0",
     "O(1)", "One bit of a string", "key offset", GetBit},
    {"bitcount", -2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "bitmap", "bitmap", "2.6.0",
     "O(N), N bytes looked at", "Count the bits of a string that are 1",
     "key [start end [BYTE | BIT]]", BitCount},
    {"bitpos", -3, kReadOnly, kOneKey, KeyAccess::kReadOnly, "bitmap", "bitmap", "2.8.7",
     "O(N), N bytes looked at", "Where a string has its first bit that is 1, or 0",
     "key bit [start [end [BYTE | BIT]]]", BitPos},
    WithSpecs({"bitop",
               -4,
               kWrite | kDenyOom,
               {2, -1, 1},
               KeyAccess::kOverwrite,
               "bitmap",
               "bitmap",
               "2.6.0",
               "O(N * K), N bytes in the longest of K strings",
               "Combine strings bit by bit",
               "operation destkey key [key ...]",
               BitOp},
              kBitOpSpecs),
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> BitmapCommands() { return kRows; }

}  // namespace lapse
