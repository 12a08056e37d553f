#include "protocol/buffer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>

namespace lapse {
namespace {

TEST(Buffer, StartsWithoutMemory) {
  Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 0u);
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.view(), "");
  buffer.Append("");
  buffer.Consume(0);
  EXPECT_EQ(buffer.capacity(), 0u);
}

TEST(Buffer, CommitsPartOfWhatWasPrepared) {
  Buffer buffer;
  char* const room = buffer.Prepare(1000);
  EXPECT_GE(buffer.capacity(), 1000u);
  room[0] = 'a';
  room[1] = 'b';
  EXPECT_TRUE(buffer.empty());
  buffer.Commit(2);
  EXPECT_EQ(buffer.view(), "ab");
}

TEST(Buffer, GrowsGeometrically) {
  Buffer buffer;
  size_t growths = 0;
  for (int i = 0; i < 100000; ++i) {
    const size_t before = buffer.capacity();
    buffer.Append("x");
    growths += buffer.capacity() != before;
  }
  EXPECT_EQ(buffer.view(), std::string(100000, 'x'));
  EXPECT_LE(growths, 12u);
}

TEST(Buffer, KeepsOrReleasesMemory) {
  Buffer buffer;
  buffer.Append("hello");
  const size_t capacity = buffer.capacity();
  buffer.Clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), capacity);
  buffer.Release();
  EXPECT_EQ(buffer.capacity(), 0u);
  buffer.Append("again");
  EXPECT_EQ(buffer.view(), "again");
}

TEST(Buffer, Moves) {
  Buffer a;
  a.Append("hello");
  Buffer b = std::move(a);
  EXPECT_EQ(b.view(), "hello");
  EXPECT_EQ(a.capacity(), 0u);  // NOLINT: what a moved-from buffer holds is part of its contract
  a.Append("other");
  b = std::move(a);
  EXPECT_EQ(b.view(), "other");
  Buffer& self = b;
  b = std::move(self);
  EXPECT_EQ(b.view(), "other");
}

TEST(Buffer, AgreesWithAString) {
  std::mt19937_64 random(7);
  Buffer buffer;
  std::string model;
  for (int round = 0; round < 20000; ++round) {
    switch (random() % 4) {
      case 0:
      case 1: {
        const std::string bytes(random() % 40, static_cast<char>('a' + random() % 26));
        buffer.Append(bytes);
        model += bytes;
        break;
      }
      case 2: {
        const size_t n = random() % (model.size() + 1);
        buffer.Consume(n);
        model.erase(0, n);
        break;
      }
      default: {
        const size_t size = model.size() - random() % (model.size() / 4 + 1);
        buffer.Truncate(size);
        model.resize(size);
      }
    }
    ASSERT_EQ(buffer.view(), model);
  }
}

}  // namespace
}  // namespace lapse
