#include "server/commands/set_options.h"

#include "server/commands/option_word.h"
#include "server/core/arguments.h"
#include "server/core/errors.h"

namespace lapse {
TtlForm TtlFormOf(uint64_t word) {
  switch (word) {
    case OptionWord("EX"):
      return TtlForm::kSeconds;
    case OptionWord("PX"):
      return TtlForm::kMilliseconds;
    case OptionWord("EXAT"):
      return TtlForm::kUnixSeconds;
    case OptionWord("PXAT"):
      return TtlForm::kUnixMilliseconds;
    default:
      return TtlForm::kNone;
  }
}

namespace {

// Takes the option if it is one of the four TTL forms. The same form may stand twice, the last one
// counts; two forms, or one beside KEEPTTL or PERSIST, are a syntax error.
void ReadTtl(ArgumentReader& in, uint64_t word, SetOptions& options) {
  const TtlForm form = TtlFormOf(word);
  const bool fits = form != TtlForm::kNone && !options.keep_ttl && !options.persist &&
                    (!options.has_ttl() || options.ttl_form == form);
  if (!fits) return in.Fail(errors::kSyntax);
  options.ttl_form = form;
  options.ttl = in.Next();
}

bool Finish(CommandContext& ctx, const ArgumentReader& in) {
  if (!in.ok()) ctx.reply.Error(in.error());
  return in.ok();
}

}  // namespace

bool ParseSetOptions(CommandContext& ctx, size_t from, SetOptions& options) {
  ArgumentReader in(ctx.args, from);
  while (in.More()) {
    const uint64_t word = OptionWord(in.Next());
    switch (word) {
      case OptionWord("NX"):
        options.nx = true;
        break;
      case OptionWord("XX"):
        options.xx = true;
        break;
      case OptionWord("GET"):
        options.get = true;
        break;
      case OptionWord("KEEPTTL"):
        options.keep_ttl = true;
        if (options.has_ttl()) in.Fail(errors::kSyntax);
        break;
      default:
        ReadTtl(in, word, options);
    }
    if (options.nx && options.xx) in.Fail(errors::kSyntax);
  }
  return Finish(ctx, in);
}

bool ParseGetExOptions(CommandContext& ctx, size_t from, SetOptions& options) {
  ArgumentReader in(ctx.args, from);
  while (in.More()) {
    const uint64_t word = OptionWord(in.Next());
    if (word == OptionWord("PERSIST")) {
      options.persist = true;
      if (options.has_ttl()) in.Fail(errors::kSyntax);
    } else {
      ReadTtl(in, word, options);
    }
  }
  return Finish(ctx, in);
}

}  // namespace lapse
