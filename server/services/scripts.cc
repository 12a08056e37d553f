#include "server/services/scripts.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "protocol/number.h"
#include "server/core/errors.h"
#include "server/services/sha1.h"
#include "server/services/shebang.h"

namespace lapse {
namespace {

constexpr std::string_view kUnknownDigest = "NOSCRIPT No matching script. Please use EVAL.";
constexpr size_t kDigestChars = std::tuple_size_v<Scripts::Digest>;
constexpr size_t kFirstKey = 3;

// A digest in lower case; nullopt for what is none.
std::optional<Scripts::Digest> Folded(std::string_view digest) {
  if (digest.size() != kDigestChars) return std::nullopt;
  Scripts::Digest folded;
  for (size_t i = 0; i < kDigestChars; ++i) folded[i] = absl::ascii_tolower(digest[i]);
  return folded;
}

// The flags that the first line names. False: an error has been replied.
bool ReadFlags(CommandContext& ctx, const Shebang& shebang, uint32_t& flags) {
  constexpr std::string_view kFlags = "flags=";
  const auto fail = [&](const std::string& text) {
    ctx.reply.Error(text);
    return false;
  };
  flags = kScriptCompatible;
  if (!shebang.present) return true;
  flags = 0;
  if (!shebang.complete) return fail("ERR Invalid script shebang");
  if (shebang.words.empty()) return fail("ERR Invalid engine in script shebang");
  if (shebang.words[0] != "#!lua") {
    return fail(fmt::format("ERR Unexpected engine in script shebang: {}", shebang.words[0]));
  }
  for (size_t i = 1; i < shebang.words.size(); ++i) {
    const std::string_view word = shebang.words[i];
    if (!word.starts_with(kFlags)) {
      return fail(fmt::format("ERR Unknown lua shebang option: {}", word));
    }
    const std::string_view list = word.substr(kFlags.size());
    if (list.empty()) continue;
    for (const std::string& name :
         std::vector<std::string>(absl::StrSplit(std::string(list), ','))) {
      const uint32_t flag = ScriptFlagNamed(name);
      if (flag == 0) return fail(fmt::format("ERR Unexpected flag in script shebang: {}", name));
      flags |= flag;
    }
  }
  return true;
}

}  // namespace

int64_t ReadKeyCount(CommandContext& ctx, std::string_view not_a_number) {
  const auto fail = [&](std::string_view text) {
    ctx.reply.Error(text);
    return -1;
  };
  int64_t count = 0;
  if (!ParseInt64(ctx.args[2], count)) return fail(not_a_number);
  if (count > static_cast<int64_t>(ctx.args.size() - kFirstKey)) {
    return fail("ERR Number of keys can't be greater than number of args");
  }
  if (count < 0) return fail("ERR Number of keys can't be negative");
  return count;
}

ScriptRunner& Scripts::runner() {
  if (runner_ == nullptr) {
    runner_ = std::make_unique<ScriptRunner>(instance_, watch_, ScriptKind::kScript);
  }
  return *runner_;
}

const Scripts::Script* Scripts::Find(const Digest& digest) const {
  const auto found = scripts_.find(digest);
  return found != scripts_.end() ? &found->second : nullptr;
}

bool Scripts::Has(std::string_view digest) const {
  const auto folded = Folded(digest);
  return folded && Find(*folded) != nullptr;
}

const Scripts::Script* Scripts::Compile(CommandContext& ctx, const Digest& digest,
                                        std::string_view text) {
  const Shebang shebang = ParseShebang(text);
  Script script;
  if (!ReadFlags(ctx, shebang, script.flags)) return nullptr;
  lua_State* const lua = runner().sandbox().lua();
  if (!LoadText(lua, shebang.body, "@user_script")) {
    ctx.reply.Error(
        fmt::format("ERR Error compiling script (new function): {}", lua_tostring(lua, -1)));
    lua_settop(lua, 0);
    return nullptr;
  }
  script.reference = luaL_ref(lua, LUA_REGISTRYINDEX);
  script.exclusive = runner_->NamesExclusiveCommand(text);
  const Script* const kept = &scripts_.emplace(digest, script).first->second;
  Publish(text_bytes() + static_cast<int64_t>(text.size()));
  return kept;
}

void Scripts::Publish(int64_t text_bytes) {
  const size_t lua_bytes = runner_ != nullptr ? runner_->allocated_bytes() : 0;
  count_.store(static_cast<int64_t>(scripts_.size()), std::memory_order_relaxed);
  text_bytes_.store(text_bytes, std::memory_order_relaxed);
  lua_bytes_.store(static_cast<int64_t>(lua_bytes), std::memory_order_relaxed);
}

void Scripts::Run(CommandContext& ctx, bool by_digest, bool read_only) {
  const int64_t key_count = ReadKeyCount(ctx, errors::kNotInteger);
  if (key_count < 0) return;
  Digest digest;
  if (by_digest) {
    const auto folded = Folded(ctx.args[1]);
    if (!folded) return ctx.reply.Error(kUnknownDigest);
    digest = *folded;
  } else {
    digest = Sha1(ctx.args[1]).digits;
  }
  const std::string_view name(digest.data(), digest.size());
  const Script* script = Find(digest);
  if (script == nullptr && by_digest) return ctx.reply.Error(kUnknownDigest);
  if (script == nullptr) script = Compile(ctx, digest, ctx.args[1]);
  if (script == nullptr) return;

  const auto split = kFirstKey + static_cast<size_t>(key_count);
  ScriptCall call;
  call.name = name;
  call.reference = script->reference;
  call.flags = script->flags;
  call.exclusive = script->exclusive;
  call.read_only_command = read_only;
  call.keys = ctx.args.subspan(kFirstKey, split - kFirstKey);
  call.args = ctx.args.subspan(split);
  runner().Run(ctx, call);
}

void Scripts::Load(CommandContext& ctx, std::string_view text) {
  const Sha1Hex digest = Sha1(text);
  if (Find(digest.digits) == nullptr && Compile(ctx, digest.digits, text) == nullptr) return;
  ctx.reply.Bulk(digest.view());
}

void Scripts::Flush() {
  scripts_.clear();
  runner_.reset();
  Publish(0);
}

}  // namespace lapse
