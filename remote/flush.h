// Flushing expired keys out of servers elsewhere: what FLUSHEXPIREKEYS does here, done there.
//
// A server that knows FLUSHEXPIREKEYS (Lapse) is asked for it and watched. On Redis and Valkey a
// SCAN deletes each expired key that it meets, as any access does; so walking every database with
// SCAN is the flush, and the keys that it returns are dropped. The walk is paced (see
// remote/pacer.h): COUNT follows the latency of calls, a rate may bound the keys, and the server's
// own CPU time by INFO slows the walk when it exceeds max_cpu_percent. Replicas delete nothing on
// their own, so masters alone are walked.
//
// Whether it worked is read from the server: expired_keys and the sizes before and after. Where
// SCAN passes over expired keys and leaves them (they are counted by DBSIZE, are not returned, and
// expired_keys stands still), the result says so and is a failure.
//
//     FlushRemote -- discovery --+-- node: connect, INFO, SCAN db 0, 1 ..., INFO   (a thread each)
//                                +-- node: ...
//
// A node that cannot be reached, refuses or dies has its own error, and the others go on. A
// connection that breaks is made anew: the cursor holds as long as it is the same process.
//
// Thread: any, several at once; blocks until the flush has ended. The observer is called from
// threads of the flush, by one at a time, a few times a second for each node; it must not block.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "remote/target.h"

namespace lapse {

struct RemoteFlushOptions {
  std::vector<int> dbs;           // empty: the target's own, or else all that hold keys
  int64_t max_cpu_percent = 100;  // of one core, for the server's process; 100: no guard
  int64_t keys_per_second = 0;    // of one node; 0: no bound
  int64_t max_count = 1000;       // the largest COUNT of a SCAN
  std::chrono::microseconds call_target{2000};  // what a SCAN may take at the server
  std::chrono::milliseconds timeout{0};         // for all; 0: none
  int concurrency = 10;                         // nodes walked at the same time
  int max_errors = 0;  // failed targets after which no further one is begun
  RemoteConnectOptions connect;
};

enum class RemoteFlushState : uint8_t { kSucceeded, kFailed, kCancelled, kSkipped };
// "Success", "Failed", "Cancelled", "Skipped".
std::string_view RemoteFlushStateName(RemoteFlushState state);

enum class RemoteFlushMethod : uint8_t { kNone, kScan, kFlushExpireKeys };
// "none", "scan", "flushexpirekeys".
std::string_view RemoteFlushMethodName(RemoteFlushMethod method);

// Sums over the target's nodes so far.
struct RemoteFlushProgress {
  double fraction = 0;  // 0..1
  int64_t scanned = 0;
  int64_t expired = 0;
  int64_t memory_before = 0;
  int64_t memory = 0;      // used_memory as last read
  double cpu_percent = 0;  // the busiest node's, as last read
  bool slowed = false;     // some node waits because of its CPU or of the rate
  int nodes = 0;           // 0: not discovered yet
  int nodes_done = 0;
  int nodes_failed = 0;
};

// What was done at one server. Amounts are 0 where they are not known.
struct RemoteNodeResult {
  std::string address;  // "10.0.0.1:6379"
  std::string server;   // "Redis 7.0.15"
  RemoteFlushState state = RemoteFlushState::kSkipped;
  std::string reason;  // why it failed, was cancelled or skipped
  RemoteFlushMethod method = RemoteFlushMethod::kNone;
  std::vector<int> dbs;  // that were begun
  int64_t scanned = 0;   // keys met: those returned and those that expired meanwhile
  int64_t expired = 0;   // growth of expired_keys: the walk's and the server's own at the time
  int64_t orphans = 0;   // FLUSHEXPIREKEYS alone
  int64_t bytes_freed =
      0;  // FLUSHEXPIREKEYS: of the run; SCAN: how far used_memory fell, if it did
  int64_t left_behind = 0;  // expired keys that were met and not deleted, as far as one can tell
  int64_t keys_before = 0;
  int64_t keys_after = 0;
  int64_t expired_keys_before = 0;
  int64_t expired_keys_after = 0;
  int64_t memory_before = 0;
  int64_t memory_after = 0;
  int64_t rss_before = 0;
  int64_t rss_after = 0;
  int64_t server_cpu_us = 0;  // SCAN: the process's in all; FLUSHEXPIREKEYS: the run's
  int64_t calls = 0;          // SCANs
  int64_t slowest_call_us = 0;
  int64_t slowed_ms = 0;  // waited for the CPU guard and the rate
  int64_t reconnects = 0;
  int64_t started_ms = 0;  // Unix time
  int64_t finished_ms = 0;
  double fraction = 0;  // how far it got
};

// A target's: its nodes, and their sums. Succeeded when every node has.
struct RemoteFlushResult {
  std::string target;  // the URL without its password
  RemoteFlushState state = RemoteFlushState::kSkipped;
  std::string reason;  // the first failed node's, when a node has failed
  int64_t scanned = 0;
  int64_t expired = 0;
  int64_t orphans = 0;
  int64_t bytes_freed = 0;
  int64_t memory_before = 0;
  int64_t memory_after = 0;
  int64_t server_cpu_us = 0;
  int64_t started_ms = 0;
  int64_t finished_ms = 0;
  std::vector<RemoteNodeResult> nodes;
};

using RemoteFlushObserver = std::function<void(const RemoteFlushProgress&)>;
// `target` is the index among those asked for.
using RemoteFlushesObserver = std::function<void(size_t target, const RemoteFlushProgress&)>;

// Flushes one target. A stop leaves each node where it is and gives what was done so far, as
// kCancelled; it ends waiting for replies, too. `observer` may be empty.
RemoteFlushResult FlushRemote(const RemoteTarget& target, const RemoteFlushOptions& options,
                              const RemoteFlushObserver& observer, std::stop_token stop);

// Flushes several, in their order: `concurrency` nodes at a time over all of them, and none begun
// after more than `max_errors` targets have failed (those are kSkipped). One result a target.
std::vector<RemoteFlushResult> FlushRemotes(std::span<const RemoteTarget> targets,
                                            const RemoteFlushOptions& options,
                                            const RemoteFlushesObserver& observer,
                                            std::stop_token stop);

}  // namespace lapse
