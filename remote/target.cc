#include "remote/target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "remote/text.h"

namespace lapse {
namespace {

constexpr size_t kMaxUrlBytes = 8192;
constexpr size_t kMaxSeeds = 256;
constexpr int kMaxDb = 1 << 30;
constexpr std::string_view kMask = "***";
// Beside letters and digits, what a URL may hold anywhere.
constexpr std::string_view kUnreserved = "-._~";

struct Scheme {
  std::string_view name;
  RemoteKind kind;
  bool tls;
  int port;  // 0: a path to a socket
};

constexpr std::array<Scheme, 8> kSchemes = {{
    {"redis", RemoteKind::kServer, false, kRedisPort},
    {"rediss", RemoteKind::kServer, true, kRedisPort},
    {"unix", RemoteKind::kServer, false, 0},
    {"redis+unix", RemoteKind::kServer, false, 0},
    {"redis-cluster", RemoteKind::kCluster, false, kRedisPort},
    {"rediss-cluster", RemoteKind::kCluster, true, kRedisPort},
    {"redis-sentinel", RemoteKind::kSentinel, false, kSentinelPort},
    {"rediss-sentinel", RemoteKind::kSentinel, true, kSentinelPort},
}};

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("bad server URL: {}", what));
}

const Scheme* FindScheme(std::string_view name) {
  const auto found = std::ranges::find_if(
      kSchemes, [name](const Scheme& scheme) { return SameIgnoringCase(scheme.name, name); });
  return found == kSchemes.end() ? nullptr : &*found;
}

// False when a '%' has no two hexadecimal digits after it.
bool Decode(std::string_view text, std::string& out) {
  out.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned char value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || digits.size() < 2 || end != digits.data() + 2) return false;
    out += static_cast<char>(value);
    i += 2;
  }
  return true;
}

// The other way, for what would end its part of a URL.
std::string Encode(std::string_view text, std::string_view kept = "") {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        kUnreserved.find(c) != std::string_view::npos || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

bool ParseDb(std::string_view text, std::optional<int>& db) {
  int value = 0;
  if (!ParseNatural(text, value) || value > kMaxDb) return false;
  db = value;
  return true;
}

absl::Status ParseUser(std::string_view text, RemoteTarget& target) {
  const size_t colon = text.find(':');
  if (!Decode(text.substr(0, colon), target.user)) return Wrong("a '%' in the user");
  if (colon == std::string_view::npos) return absl::OkStatus();
  if (!Decode(text.substr(colon + 1), target.password)) return Wrong("a '%' in the password");
  return absl::OkStatus();
}

absl::Status ParseSeed(std::string_view text, int port, RemoteTarget& target) {
  RemoteAddress seed;
  seed.port = port;
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return Wrong("an address without its ']'");
    seed.host = std::string(text.substr(1, end - 1));
    rest = text.substr(end + 1);
  } else {
    const size_t colon = text.find(':');
    seed.host = std::string(text.substr(0, colon));
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (seed.host.empty()) return Wrong("no host");
  if (seed.host.find(' ') != std::string::npos) return Wrong("a blank in the host");
  if (!rest.empty()) {
    int number = 0;
    if (!rest.starts_with(':') || !ParseNatural(rest.substr(1), number) || number < 1 ||
        number > 65535) {
      return Wrong(fmt::format("no port from 1 to 65535 after the host {}", seed.host));
    }
    seed.port = number;
  }
  target.seeds.push_back(std::move(seed));
  return absl::OkStatus();
}

absl::Status ParseQuery(std::string_view query, RemoteTarget& target) {
  if (query.empty()) return absl::OkStatus();
  for (const std::string_view part : Split(query, '&')) {
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    std::string value;
    if (equals == std::string_view::npos || !Decode(part.substr(equals + 1), value)) {
      return Wrong(fmt::format("parameter {}", name));
    }
    if (name == "db") {
      if (!ParseDb(value, target.db)) return Wrong("db is no number");
    } else if (name == "sentinel-user" && target.kind == RemoteKind::kSentinel) {
      target.sentinel_user = value;
    } else if (name == "sentinel-password" && target.kind == RemoteKind::kSentinel) {
      target.sentinel_password = value;
    } else {
      return Wrong(fmt::format("unknown parameter {}", name));
    }
  }
  return absl::OkStatus();
}

// "/5", "/", "" and, for a sentinel's master, "/name" and "/name/5".
absl::Status ParsePath(std::string_view path, RemoteTarget& target) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (target.kind == RemoteKind::kSentinel && !path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view first = path.substr(0, slash);
    std::optional<int> number;
    // A number alone is a database when the name stands before '@'.
    const bool is_name = slash != std::string_view::npos || !ParseDb(first, number) ||
                         target.user.empty() || !target.password.empty();
    if (is_name) {
      if (!Decode(first, target.master_name)) return Wrong("a '%' in the master's name");
      path = slash == std::string_view::npos ? "" : path.substr(slash + 1);
    }
  }
  if (target.kind == RemoteKind::kSentinel && target.master_name.empty() &&
      target.password.empty()) {
    std::swap(target.master_name, target.user);
  }
  if (!path.empty() && !ParseDb(path, target.db)) return Wrong("the database is no number");
  if (target.kind == RemoteKind::kSentinel && target.master_name.empty()) {
    return Wrong("no master's name; write redis-sentinel://host:port/name");
  }
  return absl::OkStatus();
}

absl::Status ParseSeeds(std::string_view hosts, int port, RemoteTarget& target) {
  const std::vector<std::string_view> seeds = Split(hosts, ',');
  if (seeds.size() > kMaxSeeds) return Wrong("too many hosts");
  if (seeds.size() > 1 && target.kind == RemoteKind::kServer) {
    return Wrong("several hosts; name one, or write redis-cluster:// or redis-sentinel://");
  }
  for (const std::string_view seed : seeds) {
    if (absl::Status status = ParseSeed(seed, port, target); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ParseRest(std::string_view rest, const Scheme& scheme, RemoteTarget& target) {
  if (const size_t mark = rest.find('?'); mark != std::string_view::npos) {
    if (absl::Status status = ParseQuery(rest.substr(mark + 1), target); !status.ok()) {
      return status;
    }
    rest = rest.substr(0, mark);
  }
  const size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? "" : rest.substr(slash);
  // The last one, for people do not always encode an '@' in a password.
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (absl::Status status = ParseUser(authority.substr(0, at), target); !status.ok()) {
      return status;
    }
    authority = authority.substr(at + 1);
  }
  if (scheme.port == 0) {
    RemoteAddress socket;
    if (!authority.empty() || path.size() < 2) return Wrong("a socket needs an absolute path");
    if (!Decode(path, socket.path)) return Wrong("a '%' in the path");
    target.seeds.push_back(std::move(socket));
    return absl::OkStatus();
  }
  if (absl::Status status = ParsePath(path, target); !status.ok()) return status;
  return ParseSeeds(authority, scheme.port, target);
}

const Scheme& SchemeOf(const RemoteTarget& target) {
  const bool socket = !target.seeds.empty() && !target.seeds.front().path.empty();
  return *std::ranges::find_if(kSchemes, [&](const Scheme& scheme) {
    return scheme.kind == target.kind && scheme.tls == target.tls && (scheme.port == 0) == socket;
  });
}

}  // namespace

std::string RemoteAddress::Text() const {
  if (!path.empty()) return path;
  const bool bracket = host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(bracket ? "[{}]:{}" : "{}:{}"), host, port);
}

std::string RemoteTarget::Text() const {
  std::string text = fmt::format("{}://", SchemeOf(*this).name);
  if (!user.empty() || !password.empty()) {
    text += Encode(user);
    if (!password.empty()) text += fmt::format(":{}", kMask);
    text += '@';
  }
  std::vector<std::string> hosts;
  for (const RemoteAddress& seed : seeds) {
    hosts.push_back(seed.path.empty() ? seed.Text() : Encode(seed.path, "/"));
  }
  text += fmt::format("{}", fmt::join(hosts, ","));
  std::string query;
  if (!master_name.empty()) text += '/' + Encode(master_name);
  const bool socket = !seeds.empty() && !seeds.front().path.empty();
  if (db && socket) query = fmt::format("db={}", *db);
  if (db && !socket) text += fmt::format("/{}", *db);
  if (!sentinel_user.empty()) query += fmt::format("sentinel-user={}", Encode(sentinel_user));
  if (!sentinel_password.empty()) {
    query += fmt::format("{}sentinel-password={}", query.empty() ? "" : "&", kMask);
  }
  return query.empty() ? text : fmt::format("{}?{}", text, query);
}

absl::StatusOr<RemoteTarget> ParseRemoteUrl(std::string_view url) {
  if (url.size() > kMaxUrlBytes) return Wrong("too long");
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos) return Wrong("no scheme; write redis://host:port");
  const Scheme* const scheme = FindScheme(url.substr(0, colon));
  if (scheme == nullptr) {
    return Wrong(
        "the scheme is none of redis, rediss, unix, redis-cluster, rediss-cluster, "
        "redis-sentinel and rediss-sentinel");
  }
  RemoteTarget target;
  target.kind = scheme->kind;
  target.tls = scheme->tls;
  if (absl::Status status = ParseRest(url.substr(colon + 3), *scheme, target); !status.ok()) {
    return status;
  }
  if (target.kind == RemoteKind::kCluster && target.db.value_or(0) != 0) {
    return Wrong("a cluster has database 0 alone");
  }
  return target;
}

}  // namespace lapse
