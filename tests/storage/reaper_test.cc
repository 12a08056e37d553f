// What is large is destroyed by a thread of its own, and nothing is left when the keyspace ends.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

#include "storage/clock.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"
#include "storage/reaper.h"
#include "storage/value.h"

namespace lapse {
namespace {

// Says where it was destroyed.
class Mortal final : public Value {
 public:
  struct Fate {
    std::atomic<bool> destroyed{false};
    std::thread::id by;
  };
  Mortal(size_t size, Fate& fate) : size_(size), fate_(fate) {}
  ~Mortal() override {
    fate_.by = std::this_thread::get_id();
    fate_.destroyed = true;
    fate_.destroyed.notify_all();
  }
  ValueType type() const override { return ValueType::kSet; }
  Encoding encoding() const override { return Encoding::kHashtable; }
  size_t size() const override { return size_; }
  size_t allocated_bytes() const override { return sizeof(*this); }
  std::unique_ptr<Value> Clone() const override { return std::make_unique<Mortal>(size_, fate_); }

 private:
  size_t size_;
  Fate& fate_;
};

class ReaperThread : public testing::Test {
 protected:
  void StoreAndRemove(size_t size, Mortal::Fate& fate) {
    const Key key = keyspace_->Hashed("k");
    LockedShard shard(*keyspace_, {0, true, clock_.NowMs()}, key.place);
    const Item item = shard.StoreCollection(key, {}, std::make_unique<Mortal>(size, fate),
                                            kNoDeadline, kSetEvent);
    shard.Remove(item, kDelEvent);
    EXPECT_FALSE(fate.destroyed) << "while the shard is locked";
  }

  SystemClock clock_;
  std::unique_ptr<Keyspace> keyspace_ =
      std::make_unique<Keyspace>(Keyspace::Options{.hash_seed = 3}, clock_);
};

TEST_F(ReaperThread, DestroysLargeCollections) {
  Mortal::Fate fate;
  StoreAndRemove(1'000'000, fate);
  fate.destroyed.wait(false);
  EXPECT_NE(fate.by, std::this_thread::get_id());
  keyspace_.reset();
}

TEST_F(ReaperThread, LeavesSmallOnesToWhoRemovesThem) {
  Mortal::Fate fate;
  StoreAndRemove(10, fate);
  EXPECT_TRUE(fate.destroyed);
  EXPECT_EQ(fate.by, std::this_thread::get_id());
  EXPECT_EQ(keyspace_->reaper().pending(), 0);
  EXPECT_EQ(keyspace_->reaper().destroyed(), 0);
}

TEST_F(ReaperThread, LeavesNothingAtItsEnd) {
  Mortal::Fate fates[50];
  for (Mortal::Fate& fate : fates) StoreAndRemove(5'000, fate);
  EXPECT_EQ(keyspace_->reaper().pending() + keyspace_->reaper().destroyed(), 50);
  keyspace_.reset();
  for (const Mortal::Fate& fate : fates) EXPECT_TRUE(fate.destroyed);
}

TEST_F(ReaperThread, DestroysWholeDatabases) {
  Mortal::Fate fate;
  {
    const Key key = keyspace_->Hashed("k");
    LockedShard shard(*keyspace_, {0, true, clock_.NowMs()}, key.place);
    shard.StoreCollection(key, {}, std::make_unique<Mortal>(1, fate), kNoDeadline, kSetEvent);
  }
  std::unique_ptr<Database> database = keyspace_->Detach(0);
  EXPECT_EQ(database->key_count(), 1);
  keyspace_->reaper().Add(std::move(database), 1);
  fate.destroyed.wait(false);
  EXPECT_NE(fate.by, std::this_thread::get_id());
  keyspace_.reset();
}

}  // namespace
}  // namespace lapse
