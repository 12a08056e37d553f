// Random commands, in both protocols.

#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

#include "tests/differential/duel.h"

namespace lapse {
namespace {

constexpr int64_t kCommands = 100'000;  // for each protocol
constexpr size_t kMaxPipeline = 48;
constexpr int kInspectEvery = 25;  // pipelines

// Requests whose replies are alike to the byte, some of them unanswered.
std::vector<Request> SilencedRequests(Dice& dice) {
  std::vector<Request> requests;
  const bool off = dice.Chance(50);
  requests.push_back({"CLIENT", "REPLY", off ? "OFF" : "SKIP"});
  for (size_t i = dice.Below(4); i > 0; --i) {
    const auto& [request, agreement, spoiling] = RandomShot(dice);
    if (agreement == Agreement::kExact) requests.push_back(request);
  }
  if (off && dice.Chance(30)) requests.push_back({"CLIENT", "REPLY", "SKIP"});
  requests.push_back({"CLIENT", "REPLY", "ON"});
  if (!off) requests.push_back({"CLIENT", "REPLY", "ON"});  // the first may have been skipped
  return requests;
}

std::vector<Shot> Pipeline(Dice& dice) {
  std::vector<Shot> shots;
  const size_t size = dice.Chance(30) ? 1 : 1 + dice.Below(kMaxPipeline);
  while (shots.size() < size) shots.push_back(RandomShot(dice));
  if (dice.Chance(3)) {
    shots.push_back({{"RESET"}});
    shots.push_back({{"HELLO", std::to_string(dice.protocol())}, Agreement::kGreeting});
  }
  return shots;
}

Request ScanOptions(Dice& dice) {
  Request options;
  if (dice.Chance(50)) options.insert(options.end(), {"MATCH", dice.Pattern()});
  if (dice.Chance(50)) {
    options.insert(options.end(), {"COUNT", dice.OneOf({"1", "2", "7", "100", "100000"})});
  }
  if (dice.Chance(30)) {
    options.insert(options.end(), {"TYPE", dice.OneOf({"string", "STRING", "hash"})});
  }
  return options;
}

bool Interlude(Duel& duel, Dice& dice) {
  switch (dice.Below(12)) {
    case 0:
      return duel.PlayUntilMarker(SilencedRequests(dice));
    case 1:
      return dice.Chance(70) || duel.Reconnect();
    case 2:
      return duel.FlushExpired();
    case 3:
      return duel.CompareScans(ScanOptions(dice));
    default:
      return true;
  }
}

void PlayRandomCommands(int protocol) {
  std::string missing;
  const auto rivals = Rivals::Start(missing, {}, kUnsharedIntegers);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  const uint64_t seed = SeedFromEnvironment();
  const int64_t commands = CommandsFromEnvironment(kCommands);
  std::cout << "LAPSE_DIFF_SEED=" << seed << " LAPSE_DIFF_COMMANDS=" << commands << std::endl;

  Dice dice(seed, protocol);
  Duel duel(*rivals, protocol, seed);
  for (int i = 1; duel.played() < commands && !testing::Test::HasFailure(); ++i) {
    dice.set_now_ms(WallClockMs());
    if (!duel.Play(Pipeline(dice)) || !Interlude(duel, dice)) return;
    if (i % kInspectEvery == 0 && !duel.Inspect()) return;
  }
  EXPECT_TRUE(duel.Inspect());
  std::cout << duel.played() << " commands compared" << std::endl;
}

TEST(Differential, RandomCommandsResp2) { PlayRandomCommands(2); }

TEST(Differential, RandomCommandsResp3) { PlayRandomCommands(3); }

}  // namespace
}  // namespace lapse
