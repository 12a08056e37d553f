// HRANDFIELD.

#include <limits>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/random/random.h"
#include "protocol/number.h"
#include "server/commands/families.h"
#include "server/commands/hashes.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"

namespace lapse {
namespace {

constexpr int64_t kMostCount = std::numeric_limits<int64_t>::max();
constexpr std::string_view kCountOutOfRange =
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
// Above this share of all fields, picking goes through them once instead of drawing one by one.
constexpr size_t kSparse = 3;
// A reply of fields that are drawn again and again ends here, and so does the client.
constexpr size_t kLongestReply = size_t{1} << 30;

// Replies with fields, one after the other; RESP3 has those with values in pairs.
class FieldWriter {
 public:
  FieldWriter(ReplyWriter& reply, bool with_values) : reply_(reply), with_values_(with_values) {}

  void Begin(size_t fields) {
    reply_.Array(with_values_ && reply_.resp() == 2 ? 2 * fields : fields);
  }
  void operator()(const Hash::Text& name, const Hash::Text& value, int64_t) {
    if (with_values_ && reply_.resp() > 2) reply_.Array(2);
    ReplyText(reply_, name);
    if (with_values_) ReplyText(reply_, value);
  }

 private:
  ReplyWriter& reply_;
  const bool with_values_;
};

// Each field with probability (wanted / left): exactly as many as are wanted, all choices equally
// likely.
void PickInOnePass(const Hash& hash, size_t count, absl::BitGenRef random, FieldWriter& write) {
  size_t left = hash.size();
  size_t wanted = count;
  hash.Visit([&](const Hash::Text& name, const Hash::Text& value, int64_t deadline) {
    if (absl::Uniform<size_t>(random, 0, left--) >= wanted) return;
    --wanted;
    write(name, value, deadline);
  });
}

// Draws until there are enough different ones: few of many. A field is known by where it lies.
void PickOneByOne(const Hash& hash, size_t count, absl::BitGenRef random, FieldWriter& write) {
  absl::flat_hash_set<const char*> picked;
  picked.reserve(count);
  while (picked.size() < count) {
    hash.Random(random, [&](const Hash::Text& name, const Hash::Text& value, int64_t deadline) {
      if (picked.insert(name.text.data()).second) write(name, value, deadline);
    });
  }
}

void ReplyRepeatedly(CommandContext& ctx, const Hash& hash, uint64_t count, absl::BitGenRef random,
                     FieldWriter& write) {
  const size_t mark = ctx.reply.size();
  write.Begin(count);
  for (uint64_t i = 0; i < count; ++i) {
    hash.Random(random, [&write](const Hash::Text& name, const Hash::Text& value,
                                 int64_t deadline) { write(name, value, deadline); });
    if (ctx.reply.size() - mark <= kLongestReply) continue;
    ctx.reply.Truncate(mark);
    ctx.session.close_after_reply = true;
    return;
  }
}

void ReplySome(CommandContext& ctx, const Hash& hash, int64_t count, bool with_values) {
  absl::InsecureBitGen random;
  FieldWriter write(ctx.reply, with_values);
  if (count < 0) return ReplyRepeatedly(ctx, hash, static_cast<uint64_t>(-count), random, write);
  const auto wanted = std::min(static_cast<size_t>(count), hash.size());
  write.Begin(wanted);
  // Numbers of a packed hash have no place that they could be known by.
  if (hash.packed() != nullptr || wanted * kSparse > hash.size()) {
    PickInOnePass(hash, wanted, random, write);
  } else {
    PickOneByOne(hash, wanted, random, write);
  }
}

void ReplyOne(CommandContext& ctx) {
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  if (!hash) return ctx.reply.Null();
  absl::InsecureBitGen random;
  hash->Random(random, [&ctx](const Hash::Text& name, const Hash::Text&, int64_t) {
    ReplyText(ctx.reply, name);
  });
}

void HRandField(CommandContext& ctx) {
  if (ctx.args.size() == 2) return ReplyOne(ctx);
  int64_t count = 0;
  if (!ParseInt64(ctx.args[2], count)) return ctx.reply.Error(errors::kNotInteger);
  if (count < -kMostCount) return ctx.reply.Error(kCountOutOfRange);
  const bool with_values = ctx.args.size() == 4 && EqualsIgnoreCase(ctx.args[3], "WITHVALUES");
  if (ctx.args.size() > 3 && !with_values) return ctx.reply.Error(errors::kSyntax);
  if (with_values && (count < -(kMostCount / 2) || count > kMostCount / 2)) {
    return ctx.reply.Error(errors::kOutOfRange);
  }
  const auto hash = ReadAs<Hash>(ctx);
  if (hash.wrong()) return;
  if (!hash || count == 0) return ctx.reply.EmptyArray();
  ReplySome(ctx, *hash, count, with_values);
}

constexpr CommandRow kRows[] = {
    {"hrandfield", -2, kReadOnly, kOneKey, KeyAccess::kReadOnly, "hash", "hash", "6.2.0",
     "O(1) per field", "Fields of a hash at random", "key [count [WITHVALUES]]", HRandField,
     kNoSubcommands, "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> HashRandomCommands() { return kRows; }

}  // namespace lapse
