// Strings as arrays of integers of any width: BITFIELD, BITFIELD_RO.

#include <algorithm>
#include <optional>
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

constexpr std::string_view kBadType =
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 "
    "is.";
constexpr std::string_view kBadOverflow = "ERR Invalid OVERFLOW type specified";
constexpr std::string_view kGetOnly = "ERR BITFIELD_RO only supports the GET subcommand";
constexpr int kMostBits = 64;

enum class Overflow : uint8_t { kWrap, kSaturate, kFail };
enum class Action : uint8_t { kGet, kSet, kIncrBy };

// An integer within the string: "i16" or "u8" at a bit offset.
struct Field {
  uint64_t offset = 0;
  int bits = 0;
  bool is_signed = false;
};

struct Operation {
  Action action = Action::kGet;
  Overflow overflow = Overflow::kWrap;
  Field field;
  int64_t operand = 0;
};

// The type's letter and width. False: the error has been replied.
bool ParseType(CommandContext& ctx, std::string_view text, Field& field) {
  field.is_signed = text.starts_with('i');
  int64_t bits = 0;
  const bool sound = (field.is_signed || text.starts_with('u')) &&
                     ParseInt64(text.substr(1), bits) && bits >= 1 &&
                     bits <= (field.is_signed ? kMostBits : kMostBits - 1);
  if (!sound) ctx.reply.Error(kBadType);
  field.bits = static_cast<int>(bits);
  return sound;
}

bool ParseOverflow(std::string_view word, Overflow& overflow) {
  using enum Overflow;
  if (EqualsIgnoreCase(word, "wrap")) return overflow = kWrap, true;
  if (EqualsIgnoreCase(word, "sat")) return overflow = kSaturate, true;
  if (EqualsIgnoreCase(word, "fail")) return overflow = kFail, true;
  return false;
}

std::optional<Action> ParseAction(std::string_view word, size_t words_left) {
  if (EqualsIgnoreCase(word, "get") && words_left >= 2) return Action::kGet;
  if (EqualsIgnoreCase(word, "set") && words_left >= 3) return Action::kSet;
  if (EqualsIgnoreCase(word, "incrby") && words_left >= 3) return Action::kIncrBy;
  return std::nullopt;
}

// False: an error has been replied.
bool ParseOperations(CommandContext& ctx, std::vector<Operation>& operations) {
  const auto args = ctx.args;
  Overflow overflow = Overflow::kWrap;
  for (size_t i = 2; i < args.size();) {
    const size_t left = args.size() - i - 1;
    if (EqualsIgnoreCase(args[i], "overflow") && left >= 1) {
      if (!ParseOverflow(args[i + 1], overflow)) return ctx.reply.Error(kBadOverflow), false;
      i += 2;
      continue;
    }
    const auto action = ParseAction(args[i], left);
    if (!action) return ctx.reply.Error(errors::kSyntax), false;
    Operation operation{.action = *action, .overflow = overflow};
    if (!ParseType(ctx, args[i + 1], operation.field)) return false;
    if (!ParseBitOffset(ctx, args[i + 2], operation.field.bits, operation.field.offset)) {
      return false;
    }
    i += 3;
    if (*action != Action::kGet && !ParseInt64(args[i++], operation.operand)) {
      return ctx.reply.Error(errors::kNotInteger), false;
    }
    operations.push_back(operation);
  }
  return true;
}

// What the field holds; bits beyond the end are zero.
int64_t Load(std::string_view bytes, const Field& field) {
  uint64_t value = 0;
  for (uint64_t bit = field.offset; bit < field.offset + static_cast<uint64_t>(field.bits); ++bit) {
    const uint64_t i = bit >> 3;
    const uint64_t one =
        i < bytes.size() ? static_cast<uint8_t>(bytes[i]) >> (7 - (bit & 7)) & 1 : 0;
    value = value << 1 | one;
  }
  const int unused = kMostBits - field.bits;
  if (!field.is_signed) return static_cast<int64_t>(value);
  return static_cast<int64_t>(value << unused) >> unused;
}

void Save(char* bytes, const Field& field, int64_t value) {
  for (int i = 0; i < field.bits; ++i) {
    const uint64_t bit = field.offset + static_cast<uint64_t>(field.bits - 1 - i);
    const int shift = static_cast<int>(7 - (bit & 7));
    const int one = static_cast<int>(static_cast<uint64_t>(value) >> i & 1);
    bytes[bit >> 3] = static_cast<char>((bytes[bit >> 3] & ~(1 << shift)) | one << shift);
  }
}

// Brings a number into the field's range by the rule for overflows; nullopt: by failing.
std::optional<int64_t> Fit(__int128 value, const Field& field, Overflow overflow) {
  const __int128 most = (__int128{1} << (field.is_signed ? field.bits - 1 : field.bits)) - 1;
  const __int128 least = field.is_signed ? -most - 1 : 0;
  if (value >= least && value <= most) return static_cast<int64_t>(value);
  if (overflow == Overflow::kFail) return std::nullopt;
  if (overflow == Overflow::kSaturate) return static_cast<int64_t>(value < least ? least : most);
  const int unused = kMostBits - field.bits;
  const uint64_t low = static_cast<uint64_t>(value) << unused;
  return field.is_signed ? static_cast<int64_t>(low) >> unused
                         : static_cast<int64_t>(low >> unused);
}

// What the operation writes; nullopt when it fails.
std::optional<int64_t> NewValue(const Operation& operation, int64_t before) {
  const __int128 operand = operation.operand;
  if (operation.action == Action::kIncrBy) {
    return Fit(operand + before, operation.field, operation.overflow);
  }
  // A negative number for an unsigned field counts as the large one that has its bits.
  const bool huge = !operation.field.is_signed && operation.operand < 0;
  return Fit(huge ? operand + (__int128{1} << kMostBits) : operand, operation.field,
             operation.overflow);
}

void ReplyReads(CommandContext& ctx, const std::vector<Operation>& operations) {
  const Item item = ctx.shard().Read(ctx.key());
  if (!ExpectString(ctx, item)) return;
  const std::string_view bytes = item ? item.value() : std::string_view();
  ctx.reply.Array(operations.size());
  for (const Operation& operation : operations) ctx.reply.Integer(Load(bytes, operation.field));
}

void Run(CommandContext& ctx, const std::vector<Operation>& operations) {
  uint64_t last_bit = 0;
  for (const auto& [action, overflow, field, operand] : operations) {
    if (action == Action::kGet) continue;
    last_bit = std::max(last_bit, field.offset + static_cast<uint64_t>(field.bits) - 1);
  }
  BitString string(ctx);
  if (!string.Open(last_bit)) return;
  bool changed = false;
  ctx.reply.Array(operations.size());
  for (const Operation& operation : operations) {
    const int64_t before = Load({string.bytes(), string.size()}, operation.field);
    if (operation.action == Action::kGet) {
      ctx.reply.Integer(before);
      continue;
    }
    const auto value = NewValue(operation, before);
    if (!value) {
      ctx.reply.Null();
      continue;
    }
    Save(string.bytes(), operation.field, *value);
    changed |= string.grown() || *value != before;
    ctx.reply.Integer(operation.action == Action::kSet ? before : *value);
  }
  string.Commit(changed);
}

bool OnlyReads(const std::vector<Operation>& operations) {
  return std::all_of(operations.begin(), operations.end(),
                     [](const Operation& o) { return o.action == Action::kGet; });
}

void BitField(CommandContext& ctx) {
  std::vector<Operation> operations;
  if (!ParseOperations(ctx, operations)) return;
  OnlyReads(operations) ? ReplyReads(ctx, operations) : Run(ctx, operations);
}

void BitFieldRo(CommandContext& ctx) {
  std::vector<Operation> operations;
  if (!ParseOperations(ctx, operations)) return;
  if (!OnlyReads(operations)) return ctx.reply.Error(kGetOnly);
  ReplyReads(ctx, operations);
}

// With GET alone it only reads. What is malformed is taken for a write.
KeyAccess AccessOfBitField(std::span<const std::string_view> args) {
  size_t i = 2;
  while (i < args.size()) {
    const size_t behind = args.size() - i - 1;
    if (EqualsIgnoreCase(args[i], "GET") && behind >= 2) {
      i += 3;
    } else if (EqualsIgnoreCase(args[i], "OVERFLOW") && behind >= 1) {
      i += 2;
    } else {
      return KeyAccess::kReadWrite;
    }
  }
  return KeyAccess::kReadOnly;
}

constexpr CommandRow kRows[] = {
    WithSpecs(
        {"bitfield", -2, kWrite | kDenyOom, kOneKey, KeyAccess::kReadWrite, "bitmap", "bitmap",
         "3.2.0", "O(1) per operation", "Read and change integers of any width within a string",
         "key [GET encoding offset | [OVERFLOW <WRAP | SAT | FAIL>] <SET encoding offset value | "
         "INCRBY encoding offset increment>] ...",
         BitField},
        kVariableKey, AccessOfBitField),
    {"bitfield_ro", -2, kReadOnly | kFast, kOneKey, KeyAccess::kReadOnly, "bitmap", "bitmap",
     "6.0.0", "O(1) per operation", "Read integers of any width within a string",
     "key [GET encoding offset] ...", BitFieldRo},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> BitFieldCommands() { return kRows; }

}  // namespace lapse
