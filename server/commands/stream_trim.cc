#include "server/commands/stream_trim.h"

#include <algorithm>

#include "server/commands/option_word.h"
#include "server/commands/stream_arguments.h"
#include "server/core/arguments.h"
#include "server/core/instance.h"

namespace lapse {
namespace {

using TrimRule = Stream::TrimRule;

// Without a LIMIT, as many entries as so many full blocks have are trimmed at once, within bounds.
constexpr int64_t kDefaultBlocks = 100;
constexpr int64_t kDefaultMost = 10'000;
constexpr int64_t kMostByDefault = 1'000'000;

class TrimReader {
 public:
  TrimReader(CommandContext& ctx, bool is_xadd, StreamTrimOptions& options)
      : ctx_(ctx), is_xadd_(is_xadd), options_(options) {}

  bool Read() {
    const std::span args = ctx_.args;
    for (at_ = 2; at_ < args.size(); ++at_) {
      if (is_xadd_ && args[at_] == "*") break;
      const bool more = at_ + 1 < args.size();
      const uint64_t word = OptionWord(args[at_]);
      if (word == OptionWord("MAXLEN") && more) {
        if (!ReadRule(TrimRule::By::kLength)) return false;
      } else if (word == OptionWord("MINID") && more) {
        if (!ReadRule(TrimRule::By::kId)) return false;
      } else if (word == OptionWord("LIMIT") && more) {
        if (!ReadLimit()) return false;
      } else if (is_xadd_ && EqualsIgnoreCase(args[at_], "NOMKSTREAM")) {
        options_.no_mkstream = true;
      } else if (is_xadd_) {
        if (!ReadId()) return false;
        break;
      } else {
        return Fail(errors::kSyntax);
      }
    }
    options_.id_arg = at_;
    return true;
  }

  // What can be said only when all options are known.
  bool Check() {
    TrimRule& rule = options_.rule;
    if (rule.most != 0 && rule.by == TrimRule::By::kNothing) {
      return Fail("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
    }
    if (!is_xadd_ && rule.by == TrimRule::By::kNothing) {
      return Fail("ERR syntax error, XTRIM must be called with a trimming strategy");
    }
    if (limited_ && !rule.approximate) {
      return Fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
    }
    if (!limited_ && rule.approximate) {
      const int64_t most = kDefaultBlocks * ctx_.instance.config.stream_node_max_entries;
      rule.most = most <= 0 ? kDefaultMost : std::min(most, kMostByDefault);
    }
    return true;
  }

 private:
  bool Fail(std::string_view error) {
    ctx_.reply.Error(error);
    return false;
  }

  bool ReadId() {
    options_.has_id = true;
    return ParseStreamId(ctx_.args[at_], {.auto_seq = &options_.auto_seq}, options_.id) ||
           Fail(kInvalidStreamId);
  }

  bool ReadRule(TrimRule::By by) {
    TrimRule& rule = options_.rule;
    if (rule.by != TrimRule::By::kNothing) {
      return Fail("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
    }
    const std::string_view next = ctx_.args[at_ + 1];
    rule.approximate = false;
    if (at_ + 2 < ctx_.args.size() && (next == "~" || next == "=")) {
      rule.approximate = next == "~";
      ++at_;
    }
    ++at_;
    rule.by = by;
    if (by == TrimRule::By::kId) return ReadStreamId(ctx_, at_, rule.id);
    if (!ReadInteger(ctx_, at_, rule.length)) return false;
    return rule.length >= 0 || Fail("ERR The MAXLEN argument must be >= 0.");
  }

  bool ReadLimit() {
    if (!ReadInteger(ctx_, ++at_, options_.rule.most)) return false;
    if (options_.rule.most < 0) return Fail("ERR The LIMIT argument must be >= 0.");
    limited_ = true;
    return true;
  }

  CommandContext& ctx_;
  const bool is_xadd_;
  StreamTrimOptions& options_;
  size_t at_ = 2;
  bool limited_ = false;
};

}  // namespace

bool ReadTrimOptions(CommandContext& ctx, bool is_xadd, StreamTrimOptions& options) {
  TrimReader reader(ctx, is_xadd, options);
  return reader.Read() && reader.Check();
}

}  // namespace lapse
