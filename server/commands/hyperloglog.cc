// Estimated counts of distinct elements: PFADD, PFCOUNT, PFMERGE. The values are strings.

#include "storage/values/hyperloglog.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "server/commands/families.h"
#include "server/commands/key_specs.h"
#include "server/commands/rows.h"
#include "server/commands/typed.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

using hyperloglog::Outcome;

constexpr Event kPfAddEvent{"pfadd", '$'};
constexpr std::string_view kNotOne = "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kCorrupt = "INVALIDOBJ Corrupted HLL object detected";

// False: an error has been replied. True for a key that is not there.
bool ExpectHyperLogLog(CommandContext& ctx, const Item& item) {
  if (!item) return true;
  if (!ExpectString(ctx, item)) return false;
  if (hyperloglog::HasHeader(item.value())) return true;
  ctx.reply.Error(kNotOne);
  return false;
}

size_t MaxSparseBytes(const CommandContext& ctx) {
  return static_cast<size_t>(ctx.instance.config.hll_sparse_max_bytes);
}

// Writes the bytes in place of the item's, without reporting it.
void Overwrite(CommandContext& ctx, Item& item, std::string_view bytes) {
  char* const at = ctx.shard().ResizeString(ctx.key(), item, bytes.size());
  std::memcpy(at, bytes.data(), bytes.size());
}

// What the elements do to the value, in the same bytes as long as they are dense.
Outcome AddAll(CommandContext& ctx, char* bytes) {
  Outcome outcome = Outcome::kUnchanged;
  for (const std::string_view element : ctx.args.subspan(2)) {
    const Outcome one = hyperloglog::RaiseDense(bytes, hyperloglog::Observe(element));
    if (one == Outcome::kChanged) outcome = one;
  }
  return outcome;
}

Outcome AddAll(CommandContext& ctx, std::string& bytes) {
  Outcome outcome = Outcome::kUnchanged;
  for (const std::string_view element : ctx.args.subspan(2)) {
    const Outcome one =
        hyperloglog::Raise(bytes, hyperloglog::Observe(element), MaxSparseBytes(ctx));
    if (one == Outcome::kCorrupt) return one;
    if (one == Outcome::kChanged) outcome = one;
  }
  return outcome;
}

void ReplyAdded(CommandContext& ctx, Outcome outcome) {
  if (outcome == Outcome::kCorrupt) return ctx.reply.Error(kCorrupt);
  ctx.reply.Integer(outcome == Outcome::kChanged ? 1 : 0);
}

void PfAdd(CommandContext& ctx) {
  Item item = ctx.shard().Find(ctx.key());
  if (!ExpectHyperLogLog(ctx, item)) return;
  if (!item) {
    std::string made = hyperloglog::Make();
    AddAll(ctx, made);
    hyperloglog::InvalidateCount(made.data());
    ctx.shard().Store(ctx.key(), {}, {.value = made, .event = kPfAddEvent});
    return ctx.reply.Integer(1);
  }
  Outcome outcome = Outcome::kUnchanged;
  if (hyperloglog::IsDense(item.value())) {
    char* const bytes = ctx.shard().ResizeString(ctx.key(), item, hyperloglog::kDenseBytes);
    outcome = AddAll(ctx, bytes);
    if (outcome == Outcome::kChanged) hyperloglog::InvalidateCount(bytes);
  } else {
    std::string bytes(item.value());
    outcome = AddAll(ctx, bytes);
    if (outcome == Outcome::kChanged) hyperloglog::InvalidateCount(bytes.data());
    Overwrite(ctx, item, bytes);
  }
  if (outcome == Outcome::kChanged) ctx.shard().ReportWritten(item, kPfAddEvent);
  ReplyAdded(ctx, outcome);
}

// Merges all keys. False: an error has been replied. `dense` is set when one of them is.
bool MergeKeys(CommandContext& ctx, hyperloglog::Registers& registers, bool& dense) {
  for (size_t i = 0; i < ctx.key_count(); ++i) {
    const Item item = ctx.shard(i).Read(ctx.key(i));
    if (!ExpectHyperLogLog(ctx, item)) return false;
    if (!item) continue;
    dense |= hyperloglog::IsDense(item.value());
    if (!hyperloglog::MergeInto(registers, item.value())) return ctx.reply.Error(kCorrupt), false;
  }
  return true;
}

void PfCount(CommandContext& ctx) {
  if (ctx.key_count() > 1) {
    hyperloglog::Registers registers{};
    bool dense = false;
    if (!MergeKeys(ctx, registers, dense)) return;
    return ctx.reply.Integer(static_cast<int64_t>(hyperloglog::Count(registers)));
  }
  Item item = ctx.shard().Read(ctx.key());
  if (!ExpectHyperLogLog(ctx, item)) return;
  if (!item) return ctx.reply.Integer(0);
  auto count = hyperloglog::CachedCount(item.value());
  if (!count) {
    count = hyperloglog::Count(item.value());
    if (!count) return ctx.reply.Error(kCorrupt);
    // The value means what it did: nobody need hear of it.
    const size_t size = item.value().size();
    hyperloglog::CacheCount(ctx.shard().ResizeString(ctx.key(), item, size), *count);
  }
  ctx.reply.Integer(static_cast<int64_t>(*count));
}

void PfMerge(CommandContext& ctx) {
  hyperloglog::Registers registers{};
  bool dense = false;
  if (!MergeKeys(ctx, registers, dense)) return;
  Item item = ctx.shard().Find(ctx.key());
  std::string bytes = item ? std::string(item.value()) : hyperloglog::Make();
  if (dense && !hyperloglog::MakeDense(bytes)) return ctx.reply.Error(kCorrupt);
  for (size_t i = 0; i < registers.size(); ++i) {
    if (registers[i] > 0) hyperloglog::Raise(bytes, {i, registers[i]}, MaxSparseBytes(ctx));
  }
  hyperloglog::InvalidateCount(bytes.data());
  if (item) {
    Overwrite(ctx, item, bytes);
    ctx.shard().ReportWritten(item, kPfAddEvent);
  } else {
    ctx.shard().Store(ctx.key(), {}, {.value = bytes, .event = kPfAddEvent});
  }
  ctx.reply.Ok();
}

// --- For the curious and for tests. ---

// Makes the item dense. False: an error has been replied.
bool ToDense(CommandContext& ctx, Item& item) {
  std::string bytes(item.value());
  if (!hyperloglog::MakeDense(bytes)) return ctx.reply.Error(kCorrupt), false;
  Overwrite(ctx, item, bytes);
  return true;
}

void ReplyRegisters(CommandContext& ctx, Item& item) {
  if (!hyperloglog::IsDense(item.value()) && !ToDense(ctx, item)) return;
  hyperloglog::Registers registers{};
  hyperloglog::MergeInto(registers, item.value());
  ctx.reply.Array(registers.size());
  for (const uint8_t value : registers) ctx.reply.Integer(value);
}

void PfDebug(CommandContext& ctx) {
  Item item = ctx.shard().Find(ctx.key());
  if (!item) return ctx.reply.Error("ERR The specified key does not exist");
  if (!ExpectHyperLogLog(ctx, item)) return;
  const std::string_view wanted = ctx.args[1];
  const bool dense = hyperloglog::IsDense(item.value());
  if (EqualsIgnoreCase(wanted, "getreg")) {
    ReplyRegisters(ctx, item);
  } else if (EqualsIgnoreCase(wanted, "decode")) {
    if (dense) return ctx.reply.Error("ERR HLL encoding is not sparse");
    ctx.reply.Bulk(hyperloglog::DescribeRuns(item.value()));
  } else if (EqualsIgnoreCase(wanted, "encoding")) {
    ctx.reply.Simple(dense ? "dense" : "sparse");
  } else if (EqualsIgnoreCase(wanted, "todense")) {
    if (!dense && !ToDense(ctx, item)) return;
    ctx.reply.Integer(dense ? 0 : 1);
  } else {
    ctx.reply.Error(fmt::format("ERR Unknown PFDEBUG subcommand '{}'", wanted));
  }
}

// Adds numbers to a value in both forms and compares the estimates with each other and the truth.
void PfSelfTest(CommandContext& ctx) {
  constexpr int64_t kElements = 100'000;
  constexpr double kMostError = 6 * 1.04 / 128;  // six standard errors: 1.04 / sqrt(registers)
  std::string sparse = hyperloglog::Make();
  std::string dense = hyperloglog::Make();
  bool sound = hyperloglog::MakeDense(dense);
  for (int64_t i = 1; i <= kElements && sound; ++i) {
    const auto observed = hyperloglog::Observe(fmt::format("element:{}", i));
    const Outcome outcome = hyperloglog::RaiseDense(dense.data(), observed);
    sound = hyperloglog::Raise(sparse, observed, MaxSparseBytes(ctx)) == outcome;
    if ((i & (i - 1)) != 0) continue;  // looks at powers of two
    const auto estimate = hyperloglog::Count(dense);
    sound = sound && estimate && estimate == hyperloglog::Count(sparse) &&
            std::abs(static_cast<double>(*estimate) - static_cast<double>(i)) <=
                std::max(1.0, static_cast<double>(i) * kMostError);
  }
  sound ? ctx.reply.Ok() : ctx.reply.Error("TESTFAILED The estimates are wrong");
}

constexpr CommandRow kRows[] = {
    {"pfadd", -2, kWrite | kDenyOom | kFast, kOneKey, KeyAccess::kInsert, "hyperloglog",
     "hyperloglog", "2.8.9", "O(1) per element", "Add elements to a HyperLogLog",
     "key [element [element ...]]", PfAdd},
    {"pfcount", -2, kReadOnly, kAllKeys, KeyAccess::kReadCached, "hyperloglog", "hyperloglog",
     "2.8.9", "O(1) per key; the count of a single key is remembered",
     "About how many different elements HyperLogLogs have seen", "key [key ...]", PfCount},
    WithSpecs({"pfmerge", -2, kWrite | kDenyOom, kAllKeys, KeyAccess::kReadInsert, "hyperloglog",
               "hyperloglog", "2.8.9", "O(1) per key", "Make one HyperLogLog of several",
               "destkey [sourcekey [sourcekey ...]]", PfMerge},
              kMergeSpecs),
    {"pfdebug", 3, kWrite | kDenyOom | kAdmin, kSubcommandKey, KeyAccess::kReadCached,
     "hyperloglog", "hyperloglog", "2.8.9", "O(N), N registers",
     "Looks into a HyperLogLog, for tests", "subcommand key", PfDebug},
    {"pfselftest", 1, kAdmin, kNoKeys, KeyAccess::kNone, "hyperloglog", "hyperloglog", "2.8.9",
     "O(N), N elements tried", "Tests HyperLogLogs", "", PfSelfTest},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> HyperLogLogCommands() { return kRows; }

}  // namespace lapse
