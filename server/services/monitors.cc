#include "server/services/monitors.h"

#include <algorithm>

#include "fmt/format.h"
#include "server/core/arguments.h"
#include "server/services/session_state.h"

namespace lapse {
namespace {

class FedLine final : public Notice {
 public:
  explicit FedLine(std::string line) : line_(std::move(line)) {}
  void Write(ReplyWriter& out, const Session& to) const override {
    if ((to.modes & kMonitoring) != 0) out.Simple(line_);
  }
  size_t bytes() const override { return line_.size() + 32; }

 private:
  const std::string line_;
};

void AppendQuoted(std::string& line, std::string_view word) {
  line += '"';
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view kEscaped = "\n\r\t\a\b";
    constexpr std::string_view kLetters = "nrtab";
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (const size_t at = kEscaped.find(c); at != kEscaped.npos) {
      line += '\\';
      line += kLetters[at];
    } else if (byte >= ' ' && byte < 0x7F) {
      line += c;
    } else {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    }
  }
  line += '"';
}

// Whether the i-th argument is a secret.
bool IsSecret(const Request& request, size_t i) {
  if (request.row->name == "auth") return i > 0;
  if (request.row->name != "hello") return false;
  for (size_t back = 1; back <= 2 && back < i; ++back) {
    if (EqualsIgnoreCase(request.args[i - back], "AUTH")) return true;
  }
  return false;
}

// Who runs the command, as its line says.
std::string OriginOf(const Session& session) {
  if (!session.unix_socket) return session.address;
  return fmt::format("unix:{}",
                     std::string_view(session.address).substr(0, session.address.rfind(':')));
}

bool IsShown(const Request& request) { return (request.row->flags & (kAdmin | kSkipMonitor)) == 0; }

}  // namespace

void Monitors::Add(Session& session) {
  if ((session.modes & kMonitoring) != 0) return;
  session.modes |= kMonitoring;
  MutexGuard guard(mu_);
  outboxes_.push_back(OutboxOf(session));
  instance_.modes.fetch_or(kMonitored, std::memory_order_relaxed);
}

void Monitors::Remove(Session& session) {
  if ((session.modes & kMonitoring) == 0) return;
  session.modes &= ~kMonitoring;
  MutexGuard guard(mu_);
  std::erase(outboxes_, OutboxOf(session));
  if (outboxes_.empty()) instance_.modes.fetch_and(~kMonitored, std::memory_order_relaxed);
}

void Monitors::BeforeCommand(const Session& session, const Request& request) {
  constexpr uint32_t kScript = kSkipMonitor | kComposite;
  if ((request.row->flags & kScript) == kScript && (request.row->flags & kAdmin) == 0) {
    Feed(session, request, OriginOf(session));
  }
}

void Monitors::AfterCommand(const Session& session, const Request& request) {
  if (!IsShown(request)) return;
  Feed(session, request, OriginOf(session));
}

void Monitors::OnNested(const Session& session, const Request& request) {
  if (!IsShown(request)) return;
  // What runs a script is still a composite command that is not EXEC.
  const bool in_script = session.last_command != nullptr &&
                         (session.last_command->flags & kNoMulti) == 0 &&
                         (session.last_command->flags & (kComposite | kRunsInMulti)) == kComposite;
  Feed(session, request, in_script ? "lua" : OriginOf(session));
}

void Monitors::Feed(const Session& session, const Request& request, std::string_view origin) {
  const int64_t now_us = instance_.clock.NowUs();
  std::string line =
      fmt::format("{}.{:06} [{} {}]", now_us / 1'000'000, now_us % 1'000'000, session.db, origin);
  for (size_t i = 0; i < request.args.size(); ++i) {
    line += ' ';
    AppendQuoted(line, IsSecret(request, i) ? "(redacted)" : request.args[i]);
  }
  const auto notice = std::make_shared<const FedLine>(std::move(line));
  MutexGuard guard(mu_);
  for (const auto& outbox : outboxes_) outbox->Add(notice);
}

}  // namespace lapse
