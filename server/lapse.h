// Lapse as a library: an expiring key-value store inside the host program, with the same engine,
// commands and expiry as the server, and no server unless asked for.
//
//   auto engine = lapse::Engine::Open();
//   if (!engine) return Fail(engine.error());
//   lapse::Engine& db = **engine;
//   db.Set("session:42", "alice", {.ttl = 30min});
//   std::optional<std::string> user = db.Get("session:42");
//
// Two ways in. The typed calls hash the key, lock its shard and are done: some hundred nanoseconds.
// Execute runs any command by its words and gives a Reply: some hundred more. Both see the same
// keys as clients of StartServer do.
//
// Who removes expired keys: a background thread of the engine's, or, while a server runs, the
// server's threads. An expired key is never returned, removed or not.
//
// Thread: every method from any thread at once, except where it says otherwise. Calls on different
// keys rarely wait for each other; there is no queue and no hand-over to another thread.
//
// This header is all that a host program includes. It needs standard headers alone.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/reply.h"

namespace lapse {

// Why something failed, in words.
struct Failure {
  std::string reason;
};

// A value, or why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Failure failure) : reason_(std::move(failure.reason)) {}

  explicit operator bool() const { return value_.has_value(); }
  // Requires: true.
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  // Empty when there is a value.
  const std::string& error() const { return reason_; }

 private:
  std::optional<T> value_;
  std::string reason_;
};

struct SetOptions {
  enum class When : uint8_t { kAlways, kIfAbsent, kIfPresent };

  // Zero or less stores a key that is gone already.
  std::optional<std::chrono::milliseconds> ttl = {};
  bool keep_ttl = false;  // the TTL that the key has stays; without effect beside `ttl`
  When when = When::kAlways;
};

// What a key's TTL is.
struct Ttl {
  enum class State : uint8_t { kNoKey, kNoTtl, kTtl };

  State state = State::kNoKey;
  std::chrono::milliseconds left{0};  // of kTtl
};

// A key that was removed because its TTL had run out.
struct ExpiredKey {
  std::string key;
  int database = 0;
  std::chrono::system_clock::time_point deadline;
};

struct FlushOptions {
  bool dry_run = false;     // count expired keys, remove none
  bool hints_only = false;  // look where the due hints say, instead of at every key
  int max_cpu_percent = 100;
};

// What a run of FlushExpired was and did.
struct FlushReport {
  uint64_t run_id = 0;
  bool cancelled = false;
  int64_t scanned = 0;    // keys looked at
  int64_t reclaimed = 0;  // expired ones among them, removed unless it was a dry run
  int64_t orphans = 0;    // expired keys that their hints would not have led to: always 0
  int64_t bytes_freed = 0;
  int64_t memory_before_bytes = 0;
  int64_t memory_after_bytes = 0;
  int64_t rss_before_bytes = 0;  // of the process
  int64_t rss_after_bytes = 0;
  std::chrono::milliseconds duration{0};
  std::chrono::nanoseconds cpu{0};
  std::chrono::nanoseconds longest_slice{0};
};

// What there is, and what has happened since Open.
struct EngineStats {
  int64_t keys = 0;           // in all databases; expired ones that are not removed yet included
  int64_t volatile_keys = 0;  // those with a TTL
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t expired_lazy = 0;     // expired keys that an access met
  int64_t expired_active = 0;   // that expiry found
  int64_t expired_flushed = 0;  // that FlushExpired found
  int64_t used_memory_bytes = 0;
  // How late expired keys were removed after their deadlines.
  std::chrono::milliseconds expiry_lag_p50{0};
  std::chrono::milliseconds expiry_lag_p99{0};
  std::chrono::milliseconds expiry_lag_max{0};
  int64_t events_dropped = 0;  // ExpiredKeys that no callback saw, see OnExpired
};

struct ServerOptions {
  int port = 6379;  // 0: any that is free
  std::vector<std::string> bind = {"127.0.0.1"};
  std::string unix_socket;  // a path; empty: none
  int threads = 0;          // 0: one for each core
  std::string password;     // empty: none, and then only local clients are let in
};

// Keeps a callback of OnExpired subscribed for as long as it lives. May outlive the engine.
class [[nodiscard]] Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&&) = default;
  Subscription& operator=(Subscription&&) = default;

  // Ends the subscription. Returns when the callback is not running any more, except when the
  // callback itself is what calls.
  void Reset() { hold_.reset(); }

 private:
  friend class Engine;
  explicit Subscription(std::shared_ptr<void> hold) : hold_(std::move(hold)) {}

  std::shared_ptr<void> hold_;
};

class Engine {
 public:
  struct Options {
    int databases = 16;  // Execute reaches all; the typed calls use the first
    // How expired keys are found: "hinted", "sampled" (Redis's way) or "fullscan".
    std::string expiry_strategy = "hinted";
    // Any directives of docs/configuration.md, by name and value.
    std::vector<std::pair<std::string, std::string>> directives;
    // Wall-clock milliseconds since the Unix epoch, for tests; empty: the system's clock. Called by
    // several threads at once.
    std::function<int64_t()> now_ms;
    // ExpiredKeys that wait for their callbacks at most; see OnExpired.
    size_t max_queued_events = 65536;
  };

  // A failure names the option that is wrong.
  static Result<std::unique_ptr<Engine>> Open(Options options);
  static Result<std::unique_ptr<Engine>> Open();
  // Stops the server, if one runs. No call may be in progress.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- One key ---

  // Whether the value was stored: options.when may forbid it, and a value (or key) longer than
  // proto-max-bulk-len, 512 MiB, is refused. Drops the TTL that the key had unless told otherwise.
  bool Set(std::string_view key, std::string_view value, const SetOptions& options = {});
  // nullopt when there is no such key.
  std::optional<std::string> Get(std::string_view key);
  // Whether there was such a key.
  bool Delete(std::string_view key);
  bool Exists(std::string_view key);
  // Adds to the integer that the key holds, 0 when there is no such key, and returns the sum; keeps
  // the TTL. Fails when the value is no integer or the sum would overflow.
  Result<int64_t> Increment(std::string_view key, int64_t by = 1);

  // --- Time to live ---

  // Whether there is such a key. A TTL of zero or less, or a time that has passed, removes it.
  bool Expire(std::string_view key, std::chrono::milliseconds ttl);
  bool ExpireAt(std::string_view key, std::chrono::system_clock::time_point deadline);
  // Drops the TTL. False when there is no such key, or it has none.
  bool Persist(std::string_view key);
  lapse::Ttl Ttl(std::string_view key);

  // --- The whole ---

  // Keys of the first database, expired ones that are not removed yet included.
  int64_t Size();
  // Removes all expired keys of all databases now, gives their memory back to the system and
  // reports. Waits for the end. Fails when a run is going already.
  Result<FlushReport> FlushExpired(const FlushOptions& options = {});
  EngineStats Stats();

  // --- Any command ---

  // Runs a command, given by its words, and waits for its reply even when it blocks. An error is a
  // reply, too. Replies are RESP3's: maps are maps, doubles doubles. Each call is a client of its
  // own: what SELECT or CLIENT SETNAME change is forgotten at its end.
  Reply Execute(std::span<const std::string_view> words);
  Reply Execute(std::initializer_list<std::string_view> words);

  // --- Events ---

  // Calls back for each key that expires from now on, until the subscription ends. Callbacks run on
  // a thread of the engine's, one at a time, without any lock held: they may use the engine. Keys
  // wait for them in a queue of max_queued_events; those that find it full are dropped and counted
  // in EngineStats::events_dropped, for expiry waits for nobody.
  Subscription OnExpired(std::function<void(const ExpiredKey&)> callback);

  // --- Other programs ---

  // Lets Redis clients in. Returns the port, 0 if there is only a unix socket. Fails when a server
  // runs already, or the address cannot be listened on.
  Result<int> StartServer(const ServerOptions& options = {});
  // Closes all connections. Without effect when no server runs.
  void StopServer();

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace lapse
