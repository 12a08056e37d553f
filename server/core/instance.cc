#include "server/core/instance.h"

#include <string_view>
#include <utility>

#include "absl/random/random.h"

namespace lapse {
namespace {

Keyspace::Options KeyspaceOptions(const Config& config, uint64_t hash_seed) {
  Keyspace::Options options;
  options.databases = static_cast<int>(config.databases);
  options.hash_seed = hash_seed;
  return options;
}

std::string NewRunId() {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  constexpr size_t kRunIdChars = 40;
  absl::BitGen random;
  std::string id;
  for (size_t i = 0; i < kRunIdChars; ++i) id += kHexDigits[absl::Uniform<size_t>(random, 0, 16)];
  return id;
}

}  // namespace

Instance::Instance(Config start_config, const Clock& time,
                   std::span<const std::span<const CommandRow>> families, uint64_t hash_seed)
    : clock(time),
      config(std::move(start_config)),
      registry(families),
      keyspace(KeyspaceOptions(config, hash_seed), time),
      expiry(keyspace, time, config.expiry),
      command_stats(registry.numbered().size()),
      start_ms(time.NowMs()),
      run_id(NewRunId()) {}

Instance::~Instance() = default;

void Instance::ForgetState(Session& session) {
  const auto has_state = [&] {
    const Gate::Shared inside(keyspace.gate());
    return session.state != nullptr;
  };
  if (has_state() && hooks != nullptr) hooks->OnSessionEnd(session);
  // Inside, for others look at sessions' states in the exclusive form.
  const Gate::Shared inside(keyspace.gate());
  session.state.reset();
  session.modes = 0;
}

int64_t Instance::UsedMemory() const {
  return keyspace.Totals().entry_bytes + keyspace.table_bytes() +
         stats.connection_bytes.load(std::memory_order_relaxed);
}

int64_t Instance::NotePeakMemory() {
  const int64_t used = UsedMemory();
  int64_t peak = stats.peak_memory_bytes.load(std::memory_order_relaxed);
  while (used > peak &&
         !stats.peak_memory_bytes.compare_exchange_weak(peak, used, std::memory_order_relaxed)) {
  }
  return used;
}

void Instance::ResetStats() {
  for (std::atomic<int64_t>* counter :
       {&stats.connections_received, &stats.connections_rejected, &stats.commands_processed,
        &stats.net_input_bytes, &stats.net_output_bytes, &stats.reads_processed,
        &stats.writes_processed, &stats.error_replies, &stats.output_limit_disconnections,
        &stats.query_limit_disconnections}) {
    counter->store(0, std::memory_order_relaxed);
  }
  command_stats.Clear();
  keyspace.ResetStats();
  keyspace.reaper().ResetDestroyed();
  expiry.ResetCounters();
}

void Instance::Dispose(std::vector<std::unique_ptr<Database>> databases, bool sync) {
  if (sync) return;  // the vector destroys them
  for (std::unique_ptr<Database>& database : databases) {
    if (database == nullptr) continue;
    const int64_t keys = database->key_count();
    keyspace.reaper().Add(std::move(database), keys);
  }
}

}  // namespace lapse
