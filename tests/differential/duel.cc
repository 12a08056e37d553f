#include "tests/differential/duel.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <optional>

namespace lapse {
namespace {

constexpr size_t kRemembered = 20;
constexpr int kMaxScanCalls = 100'000;
constexpr uint64_t kDefaultSeed = 20240611;
constexpr size_t kShownBytes = 2000;

std::string Show(const std::optional<Answer>& answer, const ByteClient& server) {
  if (!answer) return "nothing: " + server.error();
  return fmt::format("{}\n    bytes: {}", answer->reply.ToString().substr(0, kShownBytes),
                     ToCommandLine({answer->bytes.substr(0, kShownBytes)}));
}

Shot Select(const std::string& db) { return {{"SELECT", db}}; }

// The keys that a whole scan finds; nullopt when it fails or never ends.
std::optional<std::set<std::string>> ScanAll(ByteClient& server, const Request& options) {
  std::set<std::string> keys;
  std::string cursor = "0";
  for (int i = 0; i < kMaxScanCalls; ++i) {
    Request request = {"SCAN", cursor};
    request.insert(request.end(), options.begin(), options.end());
    server.Send(Encode(request));
    const auto answer = server.Receive();
    if (!answer || answer->reply.size() != 2) return std::nullopt;
    for (const Reply& key : answer->reply[1].elements) keys.insert(key.text);
    cursor = answer->reply[0].text;
    if (cursor == "0") return keys;
  }
  return std::nullopt;
}

std::string Show(const std::optional<std::set<std::string>>& keys) {
  if (!keys) return "a scan that failed or did not end";
  return fmt::format("{} keys: {}", keys->size(), ToCommandLine({keys->begin(), keys->end()}));
}

}  // namespace

std::unique_ptr<Rivals> Rivals::Start(std::string& missing, const Request& for_both,
                                      const Request& for_reference) {
  const auto reference = ReferenceServer();
  const ServerProgram ours = LapseServer();
  if (!reference) missing = "redis-server is not on the PATH";
  if (ours.path.empty()) missing = "LAPSE_SERVER is not set";
  if (!missing.empty()) return nullptr;
  Request directives = {"--save", "", "--appendonly", "no"};
  directives.insert(directives.end(), for_both.begin(), for_both.end());
  auto rivals = std::make_unique<Rivals>();
  rivals->ours = std::make_unique<ServerProcess>(directives, std::nullopt, ours);
  directives.insert(directives.end(), for_reference.begin(), for_reference.end());
  rivals->reference = std::make_unique<ServerProcess>(directives, std::nullopt, *reference);
  return rivals;
}

uint64_t SeedFromEnvironment() {
  const char* const text = std::getenv("LAPSE_DIFF_SEED");
  return text == nullptr ? kDefaultSeed : std::strtoull(text, nullptr, 10);
}

int64_t CommandsFromEnvironment(int64_t otherwise) {
  const char* const text = std::getenv("LAPSE_DIFF_COMMANDS");
  return text == nullptr ? otherwise : std::strtoll(text, nullptr, 10);
}

int64_t WallClockMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Duel::Duel(const Rivals& rivals, int protocol, uint64_t seed)
    : rivals_(rivals),
      protocol_(protocol),
      seed_(seed),
      players_(Connect()),
      inspectors_(Connect()) {}

std::unique_ptr<Duel::Pair> Duel::Connect() {
  auto pair = std::make_unique<Pair>(rivals_);
  const Shot hello{{"HELLO", std::to_string(protocol_)}, Agreement::kGreeting};
  PlayOn(*pair, std::span(&hello, 1), false);
  return pair;
}

void Duel::Remember(const Request& request) {
  history_.push_back(ToCommandLine(request));
  if (history_.size() > kRemembered) history_.pop_front();
}

bool Duel::Report(const Request& request, const std::string& reference, const std::string& ours) {
  std::string history;
  for (const std::string& line : history_) history += line + "\n";
  ADD_FAILURE() << fmt::format(
      "seed {}, protocol {}, after {} commands: {}\n  redis: {}\n  lapse: {}\n"
      "The last commands of the connection under test:\n{}",
      seed_, protocol_, played_, ToCommandLine(request), reference, ours, history);
  return false;
}

bool Duel::CompareNext(Pair& pair, const Shot& shot) {
  const auto reference = pair.reference.Receive();
  const auto ours = pair.ours.Receive();
  if (reference && ours) {
    if (Agree(shot.agreement, *reference, *ours)) return true;
    if (!Explain(shot.request, *reference, *ours).empty()) return true;
  }
  return Report(shot.request, Show(reference, pair.reference), Show(ours, pair.ours));
}

bool Duel::PlayOn(Pair& pair, std::span<const Shot> shots, bool remember) {
  std::string bytes;
  for (const Shot& shot : shots) bytes += Encode(shot.request);
  pair.Send(bytes);
  for (const Shot& shot : shots) {
    if (remember) {
      Remember(shot.request);
      ++played_;
    }
    if (!CompareNext(pair, shot)) return false;
  }
  return true;
}

bool Duel::Play(std::span<const Shot> shots) { return PlayOn(*players_, shots, true); }

bool Duel::PlayUntilMarker(const std::vector<Request>& requests) {
  const Request marker = {"ECHO", fmt::format("marker {}", played_)};
  std::string bytes;
  for (const Request& request : requests) {
    bytes += Encode(request);
    Remember(request);
    ++played_;
  }
  players_->Send(bytes + Encode(marker));
  for (;;) {
    const auto reference = players_->reference.Receive();
    const auto ours = players_->ours.Receive();
    const bool same =
        reference && ours &&
        (reference->bytes == ours->bytes || !Explain(requests.back(), *reference, *ours).empty());
    if (!same) {
      return Report(requests.back(), Show(reference, players_->reference),
                    Show(ours, players_->ours));
    }
    if (reference->reply == marker[1]) return true;
  }
}

bool Duel::Reconnect() {
  if (!Play(Shot{{"QUIT"}})) return false;
  constexpr int kCloseTimeMs = 5000;
  for (ByteClient* const server : {&players_->reference, &players_->ours}) {
    const std::string rest = server->ReceiveUntilSilence(kCloseTimeMs);
    EXPECT_EQ(rest, "");
    EXPECT_TRUE(server->closed()) << "QUIT does not close";
    if (!rest.empty() || !server->closed()) return false;
  }
  players_ = Connect();
  return true;
}

bool Duel::Inspect() {
  for (int db = 0; db < kDatabasesInPlay; ++db) {
    if (!InspectDatabase(std::to_string(db))) return false;
  }
  return true;
}

bool Duel::InspectDatabase(const std::string& db) {
  if (!PlayOn(*inspectors_, std::vector{Select(db)}, false)) return false;
  if (!CompareScans({})) return false;
  const auto keys = ScanAll(inspectors_->reference, {"COUNT", "1000"});
  if (!keys || !InspectKeys(*keys)) return false;
  // The scans have removed what was expired, so that numbers of keys are comparable.
  const Shot shots[] = {{{"KEYS", "*"}, Agreement::kAnyOrder}, {{"DBSIZE"}}};
  return PlayOn(*inspectors_, shots, false) && IsKeyOrNone(inspectors_->reference, *keys) &&
         IsKeyOrNone(inspectors_->ours, *keys);
}

bool Duel::InspectKeys(const std::set<std::string>& keys) {
  // What depends on the time by itself: a request behind replies of megabytes, which take seconds
  // on a busy machine, comes to one server later than to the other.
  std::vector<Shot> idle_times;
  std::vector<Shot> touches;
  std::vector<Shot> shots;
  for (const std::string& key : keys) {
    idle_times.push_back({{"OBJECT", "IDLETIME", key}, Agreement::kSeconds});
    touches.push_back({{"TOUCH", key}});
    shots.push_back({{"TYPE", key}});
    shots.push_back({{"OBJECT", "ENCODING", key}});
    shots.push_back({{"PEXPIRETIME", key}, Agreement::kMilliseconds});
    shots.push_back({{"GET", key}});
    shots.push_back({{"SMEMBERS", key}, Agreement::kAnyOrder});
    shots.push_back({{"HGETALL", key}, Agreement::kAnyPairOrder});
  }
  return PlayOn(*inspectors_, idle_times, false) && PlayOn(*inspectors_, shots, false) &&
         PlayOn(*inspectors_, touches, false);
}

bool Duel::IsKeyOrNone(ByteClient& server, const std::set<std::string>& keys) {
  const Request request = {"RANDOMKEY"};
  server.Send(Encode(request));
  const auto answer = server.Receive();
  const bool fits =
      answer && (answer->reply.IsNull() ? keys.empty() : keys.count(answer->reply.text) == 1);
  if (fits) return true;
  const bool is_ours = &server == &inspectors_->ours;
  return Report(request, is_ours ? "a key, or nothing" : Show(answer, server),
                is_ours ? Show(answer, server) : "a key, or nothing");
}

bool Duel::CompareScans(const Request& options) {
  const auto reference = ScanAll(inspectors_->reference, options);
  const auto ours = ScanAll(inspectors_->ours, options);
  if (reference && ours && *reference == *ours) return true;
  Request request = {"SCAN", "0"};
  request.insert(request.end(), options.begin(), options.end());
  return Report(request, Show(reference), Show(ours));
}

bool Duel::FlushExpired() {
  const Request request = {"FLUSHEXPIREKEYS", "ASYNC"};
  inspectors_->ours.Send(Encode(request));
  const auto answer = inspectors_->ours.Receive();
  const bool started = answer && answer->reply.IsCollection();
  const bool busy = answer && answer->reply.text.starts_with("BUSY ");
  if (started || busy) return true;
  return Report(request, "unknown to it", Show(answer, inspectors_->ours));
}

}  // namespace lapse
