// An instance: everything that one running Lapse is, server or embedded, gathered so that a command
// handler can reach it. There are no globals: two instances in a process are two of these.
//
// Thread: members say for themselves. `config` and `clients` change only in the gate's exclusive
// form and may be read inside the gate.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "expiry/engine.h"
#include "server/core/clients.h"
#include "server/core/command_stats.h"
#include "server/core/config.h"
#include "server/core/hooks.h"
#include "server/core/registry.h"
#include "storage/clock.h"
#include "storage/keyspace.h"
#include "storage/lock.h"

namespace lapse {

// Process-wide numbers that INFO shows, beside what the keyspace and the expiry engine count.
// Thread: any (relaxed).
struct ServerStats {
  std::atomic<int64_t> connections_received{0};
  std::atomic<int64_t> connections_rejected{0};
  std::atomic<int64_t> commands_processed{0};
  std::atomic<int64_t> net_input_bytes{0};
  std::atomic<int64_t> net_output_bytes{0};
  std::atomic<int64_t> reads_processed{0};
  std::atomic<int64_t> writes_processed{0};
  std::atomic<int64_t> error_replies{0};
  std::atomic<int64_t> output_limit_disconnections{0};
  std::atomic<int64_t> query_limit_disconnections{0};
  std::atomic<int64_t> peak_memory_bytes{0};  // see Instance::NotePeakMemory
  // Bytes of all connections' buffers; each connection adds the difference when its own change.
  std::atomic<int64_t> connection_bytes{0};
  // Commands a second over the last second, kept by the drivers.
  std::atomic<int64_t> ops_per_second{0};
};

struct Instance {
  // Takes the configuration as it stands after start-up, and the commands to serve (AllFamilies()
  // of server/commands/families.h, which lies below this layer). `clock` outlives the instance.
  // hash_seed 0: a random secret; others are for tests that must repeat.
  Instance(Config start_config, const Clock& time,
           std::span<const std::span<const CommandRow>> families, uint64_t hash_seed = 0);
  ~Instance();

  const Clock& clock;
  Config config;
  const CommandRegistry registry;
  Keyspace keyspace;
  ExpiryEngine expiry;
  Clients clients;
  ServerStats stats;
  CommandStatsBook command_stats;
  // A command that takes this many cycles or more is reported to CommandHooks::OnSlow.
  std::atomic<uint64_t> slow_cycles{~uint64_t{0}};

  // Modes of hooks.h that concern every session. Thread: any.
  std::atomic<uint32_t> modes{0};
  // What runs beside the commands: made by the one who makes the instance, once, before any command
  // runs (services/services.h). May be missing in tests of the core.
  std::unique_ptr<CommandHooks> hooks;
  // Held while a kComposite command runs. Taken outside of the gate.
  SpinLock composite_mu;

  const int64_t start_ms;
  const std::string run_id;  // 40 hexadecimal digits, new at each start

  // Undoes what services keep for a session, which is then as a new one to them. Requires: not
  // inside the gate.
  void ForgetState(Session& session);

  // What SHUTDOWN does: ends the server. Set by the server; empty in a host program, where SHUTDOWN
  // is an error.
  std::function<void()> request_shutdown;

  // Bytes that INFO calls used_memory: entries, table, and what connections hold.
  int64_t UsedMemory() const;
  // UsedMemory, after raising the peak to it. A peak is what was seen at such calls: INFO's, and
  // the server's once a second.
  int64_t NotePeakMemory();
  // Zeroes what CONFIG RESETSTAT zeroes. Requires the gate's exclusive form.
  void ResetStats();

  // Destroys databases: in the background, or (sync) before it returns. Call outside of the gate's
  // shard locks; inside the exclusive gate only with sync = false.
  void Dispose(std::vector<std::unique_ptr<Database>> databases, bool sync);
};

}  // namespace lapse
