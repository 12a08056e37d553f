#include "server/services/script_watch.h"

#include "server/core/hooks.h"
#include "spdlog/spdlog.h"

namespace lapse {
namespace {

constexpr std::string_view kBusyScriptText =
    "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kBusyFunctionText =
    "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.";
constexpr std::string_view kNotBusy = "NOTBUSY No scripts in execution right now.";
constexpr std::string_view kUnkillable =
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "
    "either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE "
    "command.";
constexpr int64_t kNsAMs = 1'000'000;

}  // namespace

void ScriptWatch::Begin(ScriptKind kind, std::string_view name,
                        std::span<const std::string_view> args) {
  wrote_.store(false, std::memory_order_relaxed);
  killed_.store(false, std::memory_order_relaxed);
  kind_.store(kind, std::memory_order_relaxed);
  const int64_t now_ns = instance_.clock.MonotonicNs();
  MutexGuard guard(mu_);
  running_ = true;
  start_ns_ = now_ns;
  name_ = name;
  args_ = args;
}

void ScriptWatch::End() {
  {
    MutexGuard guard(mu_);
    running_ = false;
  }
  if (!busy_) return;
  busy_ = false;
  instance_.modes.fetch_and(~uint32_t{kBusyScript});
}

bool ScriptWatch::MustEnd() {
  if (killed_.load(std::memory_order_relaxed)) return true;
  if (busy_) return ending_.load(std::memory_order_relaxed);
  const int64_t threshold_ms = instance_.config.busy_reply_threshold_ms;
  MutexGuard guard(mu_);
  const int64_t ran_ms = (instance_.clock.MonotonicNs() - start_ns_) / kNsAMs;
  if (threshold_ms <= 0 || ran_ms < threshold_ms) return false;
  busy_ = true;
  instance_.modes.fetch_or(kBusyScript);
  spdlog::warn("slow script: still running after {} ms; {} KILL ends it. Its name: {}", ran_ms,
               kind_.load(std::memory_order_relaxed) == ScriptKind::kScript ? "SCRIPT" : "FUNCTION",
               name_);
  return false;
}

std::string_view ScriptWatch::BusyText() const {
  return kind_.load(std::memory_order_relaxed) == ScriptKind::kScript ? kBusyScriptText
                                                                      : kBusyFunctionText;
}

void ScriptWatch::Kill(ScriptKind kind, ReplyWriter& reply) {
  MutexGuard guard(mu_);
  if (!running_) return reply.Error(kNotBusy);
  if (wrote()) return reply.Error(kUnkillable);
  if (kind != kind_.load(std::memory_order_relaxed)) return reply.Error(BusyText());
  killed_.store(true, std::memory_order_relaxed);
  reply.Ok();
}

void ScriptWatch::Describe(ReplyWriter& reply) {
  MutexGuard guard(mu_);
  if (!running_) return reply.Null();
  reply.Map(3);
  reply.Bulk("name");
  reply.Bulk(name_);
  reply.Bulk("command");
  reply.Array(args_.size());
  for (const std::string_view arg : args_) reply.Bulk(arg);
  reply.Bulk("duration_ms");
  reply.Integer((instance_.clock.MonotonicNs() - start_ns_) / kNsAMs);
}

}  // namespace lapse
