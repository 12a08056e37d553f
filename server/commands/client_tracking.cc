#include "server/commands/client_tracking.h"

#include <memory>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "server/core/arguments.h"
#include "server/core/instance.h"
#include "server/services/services.h"

namespace lapse {
namespace {

TrackingState* FindTracking(const Session& session) {
  ClientState* const state = FindState(session);
  return state == nullptr ? nullptr : state->tracking.get();
}

// The session's outbox, or nullptr when there is no such client. Requires: the gate's exclusive
// form.
std::shared_ptr<Outbox> FindOutbox(Instance& instance, uint64_t id) {
  std::shared_ptr<Outbox> outbox;
  instance.clients.ForEach([&](Session& session) {
    if (session.id == id) outbox = OutboxOf(session);
  });
  return outbox;
}

struct TrackingRequest {
  bool on = false;
  TrackingOptions options;
  std::shared_ptr<Outbox> redirected;
};

void ReadRedirect(CommandContext& ctx, ArgumentReader& in, TrackingRequest& request) {
  if (request.options.redirect != 0) {
    return in.Fail("ERR A client can only redirect to a single other client");
  }
  request.options.redirect = static_cast<uint64_t>(in.Integer());
  if (!in.ok()) return;
  request.redirected = FindOutbox(ctx.instance, request.options.redirect);
  if (request.redirected == nullptr) {
    in.Fail("ERR The client ID you want redirect to does not exist");
  }
}

// The word before the options is looked at after them.
TrackingRequest ReadTracking(CommandContext& ctx, ArgumentReader& in) {
  TrackingRequest request;
  const std::string_view state = in.Next();
  TrackingOptions& options = request.options;
  while (in.More()) {
    if (in.left() >= 2 && in.Match("REDIRECT")) {
      ReadRedirect(ctx, in, request);
    } else if (in.Match("BCAST")) {
      options.broadcast = true;
    } else if (in.Match("OPTIN")) {
      options.opt_in = true;
    } else if (in.Match("OPTOUT")) {
      options.opt_out = true;
    } else if (in.Match("NOLOOP")) {
      options.no_loop = true;
    } else if (in.left() >= 2 && in.Match("PREFIX")) {
      options.prefixes.emplace_back(in.Next());
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  request.on = EqualsIgnoreCase(state, "on");
  if (!request.on && !EqualsIgnoreCase(state, "off")) in.Fail(errors::kSyntax);
  return request;
}

// What contradicts itself, or how the client tracks already. Returns the error, or "".
std::string_view Contradiction(const TrackingOptions& options, const TrackingState* now) {
  if (!options.broadcast && !options.prefixes.empty()) {
    return "ERR PREFIX option requires BCAST mode to be enabled";
  }
  if (now != nullptr && now->options.broadcast != options.broadcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  if (options.broadcast && (options.opt_in || options.opt_out)) {
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  }
  if (options.opt_in && options.opt_out) {
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  }
  if (now != nullptr &&
      ((options.opt_in && now->options.opt_out) || (options.opt_out && now->options.opt_in))) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  return {};
}

bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// Returns the error, or "": no key may begin with two of a client's prefixes.
std::string PrefixCollision(const TrackingOptions& options, const TrackingState* now) {
  constexpr std::string_view kRule = "Prefixes for a single client must not overlap.";
  const auto& prefixes = options.prefixes;
  for (size_t i = 0; i < prefixes.size(); ++i) {
    if (now != nullptr) {
      for (const std::string& existing : now->options.prefixes) {
        if (!Overlap(existing, prefixes[i])) continue;
        return fmt::format("ERR Prefix '{}' overlaps with an existing prefix '{}'. {}", prefixes[i],
                           existing, kRule);
      }
    }
    for (size_t j = i + 1; j < prefixes.size(); ++j) {
      if (!Overlap(prefixes[i], prefixes[j])) continue;
      return fmt::format("ERR Prefix '{}' overlaps with another provided prefix '{}'. {}",
                         prefixes[i], prefixes[j], kRule);
    }
  }
  return {};
}

}  // namespace

void ClientTracking(CommandContext& ctx) {
  ArgumentReader in(ctx.args, 2);
  const TrackingRequest request = ReadTracking(ctx, in);
  if (!in.ok()) return ctx.reply.Error(in.error());
  Tracking& tracking = Services::Of(ctx.instance).tracking();
  if (!request.on) {
    tracking.Disable(ctx.session);
    return ctx.reply.Ok();
  }
  const TrackingState* const now = FindTracking(ctx.session);
  const std::string_view contradiction = Contradiction(request.options, now);
  if (!contradiction.empty()) return ctx.reply.Error(contradiction);
  const std::string collision = PrefixCollision(request.options, now);
  if (!collision.empty()) return ctx.reply.Error(collision);
  tracking.Enable(ctx.session, request.options, request.redirected);
  ctx.reply.Ok();
}

void ClientCaching(CommandContext& ctx) {
  TrackingState* const tracking = FindTracking(ctx.session);
  if (tracking == nullptr) {
    return ctx.reply.Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  ArgumentReader in(ctx.args, 2);
  if (in.Match("YES")) {
    if (!tracking->options.opt_in) {
      in.Fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
  } else if (in.Match("NO")) {
    if (!tracking->options.opt_out) {
      in.Fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
  } else {
    in.Fail(errors::kSyntax);
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  tracking->caching_said = true;
  ctx.reply.Ok();
}

void ClientTrackingInfo(CommandContext& ctx) {
  const TrackingState* const tracking = FindTracking(ctx.session);
  ReplyWriter& reply = ctx.reply;
  reply.Map(3);
  reply.Bulk("flags");
  const size_t mark = reply.BeginSet();
  size_t flags = 0;
  const auto add = [&](bool is_set, std::string_view name) {
    if (!is_set) return;
    reply.Bulk(name);
    ++flags;
  };
  add(true, tracking != nullptr ? "on" : "off");
  if (tracking != nullptr) {
    const TrackingOptions& options = tracking->options;
    add(options.broadcast, "bcast");
    add(options.opt_in, "optin");
    add(options.opt_in && tracking->caching_said, "caching-yes");
    add(options.opt_out, "optout");
    add(options.opt_out && tracking->caching_said, "caching-no");
    add(options.no_loop, "noloop");
    add(tracking->client->broken_redirect.load(std::memory_order_relaxed), "broken_redirect");
  }
  reply.EndSet(mark, flags);
  reply.Bulk("redirect");
  reply.Integer(tracking == nullptr ? -1 : static_cast<int64_t>(tracking->options.redirect));
  reply.Bulk("prefixes");
  if (tracking == nullptr) return reply.EmptyArray();
  reply.Array(tracking->options.prefixes.size());
  for (const std::string& prefix : tracking->options.prefixes) reply.Bulk(prefix);
}

void ClientGetRedir(CommandContext& ctx) {
  const TrackingState* const tracking = FindTracking(ctx.session);
  ctx.reply.Integer(tracking == nullptr ? -1 : static_cast<int64_t>(tracking->options.redirect));
}

}  // namespace lapse
