// LCS: the longest common subsequence of two strings.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr std::string_view kIdxExcludesLen =
    "ERR If you want both the length and indexes, please just use IDX.";
constexpr std::string_view kNotStrings = "ERR The specified keys must contain string values";
constexpr std::string_view kTooLong = "ERR String too long for LCS";
constexpr std::string_view kTooMuchMemory =
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len";
constexpr std::string_view kNoMemory =
    "ERR Insufficient memory, failed allocating transient memory for LCS";

struct LcsOptions {
  bool length_only = false;
  bool indexes = false;
  bool with_match_length = false;
  int64_t least_match_length = 0;
};

// False: an error has been replied.
bool ParseLcsOptions(CommandContext& ctx, LcsOptions& options) {
  ArgumentReader in(ctx.args, 3);
  while (in.More()) {
    if (in.Match("IDX")) {
      options.indexes = true;
    } else if (in.Match("LEN")) {
      options.length_only = true;
    } else if (in.Match("WITHMATCHLEN")) {
      options.with_match_length = true;
    } else if (in.Match("MINMATCHLEN")) {
      options.least_match_length = in.Integer();
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (options.indexes && options.length_only) in.Fail(kIdxExcludesLen);
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

// How long the longest common subsequence of each pair of prefixes is: a row for each length of the
// one string's prefix, a column for each of the other's. A cell follows from its neighbours above,
// to the left, and above to the left.
class PrefixTable {
 public:
  // False: an error has been replied, for the table would be larger than a client's longest string
  // (Redis's limit), or than memory.
  bool Fill(CommandContext& ctx, std::string_view a, std::string_view b) {
    constexpr size_t kMaxString = std::numeric_limits<uint32_t>::max() - 1;
    if (a.size() >= kMaxString || b.size() >= kMaxString) {
      ctx.reply.Error(kTooLong);
      return false;
    }
    columns_ = b.size() + 1;
    const auto cells = static_cast<unsigned __int128>(a.size() + 1) * columns_;
    const auto limit = static_cast<unsigned __int128>(ctx.instance.config.proto_max_bulk_len);
    if (cells * sizeof(uint32_t) > limit) {
      ctx.reply.Error(kTooMuchMemory);
      return false;
    }
    cells_.reset(new (std::nothrow) uint32_t[static_cast<size_t>(cells)]);
    if (cells_ == nullptr) {
      ctx.reply.Error(kNoMemory);
      return false;
    }
    std::fill_n(cells_.get(), columns_, 0);
    for (size_t i = 1; i <= a.size(); ++i) FillRow(i, a[i - 1], b);
    return true;
  }

  uint32_t at(size_t i, size_t j) const { return cells_[i * columns_ + j]; }

 private:
  void FillRow(size_t i, char c, std::string_view b) {
    const uint32_t* const above = &cells_[(i - 1) * columns_];
    uint32_t* const row = &cells_[i * columns_];
    row[0] = 0;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = b[j - 1] == c ? above[j - 1] + 1 : std::max(above[j], row[j - 1]);
    }
  }

  size_t columns_ = 0;
  std::unique_ptr<uint32_t[]> cells_;
};

// A run of bytes that both strings have in common: [a, a + length) in the one, [b, b + length) in
// the other.
struct CommonRun {
  size_t a = 0;
  size_t b = 0;
  size_t length = 0;
};

// Walks back from the strings' ends along one longest common subsequence (of several, the one that
// Redis finds) and hands over its runs, last first.
template <typename OnRun>
void WalkBack(const PrefixTable& table, std::string_view a, std::string_view b, OnRun on_run) {
  CommonRun run;
  size_t i = a.size();
  size_t j = b.size();
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      run = {--i, --j, run.length + 1};
      continue;
    }
    if (run.length > 0) on_run(run);
    run.length = 0;
    table.at(i - 1, j) > table.at(i, j - 1) ? --i : --j;
  }
  if (run.length > 0) on_run(run);
}

void ReplyRange(ReplyWriter& reply, size_t first, size_t length) {
  reply.Array(2);
  reply.Integer(static_cast<int64_t>(first));
  reply.Integer(static_cast<int64_t>(first + length - 1));
}

void ReplyIndexes(ReplyWriter& reply, const PrefixTable& table, std::string_view a,
                  std::string_view b, const LcsOptions& options) {
  reply.Map(2);
  reply.Bulk("matches");
  const size_t mark = reply.BeginArray();
  size_t shown = 0;
  WalkBack(table, a, b, [&](const CommonRun& run) {
    if (static_cast<int64_t>(run.length) < options.least_match_length) return;
    reply.Array(options.with_match_length ? 3 : 2);
    ReplyRange(reply, run.a, run.length);
    ReplyRange(reply, run.b, run.length);
    if (options.with_match_length) reply.Integer(static_cast<int64_t>(run.length));
    ++shown;
  });
  reply.EndArray(mark, shown);
  reply.Bulk("len");
  reply.Integer(table.at(a.size(), b.size()));
}

std::string Subsequence(const PrefixTable& table, std::string_view a, std::string_view b) {
  std::string found(table.at(a.size(), b.size()), '\0');
  size_t end = found.size();
  WalkBack(table, a, b, [&](const CommonRun& run) {
    end -= run.length;
    a.copy(&found[end], run.length, run.a);
  });
  return found;
}

// Copies the strings and works on them without the lock: a comparison of long strings takes longer
// than anybody should wait for a shard.
void Lcs(CommandContext& ctx) {
  std::string values[2];
  {
    const uint16_t db = ctx.view().db;
    KeyLocks locks(ctx.keyspace(), ctx.view(), {{db, ctx.key(0).place}, {db, ctx.key(1).place}});
    bool strings = true;
    for (size_t i = 0; i < 2; ++i) {
      const Item item = locks.For(db, ctx.key(i).place).Read(ctx.key(i));
      strings &= !item || item.is_string();
      if (item && strings) values[i] = item.value();
    }
    if (!strings) return ctx.reply.Error(kNotStrings);
  }
  LcsOptions options;
  if (!ParseLcsOptions(ctx, options)) return;
  const auto& [a, b] = values;
  PrefixTable table;
  if (!table.Fill(ctx, a, b)) return;
  if (options.indexes) {
    ReplyIndexes(ctx.reply, table, a, b, options);
  } else if (options.length_only) {
    ctx.reply.Integer(table.at(a.size(), b.size()));
  } else {
    ctx.reply.Bulk(Subsequence(table, a, b));
  }
}

constexpr CommandRow kRows[] = {
    {"lcs", -3, kReadOnly | kLocksItself, kTwoKeys, KeyAccess::kReadOnly, "string", "string",
     "7.0.0", "O(N * M), N and M bytes in the two strings",
     "The longest run of characters, with gaps, that two strings share",
     "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]", Lcs},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> LcsCommands() { return kRows; }

}  // namespace lapse
