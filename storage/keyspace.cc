#include "storage/keyspace.h"

#include <utility>

namespace lapse {
namespace {

// How far the clock may step back behind the keyspace's birth (a machine that boots with a wrong
// time) and ticks still tell times apart.
constexpr int64_t kTickMarginMs = int64_t{365} * 24 * 3600 * 1000;

}  // namespace

Database::Database(Keyspace& keyspace, int shards)
    : shards_(std::make_unique<Shard[]>(static_cast<size_t>(shards))),
      count_(static_cast<size_t>(shards)) {
  for (size_t i = 0; i < count_; ++i) keyspace.Attach(shards_[i], i);
}

Database::~Database() = default;

void KeyspaceTotals::Add(const ShardStats& stats) {
  keys += stats.keys.get();
  volatile_keys += stats.volatile_keys.get();
  field_volatile_keys += stats.field_volatile_keys.get();
  deadline_ms_sum += stats.deadline_ms_sum.get();
  entry_bytes += stats.entry_bytes.get();
  segments += stats.segments.get();
  hits += stats.hits.get();
  misses += stats.misses.get();
  expired_lazy += stats.expired[static_cast<int>(ExpiryPath::kLazy)].get();
  expired_active += stats.expired[static_cast<int>(ExpiryPath::kActive)].get();
  expired_flushed += stats.expired[static_cast<int>(ExpiryPath::kFlush)].get();
  expired_fields += stats.expired_fields.get();
  evicted += stats.evicted.get();
  splits += stats.splits.get();
  merges += stats.merges.get();
}

int64_t Database::key_count() const {
  KeyspaceTotals held;
  for (size_t i = 0; i < count_; ++i) held.Add(shards_[i].stats());
  return held.keys;
}

Keyspace::Keyspace(const Options& options, const Clock& clock)
    : clock_(clock),
      shard_bits_(options.shard_bits),
      ticks_(clock.NowMs() - kTickMarginMs),
      hasher_(options.hash_seed == 0 ? KeyHasher() : KeyHasher(options.hash_seed)),
      databases_(static_cast<size_t>(options.databases)) {}

Keyspace::~Keyspace() {
  for (auto& database : databases_) delete database.load(std::memory_order_acquire);
}

void Keyspace::Attach(Shard& shard, size_t number) {
  shard.Attach(&arena_, &heap_, &hasher_, &ticks_, shard_bits_, number);
}

Database* Keyspace::MakeDatabase(size_t db) {
  auto made = std::make_unique<Database>(*this, 1 << shard_bits_);
  Database* expected = nullptr;
  if (databases_[db].compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) {
    return made.release();
  }
  return expected;  // another thread was quicker
}

std::unique_ptr<Database> Keyspace::Detach(size_t db) {
  std::unique_ptr<Database> old(databases_[db].exchange(nullptr, std::memory_order_acq_rel));
  if (old == nullptr) return old;
  KeyspaceTotals counted;
  for (size_t i = 0; i < old->shard_count(); ++i) counted.Add(old->shard(i).stats());
  // What happened stays counted; what is held goes with the database.
  counted.keys = counted.volatile_keys = counted.deadline_ms_sum = 0;
  counted.field_volatile_keys = counted.entry_bytes = counted.segments = 0;
  retired_.Add(counted);
  return old;
}

void Keyspace::Swap(size_t a, size_t b) {
  Database* first = databases_[a].load(std::memory_order_acquire);
  databases_[a].store(databases_[b].load(std::memory_order_acquire), std::memory_order_release);
  databases_[b].store(first, std::memory_order_release);
}

void KeyspaceTotals::Add(const KeyspaceTotals& other) {
  keys += other.keys;
  volatile_keys += other.volatile_keys;
  field_volatile_keys += other.field_volatile_keys;
  deadline_ms_sum += other.deadline_ms_sum;
  entry_bytes += other.entry_bytes;
  segments += other.segments;
  hits += other.hits;
  misses += other.misses;
  expired_lazy += other.expired_lazy;
  expired_active += other.expired_active;
  expired_flushed += other.expired_flushed;
  expired_fields += other.expired_fields;
  evicted += other.evicted;
  splits += other.splits;
  merges += other.merges;
}

KeyspaceTotals Keyspace::Totals(size_t db) const {
  KeyspaceTotals totals;
  const Database* database = databases_[db].load(std::memory_order_acquire);
  if (database == nullptr) return totals;
  for (size_t i = 0; i < database->shard_count(); ++i) totals.Add(database->shard(i).stats());
  return totals;
}

KeyspaceTotals Keyspace::Totals() const {
  KeyspaceTotals totals = retired_;
  for (size_t db = 0; db < databases_.size(); ++db) totals.Add(Totals(db));
  return totals;
}

int64_t Keyspace::table_bytes() const {
  auto bytes = static_cast<int64_t>(arena_.pages_in_use() * arena_.page_bytes());
  for (const auto& slot : databases_) {
    const Database* database = slot.load(std::memory_order_acquire);
    if (database == nullptr) continue;
    for (size_t i = 0; i < database->shard_count(); ++i) {
      bytes += static_cast<int64_t>(sizeof(Shard) + database->shard(i).directory_bytes());
    }
  }
  return bytes;
}

void Keyspace::ResetStats() {
  retired_ = KeyspaceTotals{};
  lag_.Clear();
  for (const auto& slot : databases_) {
    Database* database = slot.load(std::memory_order_acquire);
    if (database == nullptr) continue;
    for (size_t i = 0; i < database->shard_count(); ++i) {
      ShardStats& stats = database->shard(i).stats();
      stats.hits.Set(0);
      stats.misses.Set(0);
      for (OwnedCounter& expired : stats.expired) expired.Set(0);
      stats.expired_fields.Set(0);
      stats.evicted.Set(0);
    }
  }
}

}  // namespace lapse
