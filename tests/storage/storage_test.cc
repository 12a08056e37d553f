#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "storage/entry.h"
#include "storage/entry_heap.h"
#include "storage/key.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"
#include "storage/segment.h"
#include "storage/shard.h"
#include "storage/tick.h"

namespace lapse {
namespace {

TEST(BendHash, KeepsOrderAndEndsAndSpreadsDensityByTwo) {
  EXPECT_EQ(BendHash(0), 0u);
  EXPECT_EQ(BendHash(~uint64_t{0}), ~uint64_t{0});
  std::mt19937_64 random(3);
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t a = random();
    const uint64_t b = random();
    ASSERT_EQ(a < b, BendHash(a) < BendHash(b));
  }
  int64_t low = 0;
  int64_t high = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const uint64_t shard = BendHash(random()) >> 56;
    low += shard < 8 ? 1 : 0;
    high += shard >= 248 ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(high) / static_cast<double>(low), 2.0, 0.15);
}

TEST(KeyHasher, DependsOnTheSecret) {
  EXPECT_EQ(KeyHasher(1).Place("key"), KeyHasher(1).Place("key"));
  EXPECT_NE(KeyHasher(1).Place("key"), KeyHasher(2).Place("key"));
  EXPECT_NE(KeyHasher().Place("key"), KeyHasher().Place("key"));
}

TEST(TickScale, ADueTickIsNeverBeforeTheDeadlineAndAtMostOneTickAfter) {
  const TickScale ticks(1'000'000);
  for (int64_t deadline = 999'000; deadline < 1'002'000; ++deadline) {
    const Tick due = ticks.DueTick(deadline);
    ASSERT_GT(ticks.StartMs(due), deadline);
    if (deadline >= 1'000'000) {
      ASSERT_LE(ticks.StartMs(due), deadline + kTickMs);
    }
    ASSERT_LE(ticks.DueTick(deadline),
              ticks.NowTick(std::max<int64_t>(deadline + kTickMs, 1'000'000)));
  }
  EXPECT_LT(ticks.DueTick(INT64_MAX - 1), kNeverTick);
  EXPECT_EQ(ticks.NowTick(5), 0u);
}

TEST(EncodingOfString, IsRedis) {
  for (const char* s : {"0", "-1", "12345", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_EQ(EncodingOfString(s), Encoding::kInt) << s;
  }
  for (const char* s :
       {"", "-", "-0", "007", "+1", " 1", "1 ", "9223372036854775808", "1e3", "0x1"}) {
    EXPECT_EQ(EncodingOfString(s), Encoding::kEmbstr) << s;
  }
  EXPECT_EQ(EncodingOfString(std::string(44, 'a')), Encoding::kEmbstr);
  EXPECT_EQ(EncodingOfString(std::string(45, 'a')), Encoding::kRaw);
}

TEST(Entry, HoldsKeysAndValuesOfEverySize) {
  EntryHeap heap;
  for (const size_t key_size : {0, 1, 16, 254, 255, 256, 70'000}) {
    for (const size_t value_size : {0, 1, 32, 4096, 4097, 100'000}) {
      for (const int64_t deadline : {kNoDeadline, int64_t{12345}}) {
        const std::string key(key_size, 'k');
        const std::string value(value_size, 'v');
        Entry* entry = Entry::Create(heap, {key, value, deadline, Encoding::kRaw, 0xABCDEF});
        EXPECT_EQ(entry->key(), key);
        EXPECT_EQ(entry->value(), value);
        EXPECT_EQ(entry->deadline(), deadline);
        EXPECT_EQ(entry->access_clock(), 0xABCDEFu);
        EXPECT_GE(entry->allocated_bytes(), key_size + value_size + 8);
        Entry::Destroy(heap, entry);
      }
    }
  }
}

TEST(Entry, ADeadlineComesAndGoesWithinTheSizeClass) {
  EntryHeap heap;
  Entry* entry = Entry::Create(heap, {std::string(16, 'k'), std::string(32, 'v')});
  const size_t bytes = entry->allocated_bytes();
  if (entry->AddDeadlineInPlace(77)) {
    EXPECT_EQ(entry->deadline(), 77);
    EXPECT_EQ(entry->key(), std::string(16, 'k'));
    EXPECT_EQ(entry->value(), std::string(32, 'v'));
    EXPECT_EQ(entry->allocated_bytes(), bytes);
    EXPECT_TRUE(entry->DropDeadlineInPlace());
  }
  EXPECT_FALSE(entry->has_deadline());
  EXPECT_EQ(entry->value(), std::string(32, 'v'));
  Entry::Destroy(heap, entry);
}

TEST(Segment, IsFullOnlyWhenItsProbesAre) {
  EntryHeap heap;
  alignas(4096) static char page[4096];
  auto* segment = reinterpret_cast<Segment*>(page);
  KeyHasher hasher(5);
  std::mt19937_64 random(11);
  double load = 0;
  for (int round = 0; round < 20; ++round) {
    // Deep enough that the bend of the hash does not show.
    segment->Init(0, 4, 0);
    std::vector<Entry*> entries;
    for (;;) {
      const std::string key = std::to_string(random());
      if (!segment->Contains(hasher.Place(key))) continue;
      Entry* entry = Entry::Create(heap, {key, "v"});
      entries.push_back(entry);
      if (segment->Insert(hasher.Place(key), MakeSlot(entry, kNoHint)) < 0) break;
    }
    for (size_t i = 0; i + 1 < entries.size(); ++i) {
      const std::string_view key = entries[i]->key();
      const int slot = segment->Find(hasher.Place(key), 4, key);
      ASSERT_GE(slot, 0);
      ASSERT_EQ(EntryOf(segment->word(slot)), entries[i]);
    }
    EXPECT_EQ(segment->Find(hasher.Place(entries.back()->key()), 4, entries.back()->key()), -1);
    load += segment->live() / double{Segment::kCapacity};
    for (Entry* entry : entries) Entry::Destroy(heap, entry);
  }
  EXPECT_GT(load / 20, 0.8);
}

TEST(Segment, BucketStartIsTheInverseOfHomeBucket) {
  alignas(4096) static char page[4096];
  auto* segment = reinterpret_cast<Segment*>(page);
  for (const int depth : {0, 1, 8, 20, 40}) {
    const uint64_t prefix = depth == 0 ? 0 : uint64_t{1} << (64 - depth);
    segment->Init(prefix, depth, 0);
    for (int b = 0; b < Segment::kBuckets; ++b) {
      ASSERT_EQ(segment->HomeBucket(segment->BucketStart(b)), b);
      ASSERT_TRUE(segment->Contains(segment->BucketStart(b)));
      if (b > 0) {
        ASSERT_EQ(segment->HomeBucket(segment->BucketStart(b) - 1), b - 1);
      }
    }
    EXPECT_FALSE(depth > 0 && segment->Contains(segment->BucketStart(Segment::kBuckets)));
  }
}

// A page may hold what does not fit into it when it is put in anew in the order of its buckets:
// what had wrapped around to the first bucket comes first then. A merge that ends with smaller
// pages than it began with must not be tried again, for ever.
TEST(Shard, AMergeThatDoesNotFitEnds) {
  const ManualClock clock;
  const TickScale ticks(clock.NowMs());
  const KeyHasher hasher(1);
  PageArena arena{sizeof(Segment)};
  EntryHeap heap;
  Shard shard;
  shard.Attach(&arena, &heap, &hasher, &ticks, /*shard_bits=*/0, /*number=*/0);
  const SpinGuard guard(shard.lock());
  std::vector<std::string> keys;
  int tried = 0;
  // Adds n keys whose home, in one of the two halves of the table, is this bucket.
  const auto insert = [&](bool upper, int bucket,
                          int n) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.lock()) {
    while (n > 0) {
      const std::string key = "key" + std::to_string(tried++);
      const uint64_t place = hasher.Place(key);
      if ((place >> 63 != 0) != upper || Segment::HomeBucket(place, 1) != bucket) continue;
      shard.Insert(place, Entry::Create(heap, {.key = key}), 0);
      keys.push_back(key);
      --n;
    }
  };
  constexpr int kReach = Segment::kProbes * Segment::kSlots;  // what one home bucket can take
  constexpr int kLast = Segment::kBuckets - 1;
  // One more than a bucket of the undivided page can take: it splits.
  insert(true, 41, kReach / 2 + 1);
  insert(true, 42, kReach / 2);
  ASSERT_EQ(shard.segment_count(), 2u);
  insert(false, kLast - (Segment::kProbes - 1), kReach);
  insert(false, kLast, Segment::kSlots);
  ASSERT_EQ(shard.segment_count(), 2u);
  shard.MergeAround(shard.SegmentOf(0), 0);
  for (const std::string& key : keys) {
    EXPECT_NE(shard.Find(hasher.Place(key), key).segment, nullptr) << key;
  }
}

TEST(PageArena, ReusesPagesAndGivesChunksBack) {
  PageArena arena(4096);
  std::vector<void*> pages;
  for (int i = 0; i < 2'000; ++i) {
    pages.push_back(arena.Allocate());
    ASSERT_EQ(reinterpret_cast<uintptr_t>(pages.back()) % arena.page_bytes(), 0u);
    *static_cast<int*>(pages.back()) = i;
  }
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(*static_cast<int*>(pages[static_cast<size_t>(i)]), i);
  EXPECT_EQ(arena.pages_in_use(), 2'000u);
  for (size_t i = 1; i < pages.size(); i += 2) arena.Free(pages[i]);
  arena.Release();
  for (size_t i = 0; i < pages.size(); i += 2) {
    ASSERT_EQ(*static_cast<int*>(pages[i]), static_cast<int>(i));
    arena.Free(pages[i]);
  }
  EXPECT_EQ(arena.pages_in_use(), 0u);
  void* again = arena.Allocate();
  *static_cast<int*>(again) = 1;
  arena.Free(again);
}

TEST(EntryHeap, KeepsObjectsApartAndGivesMemoryBack) {
  EntryHeap heap;
  std::mt19937_64 random(9);
  struct Object {
    unsigned char* bytes;
    size_t size;
    unsigned char mark;
  };
  std::vector<Object> objects;
  const auto check_and_free = [&](size_t i) {
    const Object object = objects[i];
    for (size_t b = 0; b < object.size; ++b) ASSERT_EQ(object.bytes[b], object.mark);
    heap.Free(object.bytes, object.size);
    objects[i] = objects.back();
    objects.pop_back();
  };
  for (int step = 0; step < 60'000; ++step) {
    if (random() % 3 != 0 || objects.empty()) {
      const size_t size = 1 + random() % (random() % 10 == 0 ? 5'000 : 300);
      ASSERT_GE(EntryHeap::SizeClass(size), size);
      ASSERT_EQ(EntryHeap::SizeClass(EntryHeap::SizeClass(size)), EntryHeap::SizeClass(size));
      auto* bytes = static_cast<unsigned char*>(heap.Allocate(size));
      const auto mark = static_cast<unsigned char>(random());
      std::fill(bytes, bytes + size, mark);
      objects.push_back({bytes, size, mark});
    } else {
      check_and_free(random() % objects.size());
    }
  }
  while (!objects.empty()) check_and_free(objects.size() - 1);
  // One slab of each class is kept.
  EXPECT_LE(heap.slab_bytes(), size_t{64} * 32768);
}

TEST(EntryHeap, ConcurrentThreadsFreeEachOthersObjects) {
  EntryHeap heap;
  constexpr size_t kObjects = 20'000;
  std::vector<std::atomic<void*>> shared(kObjects);
  const auto work = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    for (size_t i = 0; i < 4 * kObjects; ++i) {
      void* mine = heap.Allocate(48);
      *static_cast<uint64_t*>(mine) = seed;
      if (void* other = shared[random() % kObjects].exchange(mine)) heap.Free(other, 48);
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t t = 1; t <= 3; ++t) threads.emplace_back(work, t);
  for (std::thread& thread : threads) thread.join();
  for (auto& object : shared) {
    if (void* left = object.load()) heap.Free(left, 48);
  }
  EXPECT_LE(heap.slab_bytes(), size_t{3} * 32768);
}

TEST(LagHistogram, PercentilesAreWithinABucket) {
  LagHistogram lag;
  EXPECT_EQ(lag.Percentile(0.5), 0);
  for (int64_t i = 1; i <= 1000; ++i) lag.Add(i);
  EXPECT_EQ(lag.count(), 1000);
  EXPECT_EQ(lag.max_ms(), 1000);
  EXPECT_NEAR(static_cast<double>(lag.Percentile(0.5)), 500, 125);
  EXPECT_NEAR(static_cast<double>(lag.Percentile(0.99)), 990, 250);
  for (int bucket = 1; bucket < LagHistogram::kBuckets - 1; ++bucket) {
    const int64_t upper = LagHistogram::UpperBound(bucket);
    ASSERT_EQ(LagHistogram::BucketOf(upper), bucket);
    ASSERT_EQ(LagHistogram::BucketOf(upper + 1), bucket + 1);
  }
}

struct Recorder : EffectSink {
  void OnEffect(const Effect& effect) override {
    log.push_back(fmt::format("{} {}", effect.event.name, effect.key));
  }
  std::vector<std::string> log;
};

TEST(LockedShard, ReportsEveryChangeOnce) {
  ManualClock clock;
  Keyspace keyspace({.hash_seed = 3}, clock);
  Recorder recorder;
  keyspace.effects().Add(&recorder);
  const Key key = keyspace.Hashed("k");
  {
    LockedShard shard(keyspace, {0, true, clock.NowMs()}, key.place);
    Item item = shard.Store(key, {}, {"v", clock.NowMs() + 10});
    shard.SetDeadline(key, item, kNoDeadline, kPersistEvent);
    shard.SetDeadline(key, item, clock.NowMs() + 10, kExpireEvent);
  }
  clock.AdvanceMs(11);
  {
    LockedShard shard(keyspace, {0, true, clock.NowMs()}, key.place);
    EXPECT_FALSE(shard.Read(key));
    shard.Remove(shard.Store(key, {}, {"w"}), kDelEvent);
  }
  EXPECT_EQ(recorder.log, (std::vector<std::string>{"set k", "persist k", "expire k", "expired k",
                                                    "set k", "del k"}));
  EXPECT_EQ(keyspace.Totals().expired_lazy, 1);
  EXPECT_EQ(keyspace.Totals().misses, 1);
}

TEST(KeyLocks, ConcurrentTransfersKeepTheSum) {
  SystemClock clock;
  Keyspace keyspace({.hash_seed = 3}, clock);
  constexpr int kAccounts = 50;
  std::vector<std::string> names;
  for (int i = 0; i < kAccounts; ++i) names.push_back(fmt::format("account:{}", i));
  for (const std::string& name : names) {
    const Key key = keyspace.Hashed(name);
    LockedShard(keyspace, {0, true, 1}, key.place).Store(key, {}, {"1000"});
  }
  const auto transfer = [&](uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < 5'000; ++i) {
      Gate::Shared inside(keyspace.gate());
      const Key from = keyspace.Hashed(names[random() % kAccounts]);
      const Key to = keyspace.Hashed(names[random() % kAccounts]);
      if (from.name == to.name) continue;
      KeyLocks locks(keyspace, {0, true, 1}, {{0, from.place}, {0, to.place}});
      for (const auto& [key, change] : {std::pair{from, -1}, std::pair{to, +1}}) {
        LockedShard& shard = locks.For(0, key.place);
        const Item item = shard.Find(key);
        const int value = std::stoi(std::string(item.value())) + change;
        shard.Store(key, item, {std::to_string(value)});
      }
    }
  };
  std::atomic<bool> done{false};
  std::thread exclusive([&] {
    while (!done.load()) {
      {
        Gate::Exclusive alone(keyspace.gate());
        int sum = 0;
        for (const std::string& name : names) {
          const Key key = keyspace.Hashed(name);
          LockedShard shard(keyspace, {0, true, 1}, key.place);
          sum += std::stoi(std::string(shard.Find(key).value()));
        }
        ASSERT_EQ(sum, kAccounts * 1000);
      }
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) threads.emplace_back(transfer, t);
  for (std::thread& thread : threads) thread.join();
  done = true;
  exclusive.join();
}

TEST(SpinLock, ConcurrentIncrementsAreNotLost) {
  SpinLock lock;
  int64_t n = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50'000; ++i) {
        SpinGuard guard(lock);
        ++n;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(n, 200'000);
}

}  // namespace
}  // namespace lapse
