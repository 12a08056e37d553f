#include "remote/flush_arguments.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "protocol/number.h"
#include "remote/text.h"

namespace lapse {
namespace {

constexpr std::string_view kHelp =
    R"(usage: lapse-flush [options] URL...

Deletes the expired keys of running Redis, Valkey and Lapse servers now, so that their memory
is free again. On Redis and Valkey it walks all databases with SCAN, which deletes every expired
key that it meets; on Lapse it runs FLUSHEXPIREKEYS.

  lapse-flush redis://127.0.0.1:6379
  lapse-flush --maxcpu 30 --rate 200000 rediss://ops@cache.example:6380/0
  lapse-flush redis-cluster://10.0.0.1:7000,10.0.0.2:7000
  lapse-flush redis-sentinel://10.0.0.5:26379/mymaster

URLs:
  redis://[user[:password]@]host[:port][/db]            one server (rediss:// over TLS)
  unix://[user[:password]@]/path/to/socket[?db=n]       one server by its Unix socket
  redis-cluster://[...@]host[:port][,...]               every master (rediss-cluster://)
  redis-sentinel://[...@]host[:port][,...]/name[/db]    the master of that name, as its
                                                        sentinels know it (rediss-sentinel://);
      ?sentinel-user=...&sentinel-password=...          where the sentinels want some

How hard:
  --maxcpu PERCENT       slow down while the server's process uses more than so much of one core,
                         1 to 100 (default 100: no such limit)
  --rate KEYS            at most so many keys per second at each server (default: no limit)
  --count N              the largest COUNT of one SCAN (default 1000); it adapts below that
  --call-target MS       how long one SCAN may keep the server from others (default 2)

What:
  --db N[,N...]          these databases (default: the URL's, or all that hold keys)
  --concurrency N        so many servers at a time (default 10)
  --max-errors N         begin no further target after more than N have failed (default 0)
  --timeout TIME         stop after so long: 90s, 30m, 2h (default: never)
  --connect-timeout TIME give up connecting after so long (default 5s)

Who:
  --user NAME            for URLs that name no user
  --askpass              ask for the password at the terminal
  The environment's REDISCLI_AUTH is the password for URLs that have none.

TLS:
  --tls-ca-file FILE     trust these authorities (PEM) instead of the system's
  --tls-cert-file FILE   show the server this certificate (PEM)
  --tls-key-file FILE    the certificate's private key (PEM)
  --tls-server-name NAME ask for and verify this name instead of the host's
  --tls-skip-verify      do not verify the server's certificate: anybody may then listen in

Output:
  --json                 print the result as JSON
  --quiet                print errors alone, by the exit status and on standard error
  --help, --version      print this, or the version, and exit

Exit status: 0 all done, 1 some target failed, 2 wrong usage, 130 stopped by Ctrl-C (143 by
SIGTERM). A stop leaves servers as they are at that point; running it again does the rest.
)";

absl::Status Usage(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{}; see lapse-flush --help", what));
}

// A value as an option's, or why it is none.
absl::Status TakeInteger(std::string_view value, int64_t min, int64_t max, int64_t& out) {
  int64_t number = 0;
  if (!ParseInt64(value, number) || number < min || number > max) {
    return absl::InvalidArgumentError(max == std::numeric_limits<int64_t>::max()
                                          ? fmt::format("needs a number from {} up", min)
                                          : fmt::format("needs a number from {} to {}", min, max));
  }
  out = number;
  return absl::OkStatus();
}

absl::Status TakeInteger(std::string_view value, int64_t min, int64_t max, int& out) {
  int64_t number = out;
  const absl::Status status = TakeInteger(value, min, max, number);
  out = static_cast<int>(number);
  return status;
}

// "90" (seconds), "1m30s", "2h".
absl::Status TakeTime(std::string_view value, std::chrono::milliseconds& out) {
  absl::Duration time;
  const bool bare = !value.empty() && absl::ascii_isdigit(value.back());
  if (!absl::ParseDuration(bare ? fmt::format("{}s", value) : std::string(value), &time) ||
      time <= absl::ZeroDuration() || time > absl::Hours(24 * 365)) {
    return absl::InvalidArgumentError("needs a time such as 90s, 30m or 2h");
  }
  out = absl::ToChronoMilliseconds(time);
  return absl::OkStatus();
}

absl::Status TakeDatabases(std::string_view value, std::vector<int>& out) {
  for (const std::string_view part : Split(value, ',')) {
    int db = 0;
    if (absl::Status status = TakeInteger(part, 0, 1 << 30, db); !status.ok()) return status;
    if (std::ranges::find(out, db) == out.end()) out.push_back(db);
  }
  return absl::OkStatus();
}

absl::Status TakeMilliseconds(std::string_view value, std::chrono::microseconds& out) {
  double ms = 0;
  if (!ParseDouble(value, ms) || !(ms >= 0.05 && ms <= 10'000)) {
    return absl::InvalidArgumentError("needs milliseconds from 0.05 to 10000");
  }
  out = std::chrono::microseconds(static_cast<int64_t>(ms * 1000));
  return absl::OkStatus();
}

absl::Status TakeText(std::string_view value, std::string& out) {
  if (value.empty()) return absl::InvalidArgumentError("needs a value");
  out = value;
  return absl::OkStatus();
}

constexpr int64_t kUp = std::numeric_limits<int64_t>::max();

struct ValueOption {
  std::string_view name;
  absl::Status (*take)(std::string_view value, FlushArguments& out);
};

constexpr ValueOption kValueOptions[] = {
    {"--maxcpu", [](auto v, auto& a) { return TakeInteger(v, 1, 100, a.options.max_cpu_percent); }},
    {"--rate", [](auto v, auto& a) { return TakeInteger(v, 1, kUp, a.options.keys_per_second); }},
    {"--count", [](auto v, auto& a) { return TakeInteger(v, 1, 1'000'000, a.options.max_count); }},
    {"--call-target", [](auto v, auto& a) { return TakeMilliseconds(v, a.options.call_target); }},
    {"--db", [](auto v, auto& a) { return TakeDatabases(v, a.options.dbs); }},
    {"--concurrency",
     [](auto v, auto& a) { return TakeInteger(v, 1, 1000, a.options.concurrency); }},
    {"--max-errors",
     [](auto v, auto& a) { return TakeInteger(v, 0, 1'000'000, a.options.max_errors); }},
    {"--timeout", [](auto v, auto& a) { return TakeTime(v, a.options.timeout); }},
    {"--connect-timeout",
     [](auto v, auto& a) { return TakeTime(v, a.options.connect.connect_timeout); }},
    {"--user", [](auto v, auto& a) { return TakeText(v, a.user); }},
    {"--tls-ca-file", [](auto v, auto& a) { return TakeText(v, a.options.connect.tls.ca_file); }},
    {"--tls-cert-file",
     [](auto v, auto& a) { return TakeText(v, a.options.connect.tls.cert_file); }},
    {"--tls-key-file", [](auto v, auto& a) { return TakeText(v, a.options.connect.tls.key_file); }},
    {"--tls-server-name",
     [](auto v, auto& a) { return TakeText(v, a.options.connect.tls.server_name); }},
};

// Options without a value. False: no such option.
bool TakeFlag(std::string_view name, FlushArguments& out) {
  if (name == "--help" || name == "-h") return out.help = true;
  if (name == "--version" || name == "-v") return out.version = true;
  if (name == "--json") return out.json = true;
  if (name == "--quiet" || name == "-q") return out.quiet = true;
  if (name == "--askpass") return out.ask_password = true;
  if (name == "--tls-skip-verify") {
    out.options.connect.tls.verify = false;
    return true;
  }
  return false;
}

// Takes words[i] and its value, if it has one; `i` is then the last word taken.
absl::Status TakeOption(std::span<const std::string> words, size_t& i, FlushArguments& out) {
  const std::string_view word = words[i];
  if (TakeFlag(word, out)) return absl::OkStatus();
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const auto* const option = std::ranges::find(kValueOptions, name, &ValueOption::name);
  if (option == std::end(kValueOptions)) return Usage(fmt::format("unknown option {}", name));
  std::string_view value;
  if (equals != std::string_view::npos) {
    value = word.substr(equals + 1);
  } else if (i + 1 < words.size()) {
    value = words[++i];
  } else {
    return Usage(fmt::format("{} needs a value", name));
  }
  const absl::Status status = option->take(value, out);
  if (status.ok()) return status;
  return Usage(fmt::format("{} {}", name, std::string(status.message())));
}

}  // namespace

std::string_view FlushHelp() { return kHelp; }

absl::StatusOr<FlushArguments> ParseFlushArguments(std::span<const std::string> words) {
  FlushArguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with('-')) {
      if (absl::Status status = TakeOption(words, i, arguments); !status.ok()) return status;
      if (arguments.help || arguments.version) return arguments;
      continue;
    }
    absl::StatusOr<RemoteTarget> target = ParseRemoteUrl(words[i]);
    if (!target.ok()) return Usage(std::string(target.status().message()));
    arguments.targets.push_back(*std::move(target));
  }
  if (arguments.targets.empty()) return Usage("no URL given");
  const bool cluster = std::ranges::any_of(arguments.targets, [](const RemoteTarget& target) {
    return target.kind == RemoteKind::kCluster;
  });
  const std::vector<int>& dbs = arguments.options.dbs;
  if (cluster && std::ranges::any_of(dbs, [](int db) { return db != 0; })) {
    return Usage("a cluster has database 0 alone");
  }
  return arguments;
}

void FillIn(std::string_view user, std::string_view password, std::vector<RemoteTarget>& targets) {
  for (RemoteTarget& target : targets) {
    if (target.user.empty()) target.user = user;
    if (target.password.empty()) target.password = password;
  }
}

}  // namespace lapse
