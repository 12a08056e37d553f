// What a remote flush is pointed at: one server, a Redis Cluster, or a master that sentinels know
// by a name; and how to get in there.
//
//     redis://[user[:password]@]host[:port][/db]         one server; port 6379 unless said
//     rediss://...                                       the same over TLS
//     unix://[user[:password]@]/path/to/socket[?db=n]    one server by its socket file
//     redis-cluster://[...@]host[:port][,host[:port]...] every master of the cluster
//     rediss-cluster://...
//     redis-sentinel://[user:password@]host[:port][,...]/name[/db]    port 26379 unless said
//     redis-sentinel://name@host[:port][,...][/db]       short, when there is no user to name
//     rediss-sentinel://...                              TLS to the sentinels and to the master
//
// An IPv6 address stands in brackets. User, password, name and path may be percent-encoded. The
// sentinels' own user and password, where they have some, are ?sentinel-user= and
// ?sentinel-password=. What stands before '@' without a colon is a user, never a password: one that
// is not in the URL comes from elsewhere (an environment variable, a prompt) and cannot be read in
// a list of processes.
//
// Thread: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace lapse {

inline constexpr int kRedisPort = 6379;
inline constexpr int kSentinelPort = 26379;

// A host and a port, or the path of a socket.
struct RemoteAddress {
  std::string host;
  int port = 0;
  std::string path;  // not empty: a Unix socket, and the rest means nothing

  // "10.0.0.1:6379", "[::1]:6379" or the path.
  std::string Text() const;
  friend bool operator==(const RemoteAddress& a, const RemoteAddress& b) = default;
};

enum class RemoteKind : uint8_t { kServer, kCluster, kSentinel };

struct RemoteTarget {
  RemoteKind kind = RemoteKind::kServer;
  bool tls = false;
  std::vector<RemoteAddress> seeds;  // at least one; where there are several, any of them will do
  std::string user;
  std::string password;
  std::optional<int> db;
  std::string master_name;  // of a sentinel's master
  std::string sentinel_user;
  std::string sentinel_password;

  // The URL again, with *** for passwords: for people, logs and records.
  std::string Text() const;
};

// The error says what is wrong with the URL, and never repeats a password.
absl::StatusOr<RemoteTarget> ParseRemoteUrl(std::string_view url);

// Certificates are verified, host name included, unless `verify` is off.
struct RemoteTls {
  bool verify = true;
  std::string ca_file;      // PEM; empty: the system's authorities
  std::string cert_file;    // PEM; for servers that ask for a client's certificate
  std::string key_file;     // PEM
  std::string server_name;  // to ask for and to verify instead of the host's name
};

struct RemoteConnectOptions {
  std::chrono::milliseconds connect_timeout{5000};  // resolving, connecting, TLS, authentication
  std::chrono::milliseconds reply_timeout{30000};   // of one command
  RemoteTls tls;
  std::string client_name = "lapse-flush";  // in the server's CLIENT LIST
};

}  // namespace lapse
