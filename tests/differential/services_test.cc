// Transactions, subscriptions, notifications and client-side caching: the same dialogues of a few
// clients with both servers, compared byte for byte.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/core/words.h"
#include "tests/differential/byte_client.h"
#include "tests/differential/duel.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

// One client says a line (or nothing), and then gets so many replies and pushes.
struct Step {
  int client;
  std::string_view line;
  int replies = 1;
  bool compared = true;
};

using Dialogue = std::vector<Step>;

class Stage {
 public:
  explicit Stage(int port) : port_(port) {}

  ByteClient& client(int number) {
    auto& client = clients_[number];
    if (client == nullptr) client = std::make_unique<ByteClient>(port_);
    return *client;
  }

  std::string Play(const Step& step) {
    ByteClient& speaker = client(step.client);
    if (!step.line.empty()) speaker.Send(Encode(*SplitWords(step.line)));
    std::string bytes;
    for (int i = 0; i < step.replies; ++i) {
      const auto answer = speaker.Receive();
      if (!answer) return bytes + "nothing: " + speaker.error();
      bytes += answer->bytes;
    }
    return bytes;
  }

 private:
  const int port_;
  std::map<int, std::unique_ptr<ByteClient>> clients_;
};

// Each dialogue begins with empty databases and new connections.
void PlayAll(const std::vector<Dialogue>& dialogues) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  for (const Dialogue& dialogue : dialogues) {
    Stage reference(rivals->reference->port());
    Stage ours(rivals->ours->port());
    std::string history;
    Dialogue steps = {{0, "FLUSHALL"}, {0, "CONFIG SET notify-keyspace-events ''"}};
    steps.insert(steps.end(), dialogue.begin(), dialogue.end());
    for (const Step& step : steps) {
      history += std::to_string(step.client) + "> " + std::string(step.line) + "\n";
      const std::string expected = reference.Play(step);
      const std::string got = ours.Play(step);
      if (!step.compared) continue;
      ASSERT_EQ(ToCommandLine({expected}), ToCommandLine({got})) << history;
    }
  }
}

// All that comes until the other end hangs up.
std::string AllBytes(int fd) {
  std::string bytes;
  char block[4096];
  for (ssize_t n; (n = recv(fd, block, sizeof(block), 0)) > 0;) {
    bytes.append(block, static_cast<size_t>(n));
  }
  return bytes;
}

const Step kResp3 = {1, "HELLO 3", 1, /*compared=*/false};

TEST(Differential, TransactionDialogues) {
  PlayAll({
      {{1, "MULTI"}, {1, "MULTI"}, {1, "WATCH x"}, {1, "SET a 1"}, {1, "INCR a"}, {1, "EXEC"}},
      {{1, "DISCARD"}, {1, "EXEC"}, {1, "MULTI x"}, {1, "MULTI"}, {1, "DISCARD"}, {1, "EXEC"}},
      {{1, "MULTI"}, {1, "GET"}, {1, "SET a 1"}, {1, "EXEC"}, {1, "EXISTS a"}, {1, "EXEC"}},
      {{1, "MULTI"}, {1, "NOSUCH x"}, {1, "CLIENT NOSUCH"}, {1, "EXEC"}},
      {{1, "SET s x"}, {1, "MULTI"}, {1, "INCR s"}, {1, "GET s"}, {1, "EXEC"}},
      {{1, "WATCH k"}, {2, "SET k 1"}, {1, "MULTI"}, {1, "PING"}, {1, "EXEC"}, {1, "EXEC"}},
      {{1, "WATCH k"}, {2, "GET k"}, {1, "MULTI"}, {1, "PING"}, {1, "EXEC"}},
      {{1, "WATCH k"}, {1, "SET k 1"}, {1, "UNWATCH"}, {1, "MULTI"}, {1, "UNWATCH"}, {1, "EXEC"}},
      {{1, "SET k 1"}, {1, "WATCH k"}, {2, "FLUSHALL"}, {1, "MULTI"}, {1, "EXEC"}},
      {{1, "WATCH k"}, {2, "FLUSHALL"}, {1, "MULTI"}, {1, "EXEC"}},
      {{1, "SET k 1"}, {1, "WATCH k"}, {2, "SWAPDB 0 1"}, {1, "MULTI"}, {1, "EXEC"}},
      {{1, "WATCH k"}, {2, "SWAPDB 0 1"}, {1, "MULTI"}, {1, "EXEC"}},
      {{1, "SET k 1"}, {1, "WATCH k"}, {2, "EXPIRE k 100"}, {1, "MULTI"}, {1, "EXEC"}},
      {{1, "SET k 1"}, {1, "WATCH k"}, {2, "PEXPIREAT k 1"}, {1, "MULTI"}, {1, "EXEC"}},
      {{1, "MULTI"},
       {1, "SELECT 1"},
       {1, "SET a 1"},
       {1, "SELECT 99"},
       {1, "GET a"},
       {1, "EXEC"},
       {1, "GET a"},
       {1, "SELECT 0"},
       {1, "GET a"}},
      {{1, "MULTI"}, {1, "SET a 1"}, {1, "RESET"}, {1, "EXEC"}, {1, "EXISTS a"}},
      {{1, "MULTI"}, {1, "SUBSCRIBE a b"}, {1, "PUNSUBSCRIBE"}, {1, "EXEC"}, {1, "PING"}},
      {{1, "MULTI"}, {1, "MONITOR"}, {1, "AUTH x"}, {1, "EXEC"}},
      // EXEC that is refused ends the transaction.
      {{1, "MULTI"}, {1, "SET a 1"}, {1, "EXEC x"}, {1, "GET a"}, {1, "EXEC"}, {1, "EXEC x"}},
      {{1, "MULTI"}, {1, "DISCARD x"}, {1, "EXEC"}},
      {{1, "MULTI"}, {1, "WATCH"}, {1, "EXEC"}},
      {{1, "WATCH k"}, {1, "MULTI"}, {1, "EXEC x"}, {2, "SET k 1"}, {1, "MULTI"}, {1, "EXEC"}},
      {{2, "ACL SETUSER noexec on >pw ~* +@all -exec"},
       {1, "AUTH noexec pw"},
       {1, "MULTI"},
       {1, "SET a 1"},
       {1, "EXEC"},
       {1, "GET a"},
       {1, "DISCARD"}},
      {kResp3,
       {1, "WATCH k"},
       {1, "SET k 1"},
       {1, "MULTI"},
       {1, "EXEC"},
       {1, "MULTI"},
       {1, "GET none"},
       {1, "EXEC"}},
  });
}

TEST(Differential, ReplyModeDialogues) {
  const std::vector<Request> sequences[] = {
      {{"MULTI"}, {"CLIENT", "REPLY", "OFF"}, {"SET", "a", "1"}, {"EXEC"}, {"PING"}},
      {{"MULTI"}, {"CLIENT", "REPLY", "SKIP"}, {"SET", "a", "1"}, {"EXEC"}, {"PING"}, {"PING"}},
      {{"MULTI"}, {"SET", "a", "1"}, {"CLIENT", "REPLY", "SKIP"}, {"EXEC"}, {"PING"}, {"PING"}},
      {{"CLIENT", "REPLY", "OFF"},
       {"MULTI"},
       {"SET", "a", "1"},
       {"CLIENT", "REPLY", "ON"},
       {"GET", "a"},
       {"EXEC"},
       {"PING"}},
      {{"MULTI"},
       {"CLIENT", "REPLY", "OFF"},
       {"GET", "a"},
       {"CLIENT", "REPLY", "ON"},
       {"GET", "a"},
       {"EXEC"},
       {"PING"}},
      {{"CLIENT", "REPLY", "SKIP"}, {"MULTI"}, {"SET", "a", "1"}, {"EXEC"}, {"PING"}},
      {{"CLIENT", "REPLY", "SKIP"}, {"CLIENT", "REPLY", "SKIP"}, {"PING"}, {"PING"}},
      {{"CLIENT", "REPLY", "SKIP"}, {"CLIENT", "REPLY", "ON"}, {"PING"}},
      {{"CLIENT", "REPLY", "SKIP"}, {"CLIENT", "REPLY", "OFF"}, {"PING"}},
      {{"CLIENT", "REPLY", "SKIP"}, {"NOSUCH"}, {"PING"}},
      {{"CLIENT", "REPLY", "OFF"},
       {"CLIENT", "REPLY", "SKIP"},
       {"PING"},
       {"CLIENT", "REPLY", "ON"},
       {"PING"}},
  };
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  // Redis counts what a transaction announces, not what it then says, so bytes are compared.
  for (const std::vector<Request>& sequence : sequences) {
    std::string expected, got, all;
    for (const Request& request : sequence) all += Encode(request);
    for (auto* const server : {rivals->reference.get(), rivals->ours.get()}) {
      WireClient client(server->port());
      client.Send(all + Encode({"CLIENT", "REPLY", "ON"}) + Encode({"QUIT"}));
      (server == rivals->reference.get() ? expected : got) = AllBytes(client.fd());
    }
    EXPECT_EQ(ToCommandLine({expected}), ToCommandLine({got})) << ToCommandLine({all});
  }
}

TEST(Differential, SubscriptionDialogues) {
  PlayAll({
      {{1, "SUBSCRIBE a b a", 3},
       {2, "PUBLISH a x"},
       {1, "", 1},
       {1, "GET k"},
       {1, "PING"},
       {1, "PING x"},
       {1, "PSUBSCRIBE ?"},
       {2, "PUBLISH b y"},
       {1, "", 2},
       {1, "SSUBSCRIBE s"},
       {2, "SPUBLISH s z"},
       {1, "", 1},
       {1, "CLIENT LIST"},
       {1, "MULTI"},
       {1, "UNSUBSCRIBE a"},
       {1, "UNSUBSCRIBE nosuch"},
       {1, "UNSUBSCRIBE"},
       {1, "PUNSUBSCRIBE"},
       {1, "SUNSUBSCRIBE"},
       {1, "UNSUBSCRIBE"},
       {1, "GET k"}},
      {kResp3,
       {1, "SUBSCRIBE a"},
       {1, "GET k"},
       {1, "PING"},
       {1, "PUBLISH a own", 2},
       {1, "PSUBSCRIBE a*"},
       {1, "PUBLISH a own", 3},
       {2, "PUBLISH a x"},
       {1, "", 2},
       {1, "PUNSUBSCRIBE"},
       {1, "UNSUBSCRIBE"},
       {1, "PUBLISH a x"}},
      {{1, "SUBSCRIBE a"},
       {2, "PUBSUB CHANNELS"},
       {2, "PUBSUB CHANNELS b*"},
       {2, "PUBSUB NUMSUB a b"},
       {2, "PUBSUB NUMSUB"},
       {2, "PUBSUB NUMPAT"},
       {2, "PUBSUB NUMPAT x"},
       {2, "PUBSUB CHANNELS a b"},
       {2, "PUBSUB SHARDCHANNELS"},
       {2, "PUBSUB SHARDNUMSUB a"},
       {2, "PUBSUB"},
       {2, "PUBSUB x"},
       {1, "RESET"},
       {2, "PUBSUB NUMSUB a"}},
      {{1, "SUBSCRIBE"}, {1, "PUBLISH a"}, {1, "SPUBLISH a"}, {1, "PSUBSCRIBE"}},
  });
}

TEST(Differential, NotificationDialogues) {
  PlayAll({
      {{2, "CONFIG SET notify-keyspace-events KEA"},
       {1, "PSUBSCRIBE __key*"},
       {2, "SET a 1"},
       {1, "", 2},
       {2, "EXPIRE a 100"},
       {1, "", 2},
       {2, "APPEND a x"},
       {1, "", 2},
       {2, "RENAME a b"},
       {1, "", 4},
       {2, "DEL b"},
       {1, "", 2},
       {2, "SET a 1 PXAT 1"},
       {2, "MSET x 1 y 2"}},
      {{2, "CONFIG SET notify-keyspace-events Emn$"},
       {1, "PSUBSCRIBE __key*"},
       {2, "GET a"},
       {1, "", 1},
       {2, "SET a 1"},
       {1, "", 2},
       {2, "SET a 2"},
       {1, "", 1},
       {2, "MGET x a"},
       {1, "", 1}},
      {{2, "CONFIG SET notify-keyspace-events Emng"},
       {1, "PSUBSCRIBE __key*"},
       {2, "SET a 1"},
       {1, "", 1},
       {2, "RENAME a b"},
       {1, "", 3},
       {2, "COPY b a"},
       {1, "", 2},
       {2, "COPY b a REPLACE"},
       {1, "", 2},
       {2, "RENAME a b"},
       {1, "", 3},
       {2, "MOVE b 1"},
       {1, "", 3},
       {2, "OBJECT ENCODING b"},
       {2, "OBJECT IDLETIME b"},
       {2, "MEMORY USAGE b"},
       {2, "TTL b"},
       {1, "", 1}},
  });
}

TEST(Differential, TrackingDialogues) {
  const Step on = {1, "CLIENT TRACKING ON"};
  PlayAll({
      {kResp3,
       on,
       {1, "GET a"},
       {2, "SET a 1"},
       {1, "", 1},
       {2, "SET a 2"},
       {1, "GET a"},
       {2, "FLUSHALL"},
       {1, "", 1},
       {1, "CLIENT TRACKINGINFO"},
       {1, "CLIENT GETREDIR"},
       {1, "CLIENT TRACKING OFF"},
       {1, "CLIENT TRACKINGINFO"},
       {1, "CLIENT GETREDIR"}},
      {kResp3, on, {1, "GET a"}, {1, "SET a 1", 2}},
      {kResp3,
       {1, "CLIENT TRACKING ON BCAST PREFIX a: PREFIX b:"},
       {2, "SET a:1 x"},
       {1, "", 1},
       {1, "CLIENT TRACKING ON BCAST PREFIX a:1"},
       {1, "CLIENT TRACKING ON"},
       {1, "CLIENT TRACKING ON BCAST OPTIN"},
       {1, "CLIENT CACHING YES"}},
      {kResp3,
       {1, "CLIENT TRACKING ON BCAST PREFIX a PREFIX b"},
       {2, "MSET ab 1 b 1 aa 1 ab 2 c 1"},
       {1, "", 2},
       {2, "MULTI"},
       {2, "SET a2 1"},
       {2, "DEL aa a2"},
       {2, "EXEC"},
       {1, "", 1}},
      {kResp3,
       {1, "CLIENT TRACKING ON OPTIN"},
       {1, "GET a"},
       {1, "CLIENT CACHING YES"},
       {1, "GET b"},
       {2, "SET a 1"},
       {2, "SET b 1"},
       {1, "", 1},
       {1, "CLIENT CACHING NO"},
       {1, "CLIENT TRACKING ON OPTOUT"},
       {1, "CLIENT TRACKINGINFO"}},
      {{1, "CLIENT TRACKING ON PREFIX a"},
       {1, "CLIENT TRACKING ON OPTIN OPTOUT"},
       {1, "CLIENT TRACKING WHAT"},
       {1, "CLIENT TRACKING ON WHAT"},
       {1, "CLIENT TRACKING"},
       {1, "CLIENT TRACKING ON REDIRECT 99999"},
       {1, "CLIENT TRACKING ON REDIRECT x"},
       {1, "CLIENT TRACKING ON BCAST PREFIX a PREFIX ab"},
       {1, "CLIENT CACHING YES"},
       {1, "CLIENT CACHING MAYBE"},
       {1, "CLIENT TRACKINGINFO"}},
  });
}

TEST(Differential, PauseDialogues) {
  PlayAll({
      {{1, "CLIENT PAUSE"},
       {1, "CLIENT PAUSE x"},
       {1, "CLIENT PAUSE -1"},
       {1, "CLIENT PAUSE 1 SOME"},
       {1, "CLIENT PAUSE 1 WRITE x"},
       {1, "CLIENT UNPAUSE"},
       {1, "CLIENT PAUSE 60000 WRITE"},
       {2, "SET k 1", 0},
       {1, "GET k"},
       {1, "CLIENT UNPAUSE"},
       {2, "", 1},
       {1, "GET k"},
       {1, "CLIENT PAUSE 50"},
       {1, "GET k"}},
  });
}

}  // namespace
}  // namespace lapse
