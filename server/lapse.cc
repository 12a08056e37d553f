#include "server/lapse.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <limits>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "protocol/number.h"
#include "server/background_driver.h"
#include "server/commands/families.h"
#include "server/core/config.h"
#include "server/core/instance.h"
#include "server/expired_events.h"
#include "server/net/net_server.h"
#include "server/operations_thread.h"
#include "server/services/executor.h"
#include "server/services/services.h"
#include "server/services/tasks.h"
#include "storage/clock.h"
#include "storage/entry.h"
#include "storage/lock.h"
#include "storage/locked_shard.h"

namespace lapse {
namespace {

constexpr Event kIncrByEvent{"incrby", '$'};

// The system's clock, or the host program's wall clock beside the system's monotonic one.
class HostClock final : public Clock {
 public:
  explicit HostClock(std::function<int64_t()> now_ms) : now_ms_(std::move(now_ms)) {}

  int64_t NowUs() const override { return now_ms_ ? now_ms_() * 1000 : system_.NowUs(); }
  int64_t MonotonicNs() const override { return system_.MonotonicNs(); }

 private:
  const std::function<int64_t()> now_ms_;
  const SystemClock system_;
};

// The last deadline that is one, for a TTL that leads beyond it.
int64_t DeadlineAfter(int64_t now_ms, std::chrono::milliseconds ttl) {
  int64_t deadline = 0;
  if (__builtin_add_overflow(now_ms, int64_t{ttl.count()}, &deadline)) {
    return ttl.count() < 0 ? 0 : kNoDeadline - 1;
  }
  // A key is gone when now is after its deadline.
  return std::min(ttl.count() > 0 ? deadline : now_ms - 1, kNoDeadline - 1);
}

absl::Status ReadOptions(const Engine::Options& options, Config& config) {
  std::vector<std::string> words = {"--databases", std::to_string(options.databases),
                                    "--active-expire-strategy", options.expiry_strategy};
  // A library writes no files unless it is told where.
  config.flush_task_file.clear();
  for (const auto& [name, value] : options.directives) {
    words.push_back("--" + name + "=" + value);
  }
  return ApplyCommandLine(words, config);
}

Failure FailureOf(const absl::Status& status) { return {std::string(status.message())}; }

FlushReport ReportOf(const FlushRecord& record) {
  FlushReport report;
  report.run_id = record.run_id;
  report.cancelled = record.state == FlushState::kCancelled;
  report.scanned = record.scanned;
  report.reclaimed = record.reclaimed;
  report.orphans = record.orphans;
  report.bytes_freed = record.bytes_freed;
  report.memory_before_bytes = record.memory_before;
  report.memory_after_bytes = record.memory_after;
  report.rss_before_bytes = record.rss_before;
  report.rss_after_bytes = record.rss_after;
  report.duration = std::chrono::milliseconds(record.finished_ms - record.started_ms);
  report.cpu = std::chrono::nanoseconds(record.cpu_ns);
  report.longest_slice = std::chrono::nanoseconds(record.longest_slice_ns);
  return report;
}

// Where a thread that started a flush finds its record. Shared, because the run may outlast a
// caller that is unwound.
struct FlushWait {
  Mutex mu;
  std::condition_variable_any ended;
  std::optional<FlushRecord> record ABSL_GUARDED_BY(mu);

  void Put(const FlushRecord& result) {
    {
      MutexGuard guard(mu);
      record = result;
    }
    ended.notify_one();
  }
  FlushRecord Take() {
    MutexGuard guard(mu);
    while (!record.has_value()) ended.wait(mu);
    return *record;
  }
};

}  // namespace

struct Engine::Impl {
  Impl(const Options& options, Config config)
      : clock(options.now_ms),
        instance(std::move(config), clock, AllCommandFamilies()),
        events(std::make_shared<ExpiredEvents>(instance.keyspace, options.max_queued_events)),
        executors(instance),
        driver(instance),
        operations(instance) {
    InstallServices(instance).IgnoreError();  // the options name no file
    Services::Of(instance).tasks().Open(instance.config.flush_task_file);
  }
  // Here and not with its last owner, who may be a callback that ends its own subscription.
  ~Impl() { events->Stop(); }

  HostClock clock;
  Instance instance;
  std::shared_ptr<ExpiredEvents> events;
  ExecutorPool executors;
  BackgroundDriver driver;
  OperationsThread operations;

  Mutex server_mu;
  std::unique_ptr<NetServer> server ABSL_GUARDED_BY(server_mu);
};

namespace {

// One key's shard, locked for the length of a typed call, with the key's place and the time. The
// members are in the order in which they must come to be.
struct OneKey {
  OneKey(Instance& instance, std::string_view name)
      : now_ms(instance.clock.NowMs()),
        inside(instance.keyspace.gate()),
        key(instance.keyspace.Hashed(name)),
        shard(instance.keyspace, {0, true, now_ms}, key.place) {}

  const int64_t now_ms;
  const Gate::Shared inside;
  const Key key;
  LockedShard shard;
};

}  // namespace

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Engine::~Engine() { StopServer(); }

Result<std::unique_ptr<Engine>> Engine::Open() { return Open(Options()); }

Result<std::unique_ptr<Engine>> Engine::Open(Options options) {
  Config config;
  config.threads = 0;
  if (const absl::Status status = ReadOptions(options, config); !status.ok()) {
    return FailureOf(status);
  }
  auto impl = std::make_unique<Impl>(options, std::move(config));
  impl->driver.Start();
  impl->operations.Start();
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

bool Engine::Set(std::string_view key, std::string_view value, const SetOptions& options) {
  Instance& instance = impl_->instance;
  OneKey at(instance, key);
  const auto longest = static_cast<size_t>(instance.config.proto_max_bulk_len);
  if (key.size() > std::min(longest, Entry::kMaxKey) || value.size() > longest) return false;
  const Item existing = at.shard.Find(at.key);
  if (existing ? options.when == SetOptions::When::kIfAbsent
               : options.when == SetOptions::When::kIfPresent) {
    return false;
  }
  LockedShard::StringSpec spec{.value = value, .encoding = EncodingOfString(value)};
  if (options.ttl) {
    spec.deadline = DeadlineAfter(at.now_ms, *options.ttl);
  } else if (options.keep_ttl && existing) {
    spec.deadline = existing.deadline();
  }
  Item item = at.shard.Store(at.key, existing, spec);
  // The deadline is stored by then; writing it once more is SET's second event, for listeners
  // alone.
  if (options.ttl && instance.keyspace.effects().listening()) {
    at.shard.SetDeadline(at.key, item, spec.deadline, kExpireEvent);
  }
  return true;
}

std::optional<std::string> Engine::Get(std::string_view key) {
  OneKey at(impl_->instance, key);
  const Item item = at.shard.Read(at.key);
  if (!item || !item.is_string()) return std::nullopt;
  return std::string(item.value());
}

bool Engine::Delete(std::string_view key) {
  OneKey at(impl_->instance, key);
  const Item item = at.shard.Find(at.key);
  if (!item) return false;
  at.shard.Remove(item, kDelEvent);
  return true;
}

bool Engine::Exists(std::string_view key) {
  OneKey at(impl_->instance, key);
  return static_cast<bool>(at.shard.Peek(at.key));
}

Result<int64_t> Engine::Increment(std::string_view key, int64_t by) {
  OneKey at(impl_->instance, key);
  const Item existing = at.shard.Find(at.key);
  int64_t number = 0;
  if (existing && !existing.is_string()) return Failure{"the value is not a string"};
  if (existing && !ParseInt64(existing.value(), number)) {
    return Failure{"the value is not an integer"};
  }
  if (__builtin_add_overflow(number, by, &number)) return Failure{"the sum would overflow"};
  char digits[kMaxInt64Chars];
  const size_t length = FormatInt64(number, digits);
  at.shard.Store(at.key, existing,
                 {.value = {digits, length},
                  .deadline = existing ? existing.deadline() : kNoDeadline,
                  .encoding = Encoding::kInt,
                  .event = kIncrByEvent});
  return number;
}

bool Engine::Expire(std::string_view key, std::chrono::milliseconds ttl) {
  OneKey at(impl_->instance, key);
  Item item = at.shard.Find(at.key);
  if (!item) return false;
  if (ttl.count() <= 0) {
    at.shard.Remove(item, kDelEvent);
  } else {
    at.shard.SetDeadline(at.key, item, DeadlineAfter(at.now_ms, ttl), kExpireEvent);
  }
  return true;
}

bool Engine::ExpireAt(std::string_view key, std::chrono::system_clock::time_point deadline) {
  const int64_t deadline_ms =
      std::chrono::floor<std::chrono::milliseconds>(deadline.time_since_epoch()).count();
  OneKey at(impl_->instance, key);
  Item item = at.shard.Find(at.key);
  if (!item) return false;
  if (deadline_ms <= at.now_ms) {
    at.shard.Remove(item, kDelEvent);
  } else {
    at.shard.SetDeadline(at.key, item, deadline_ms, kExpireEvent);
  }
  return true;
}

bool Engine::Persist(std::string_view key) {
  OneKey at(impl_->instance, key);
  Item item = at.shard.Find(at.key);
  if (!item || item.deadline() == kNoDeadline) return false;
  at.shard.SetDeadline(at.key, item, kNoDeadline, kPersistEvent);
  return true;
}

Ttl Engine::Ttl(std::string_view key) {
  OneKey at(impl_->instance, key);
  const Item item = at.shard.Peek(at.key);
  if (!item) return {Ttl::State::kNoKey, {}};
  if (item.deadline() == kNoDeadline) return {Ttl::State::kNoTtl, {}};
  return {Ttl::State::kTtl, std::chrono::milliseconds(item.deadline() - at.now_ms)};
}

int64_t Engine::Size() {
  Keyspace& keyspace = impl_->instance.keyspace;
  const Gate::Shared inside(keyspace.gate());
  return keyspace.Totals(0).keys;
}

Result<FlushReport> Engine::FlushExpired(const FlushOptions& options) {
  const auto wait = std::make_shared<FlushWait>();
  FlushRequest request;
  request.trigger = "api";
  request.requested_by = "(host program)";
  request.reading = options.hints_only ? SweepReading::kHints : SweepReading::kDeadlines;
  request.dry_run = options.dry_run;
  request.max_cpu_percent = std::clamp(options.max_cpu_percent, 1, 100);
  request.on_done = [wait](const FlushRecord& record) { wait->Put(record); };
  {
    const Gate::Shared inside(impl_->instance.keyspace.gate());
    const FlushRunner::Started started = impl_->instance.expiry.flush().Start(std::move(request));
    if (started.busy) return Failure{absl::StrCat("run ", started.run_id, " is going")};
  }
  return ReportOf(wait->Take());
}

EngineStats Engine::Stats() {
  Instance& instance = impl_->instance;
  const Gate::Shared inside(instance.keyspace.gate());
  const KeyspaceTotals totals = instance.keyspace.Totals();
  const LagHistogram& lag = instance.keyspace.lag();
  EngineStats stats;
  stats.keys = totals.keys;
  stats.volatile_keys = totals.volatile_keys;
  stats.hits = totals.hits;
  stats.misses = totals.misses;
  stats.expired_lazy = totals.expired_lazy;
  stats.expired_active = totals.expired_active;
  stats.expired_flushed = totals.expired_flushed;
  stats.used_memory_bytes = instance.UsedMemory();
  stats.expiry_lag_p50 = std::chrono::milliseconds(lag.Percentile(0.5));
  stats.expiry_lag_p99 = std::chrono::milliseconds(lag.Percentile(0.99));
  stats.expiry_lag_max = std::chrono::milliseconds(lag.max_ms());
  stats.events_dropped = impl_->events->dropped();
  return stats;
}

Reply Engine::Execute(std::span<const std::string_view> words) {
  return impl_->executors.Execute(words);
}

Reply Engine::Execute(std::initializer_list<std::string_view> words) {
  return Execute(std::span(words.begin(), words.size()));
}

Subscription Engine::OnExpired(std::function<void(const ExpiredKey&)> callback) {
  // The hold's end is the subscription's.
  struct Hold {
    std::weak_ptr<ExpiredEvents> events;
    std::shared_ptr<ExpiredEvents::Subscriber> subscriber;
    ~Hold() {
      if (const auto alive = events.lock()) alive->Unsubscribe(subscriber);
    }
  };
  auto hold = std::make_shared<Hold>();
  hold->events = impl_->events;
  hold->subscriber = impl_->events->Subscribe(std::move(callback));
  return Subscription(std::move(hold));
}

Result<int> Engine::StartServer(const ServerOptions& options) {
  Instance& instance = impl_->instance;
  MutexGuard guard(impl_->server_mu);
  if (impl_->server != nullptr) return Failure{"a server runs already"};
  if (options.port < 0 || options.port > std::numeric_limits<uint16_t>::max()) {
    return Failure{absl::StrCat("no such port: ", options.port)};
  }
  {
    const Gate::Exclusive alone(instance.keyspace.gate());
    instance.config.port = options.port;
    instance.config.bind = options.bind;
    instance.config.unixsocket = options.unix_socket;
    instance.config.threads = options.threads;
    instance.config.requirepass = options.password;
    instance.hooks->OnConfigChanged();
  }
  // From here on the server's threads drive expiry, one driver at a time.
  impl_->driver.Stop();
  auto server =
      NetServer::Start(instance, {.any_port = options.port == 0 && !options.bind.empty()});
  if (!server.ok()) {
    impl_->driver.Start();
    return FailureOf(server.status());
  }
  impl_->server = *std::move(server);
  return int{impl_->server->port()};
}

void Engine::StopServer() {
  MutexGuard guard(impl_->server_mu);
  if (impl_->server == nullptr) return;
  impl_->server->Stop();
  impl_->server.reset();
  impl_->driver.Start();
}

}  // namespace lapse
