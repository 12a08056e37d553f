// Keys that expire for real. All deadlines of a round are one instant or shortly before it; until
// then keys are only prepared, afterwards they are only looked at, so that no reply depends on
// which server read its clock first.

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "tests/differential/duel.h"

namespace lapse {
namespace {

constexpr int kRounds = 20;
constexpr int64_t kLeastLifeMs = 250;
constexpr int64_t kMostLifeMs = 20'000;
// Preparations end so long before the deadline; relative TTLs are no longer than that.
constexpr int64_t kMarginMs = 100;
constexpr int kPreparations = 60;
constexpr int kBriefKeys = 10;

// Something done to a key that has the deadline, or will, or had.
Shot Prepare(Dice& dice, const std::string& deadline) {
  const std::string key = dice.Key();
  switch (dice.Below(14)) {
    case 0:
    case 1:
    case 2:
      return {{"SET", key, dice.Value(), "PXAT", deadline}};
    case 3:
    case 4:
    case 5:
      return {{"PEXPIREAT", key, deadline}};
    case 6:
      return {{"GETEX", key, "PXAT", deadline}};
    case 7:
      return {{"SET", key, dice.Value(), dice.OneOf({"KEEPTTL", "GET", "NX", "XX"})}};
    case 8:
      return {{dice.OneOf({"APPEND", "SETRANGE", "GETSET"}), key, dice.Value()}};
    case 9:
      return {{dice.OneOf({"RENAME", "RENAMENX"}), key, dice.Key()}};
    case 10:
      return {{"COPY", key, dice.Key(), "DB", std::to_string(dice.Below(kDatabasesInPlay))}};
    case 11:
      return {{"MOVE", key, std::to_string(1 + dice.Below(kDatabasesInPlay - 1))}};
    case 12:
      return {{dice.OneOf({"PERSIST", "INCR", "GETDEL"}), key}};
    default:
      return {{"EXPIRE", key, std::to_string(dice.Between(4000, 100'000))}};
  }
}

// Keys with TTLs of their own, that nobody touches before they have run out.
void AddBriefKeys(Dice& dice, std::vector<Shot>& shots) {
  for (int i = 0; i < kBriefKeys; ++i) {
    const std::string key = "brief" + std::to_string(i);
    const std::string ttl = std::to_string(dice.Between(1, kMarginMs));
    switch (dice.Below(3)) {
      case 0:
        shots.push_back({{"PSETEX", key, ttl, dice.Value()}});
        break;
      case 1:
        shots.push_back({{"SET", key, dice.Value(), "PX", ttl}});
        break;
      default:
        shots.push_back({{"SET", key, dice.Value(), "EXAT", "4000000000"}});
        shots.push_back({{"PEXPIRE", key, ttl, "LT"}});
    }
  }
}

std::vector<Shot> Preparations(Dice& dice, int64_t deadline_ms) {
  std::vector<Shot> shots = {{{"FLUSHALL"}}, {{"SELECT", "0"}}};
  for (int i = 0; i < kPreparations; ++i) {
    shots.push_back(Prepare(dice, std::to_string(deadline_ms)));
  }
  AddBriefKeys(dice, shots);
  return shots;
}

// What meets a dead key first differs from round to round.
std::vector<Shot> Looks(Dice& dice) {
  std::vector<Shot> shots;
  if (dice.Chance(50)) shots.push_back({{"KEYS", "*"}, Agreement::kAnyOrder});
  if (dice.Chance(50)) {
    shots.push_back({{"MGET", "brief0", "brief1", "brief2"}});
    shots.push_back({{"SETNX", "brief3", "new"}});
    shots.push_back({{"RENAMENX", "brief3", "brief4"}});
    shots.push_back({{"INCR", "brief5"}});
    shots.push_back({{"TTL", "brief6"}});
    shots.push_back({{"PERSIST", "brief7"}});
    shots.push_back({{"APPEND", "brief8", "new"}});
    shots.push_back({{"GETEX", "brief9", "PERSIST"}});
  }
  for (size_t i = dice.Below(40); i > 0; --i) shots.push_back(RandomShot(dice));
  return shots;
}

// Sets `timely` to whether the deadline was still far away when everything was prepared.
bool PlayRound(Duel& duel, Dice& dice, int64_t life_ms, bool& timely) {
  const int64_t deadline_ms = WallClockMs() + life_ms;
  dice.set_now_ms(WallClockMs());
  if (!duel.Play(Preparations(dice, deadline_ms))) return false;
  timely = WallClockMs() < deadline_ms - kMarginMs;
  EXPECT_TRUE(Eventually([&] { return WallClockMs() > deadline_ms + 1; }));
  if (dice.Chance(30) && !duel.FlushExpired()) return false;
  return duel.Play(Looks(dice)) && duel.Inspect();
}

TEST(Differential, KeysThatExpire) {
  std::string missing;
  const auto rivals = Rivals::Start(missing, {}, kUnsharedIntegers);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  const uint64_t seed = SeedFromEnvironment();
  std::cout << "LAPSE_DIFF_SEED=" << seed << std::endl;
  Dice dice(seed, 2);
  Duel duel(*rivals, 2, seed);
  int64_t life_ms = kLeastLifeMs;
  for (int round = 0; round < kRounds; ++round) {
    bool timely = false;
    if (!PlayRound(duel, dice, life_ms, timely)) {
      EXPECT_TRUE(timely) << "the machine was too slow for this round";
      return;
    }
    if (!timely) life_ms = std::min(life_ms * 2, kMostLifeMs);
  }
}

// Rounding and limits of deadlines that both servers know to the millisecond.
TEST(Differential, ExactDeadlines) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  Duel duel(*rivals, 2, 0);
  for (const int64_t seconds : {4'000'000'000, 4'000'000'001, 9'000'000'000'000'000}) {
    for (const int64_t ms : {0, 1, 499, 500, 501, 999}) {
      const std::string deadline = std::to_string(seconds * 1000 + ms);
      const Shot shots[] = {{{"SET", "k", "v", "PXAT", deadline}},
                            {{"EXPIRETIME", "k"}},
                            {{"PEXPIRETIME", "k"}},
                            {{"PEXPIREAT", "k", deadline, "GT"}},
                            {{"PEXPIREAT", "k", deadline, "LT"}},
                            {{"COPY", "k", "k2", "REPLACE"}},
                            {{"RENAME", "k2", "k3"}},
                            {{"PEXPIRETIME", "k3"}}};
      if (!duel.Play(shots)) return;
    }
  }
}

}  // namespace
}  // namespace lapse
