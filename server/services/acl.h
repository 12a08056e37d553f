// The access control list: the users, who is logged in as whom, what was denied.
//
// A session names its user; the dispatcher asks about a request only when the user is restricted
// (Mode::kRestricted), so that the usual all-powerful default user costs nothing.
//
// Thread: users change in the gate's exclusive form and are read inside the gate; the log has a
// lock of its own.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "server/core/instance.h"
#include "server/services/acl_user.h"
#include "storage/lock.h"

namespace lapse {

// Where a request came from, for the log.
enum class AclContext : uint8_t { kTopLevel, kMulti, kScript };

class Acl {
 public:
  static constexpr std::string_view kDefaultUser = "default";

  struct LogEntry {
    int64_t count = 1;
    std::string reason;  // "command", "key", "channel", "auth"
    std::string context;
    std::string object;
    std::string username;
    int64_t created_ms = 0;
    int64_t updated_ms = 0;
    std::string client;
    int64_t id = 0;
  };

  explicit Acl(Instance& instance);

  // Takes requirepass, the `user` directives and, at the start, the aclfile over.
  absl::Status Start();
  void OnConfigChanged();

  // --- Sessions ---

  // A new connection is the default user's, authenticated if that needs no password.
  void BeginSession(Session& session) const;
  // Makes the session the user's whose identity has been established otherwise. False when there is
  // no such user, or it is off.
  bool BeginSessionOf(Session& session, std::string_view user) const;
  // Logs the session in, or logs the attempt and returns false.
  bool Authenticate(Session& session, std::string_view user, std::string_view password,
                    int64_t now_ms);
  // Whether the session's user may run the request; if not, replies why and logs it. Requires: the
  // session is restricted.
  bool Allow(Session& session, const Request& request, AclContext context, ReplyWriter& reply);
  // Whether the session's user may run the request and have it read any key.
  bool MayReadAllKeys(const Session& session, const Request& request) const;
  // The text of the error for a denial.
  static std::string DenialText(const AclVerdict& verdict);

  // --- Users ---

  const AclUser* Find(std::string_view name) const;
  const std::map<std::string, AclUser, std::less<>>& users() const { return users_; }
  const AclCommands& commands() const { return commands_; }
  // Requires the gate's exclusive form. All rules or none; the error names the rule.
  absl::Status SetUser(std::string_view name, std::span<const std::string> rules);
  // False when there is none. Its sessions are closed.
  bool RemoveUser(std::string_view name);
  // ACL LOAD and SAVE. Requires: an aclfile is configured.
  absl::Status Load();
  absl::Status Save() const;
  // The lines that CONFIG REWRITE puts into the file: none when there is an aclfile.
  std::vector<std::string> ConfigLines() const;

  // --- The log, newest first ---

  std::vector<LogEntry> Log(size_t count);
  void ClearLog();

 private:
  void Note(const Session& session, std::string_view reason, std::string_view context,
            std::string_view object, std::string_view username, int64_t now_ms);
  // Brings sessions in line with the users as they are now.
  void Refresh();
  void Restrict(Session& session) const;
  absl::Status ApplyRules(AclUser& user, std::span<const std::string> rules) const;
  absl::Status ApplyLine(std::string_view line, std::map<std::string, AclUser, std::less<>>& users);

  Instance& instance_;
  const AclCommands commands_;
  std::map<std::string, AclUser, std::less<>> users_;
  std::string requirepass_;
  Mutex log_mu_;
  std::deque<LogEntry> log_ ABSL_GUARDED_BY(log_mu_);
  int64_t next_log_id_ ABSL_GUARDED_BY(log_mu_) = 0;
};

}  // namespace lapse
