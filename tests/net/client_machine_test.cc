#include "server/net/client_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/net/wired_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Repeat(std::string_view text, size_t n) {
  std::string all;
  all.reserve(text.size() * n);
  for (size_t i = 0; i < n; ++i) all += text;
  return all;
}

TEST(ClientMachine, AnswersARequest) {
  Bench bench;
  WiredClient client(bench);
  EXPECT_EQ(client.Exchange("PING\r\n"), "+PONG\r\n");
  EXPECT_EQ(client.Exchange(Request({"SET", "k", "v"})), "+OK\r\n");
  EXPECT_EQ(client.Exchange(Request({"GET", "k"})), "$1\r\nv\r\n");
  EXPECT_TRUE(client.machine().wants_read());
}

TEST(ClientMachine, AnyCutOfTheStreamGivesTheSameReplies) {
  const std::string stream = Request({"SET", "key", "some value"}) + "GET key\r\n\r\n" +
                             Request({"INCR", "n"}) + Request({"SET", "empty", ""}) +
                             "set quoted \"a\\x20b\"\r\n" + Request({"GET", "quoted"}) +
                             Request({"NOSUCH"}) + Request({"GET", "empty"});
  const std::string expected =
      "+OK\r\n$10\r\nsome value\r\n:1\r\n+OK\r\n+OK\r\n$3\r\na b\r\n"
      "-ERR unknown command 'NOSUCH', with args beginning with: \r\n$0\r\n\r\n";
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    Bench bench;
    WiredClient client(bench);
    const std::string first = client.Exchange(stream.substr(0, cut));
    EXPECT_EQ(first + client.Exchange(stream.substr(cut)), expected) << "cut at " << cut;
  }
  Bench bench;
  WiredClient client(bench);
  EXPECT_EQ(client.Exchange(stream, 1), expected);
}

TEST(ClientMachine, RandomPipelinesAnswerAsOneByOne) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::string stream, expected;
    Bench single_bench, bench;
    WiredClient single(single_bench), client(bench);
    for (int i = 0; i < 700; ++i) {
      const std::string key = "k" + std::to_string(random() % 20);
      const std::vector<std::vector<std::string>> kinds = {
          {"INCR", key},  {"GET", key}, {"SET", "big", std::string(random() % 3000, 'x')},
          {"GET", "big"}, {"DEL", key}, {"PING"}};
      const std::string request = Request(kinds[random() % kinds.size()]);
      expected += single.Exchange(request);
      stream += request;
    }
    std::string received;
    for (size_t at = 0; at < stream.size();) {
      const size_t n = 1 + random() % 40'000;
      received += client.Exchange(std::string_view(stream).substr(at, n));
      at += n;
    }
    ASSERT_EQ(received, expected) << "round " << round;
  }
}

TEST(ClientMachine, AnswersAPipelineOfManyBatchesInOrder) {
  Bench bench;
  WiredClient client(bench);
  std::string stream, expected;
  for (int i = 1; i <= 5000; ++i) {
    stream += Request({"INCR", "n"});
    expected += ":" + std::to_string(i) + "\r\n";
  }
  EXPECT_EQ(client.Exchange(stream), expected);
}

TEST(ClientMachine, AProtocolErrorIsAnsweredAfterWhatCameBeforeAndCloses) {
  Bench bench;
  WiredClient client(bench);
  client.Send("PING\r\n*1\r\n:3\r\nSET after error\r\n");
  EXPECT_TRUE(client.machine().closing());
  EXPECT_FALSE(client.machine().wants_read());
  EXPECT_EQ(client.Receive(), "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n");
  WiredClient other(bench);
  EXPECT_EQ(other.Exchange("EXISTS after\r\n"), ":0\r\n");
}

TEST(ClientMachine, QuitAnswersAndRunsNothingMore) {
  Bench bench;
  WiredClient client(bench);
  client.Send("SET a 1\r\nQUIT\r\nSET b 2\r\n");
  EXPECT_EQ(client.Receive(), "+OK\r\n+OK\r\n");
  EXPECT_TRUE(client.machine().closing());
  EXPECT_EQ(client.Send("SET c 3\r\n"), "SET c 3\r\n");
  WiredClient other(bench);
  EXPECT_EQ(other.Exchange("EXISTS a b c\r\n"), ":1\r\n");
}

TEST(ClientMachine, ABlockedSessionWaitsAndGoesOnInOrder) {
  Bench bench;
  WiredClient client(bench);
  client.Send("PING\r\nFLUSHEXPIREKEYS SYNC\r\nSET after 1\r\nPING\r\n");
  EXPECT_EQ(client.Receive(), "+PONG\r\n");
  EXPECT_TRUE(client.machine().session().blocked);
  EXPECT_FALSE(client.machine().wants_read());
  WiredClient other(bench);
  EXPECT_EQ(other.Exchange("EXISTS after\r\n"), ":0\r\n");
  EXPECT_EQ(bench.instance.clients.blocked(), 1);

  ASSERT_TRUE(client.AwaitAnswer());
  EXPECT_EQ(bench.instance.clients.blocked(), 0);
  const std::string received = client.Receive();
  EXPECT_THAT(received, HasSubstr("run-id"));
  EXPECT_EQ(received.substr(received.size() - 12), "+OK\r\n+PONG\r\n");
  EXPECT_TRUE(client.machine().wants_read());
}

TEST(ClientMachine, WhatABlockedSessionSendsMeanwhileIsBoundedAndKept) {
  Bench bench;
  WiredClient client(bench);
  client.Send("FLUSHEXPIREKEYS SYNC\r\n");
  ASSERT_TRUE(client.machine().session().blocked);
  EXPECT_TRUE(client.machine().wants_watch());
  const std::string stream = Repeat("INCR n\r\n", 10'000);
  const std::string_view left = client.Send(stream);
  EXPECT_GT(left.size(), stream.size() - ClientMachine::kReadBytes * 2);
  EXPECT_LT(left.size(), stream.size());
  EXPECT_FALSE(client.machine().wants_watch());

  ASSERT_TRUE(client.AwaitAnswer());
  client.Receive();
  client.Exchange(left);
  EXPECT_EQ(client.Exchange("GET n\r\n"), "$5\r\n10000\r\n");
}

TEST(ClientMachine, TheAnswerToABlockedCommandIsSkippedToo) {
  Bench bench;
  WiredClient client(bench);
  client.Send("CLIENT REPLY SKIP\r\nBLPOP l 0\r\nPING\r\nBLPOP l 0\r\n");
  ASSERT_TRUE(client.machine().session().blocked);
  WiredClient other(bench);
  EXPECT_EQ(other.Exchange("RPUSH l a b\r\n"), ":2\r\n");
  ASSERT_TRUE(client.AwaitAnswer());
  EXPECT_EQ(client.Receive(), "+PONG\r\n*2\r\n$1\r\nl\r\n$1\r\nb\r\n");
}

// A command that is postponed before it runs is run again, and skipped then.
TEST(ClientMachine, APostponedCommandsReplyIsSkippedOnce) {
  Bench bench;
  WiredClient other(bench);
  EXPECT_EQ(other.Exchange("CLIENT PAUSE 100\r\n"), "+OK\r\n");
  WiredClient client(bench);
  client.Send("CLIENT REPLY SKIP\r\nSET a 1\r\nGET a\r\n");
  bench.clock.AdvanceMs(200);
  while (client.AwaitAnswer()) {
  }
  EXPECT_EQ(client.Receive(), "$1\r\n1\r\n");
}

// What a tracking client changes within a pipeline, it is told within the pipeline's replies.
TEST(ClientMachine, InvalidationsFollowTheirCommandsReplies) {
  Bench bench;
  WiredClient client(bench);
  client.Exchange("HELLO 3\r\nCLIENT TRACKING ON\r\n");
  const std::string invalid = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n";
  EXPECT_EQ(client.Exchange("GET a\r\nSET a 1\r\nGET a\r\nSET a 2\r\nPING\r\n"),
            "_\r\n+OK\r\n" + invalid + "$1\r\n1\r\n+OK\r\n" + invalid + "+PONG\r\n");
}

TEST(ClientMachine, AnAnswerForASessionThatIsNotBlockedIsIgnored) {
  Bench bench;
  WiredClient client(bench);
  client.machine().OnResume([](ReplyWriter& reply) { reply.Ok(); });
  EXPECT_EQ(client.Receive(), "");
}

TEST(ClientMachine, OutputThatIsNotReadStopsTheBatch) {
  Bench bench;
  WiredClient client(bench);
  const size_t value_bytes = 100'000;
  client.Exchange(Request({"SET", "big", std::string(value_bytes, 'v')}));
  const int requests = 1000;  // several batches, one of which ends just as the output is full
  const std::string stream = Repeat(Request({"GET", "big"}), requests);
  std::string_view left = client.Send(stream);
  EXPECT_FALSE(client.machine().wants_read());
  EXPECT_LT(client.machine().unsent_bytes(), 2 * Dispatcher::kOutputPauseBytes + 2 * value_bytes);

  // Read at last, all is answered, and what waits stays bounded.
  size_t received = 0;
  for (;;) {
    const size_t n = client.Receive(50'000).size();
    EXPECT_LT(client.machine().unsent_bytes(), 2 * Dispatcher::kOutputPauseBytes + 2 * value_bytes);
    received += n;
    left = client.Send(left);
    if (n == 0) break;
  }
  EXPECT_EQ(received, requests * (value_bytes + 11));
  EXPECT_TRUE(left.empty());
  EXPECT_FALSE(client.machine().batch_held());
}

TEST(ClientMachine, SentBytesStayInPlaceWhileMoreIsAnswered) {
  Bench bench;
  WiredClient client(bench);
  client.Send("ECHO first\r\n");
  const std::string_view in_flight = client.machine().output();
  client.Send(Repeat("ECHO second\r\n", 1000));
  EXPECT_EQ(in_flight, "$5\r\nfirst\r\n");
  EXPECT_EQ(client.machine().output(), in_flight);
  client.machine().OnWritten(4);
  EXPECT_EQ(client.machine().output(), "first\r\n");
}

TEST(ClientMachine, TheHardOutputLimitEndsTheSession) {
  Config config;
  config.output_limit_normal.hard_bytes = 500'000;
  Bench bench(config);
  WiredClient client(bench);
  client.Exchange(Request({"SET", "big", std::string(200'000, 'v')}));
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kNone);
  client.Send(Repeat("GET big\r\n", 3));
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kOutputBuffer);
  EXPECT_EQ(bench.instance.stats.output_limit_disconnections.load(), 1);
}

TEST(ClientMachine, TheSoftOutputLimitEndsTheSessionAfterItsTime) {
  Config config;
  config.output_limit_normal.soft_bytes = 100'000;
  config.output_limit_normal.soft_seconds = 2;
  Bench bench(config);
  WiredClient client(bench);
  client.Exchange(Request({"SET", "big", std::string(200'000, 'v')}));
  client.Send("GET big\r\n");
  client.machine().OnSecond();
  client.machine().OnSecond();
  client.Receive(150'000);  // below the limit: the time starts anew
  client.machine().OnSecond();
  client.Send("GET big\r\n");
  client.machine().OnSecond();
  client.machine().OnSecond();
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kNone);
  client.machine().OnSecond();
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kOutputBuffer);
}

TEST(ClientMachine, TheQueryBufferLimitEndsTheSession) {
  Config config;
  config.client_query_buffer_limit = 1 << 20;
  Bench bench(config);
  WiredClient client(bench);
  client.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n");
  const std::string value(3'000'000, 'v');
  const std::string_view left = client.Send(value);
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kQueryBuffer);
  EXPECT_GT(left.size(), 500'000u);
  EXPECT_EQ(bench.instance.stats.query_limit_disconnections.load(), 1);
}

TEST(ClientMachine, ALimitThatIsSetHoldsForTheNextRequest) {
  Bench bench;
  WiredClient client(bench);
  EXPECT_EQ(client.Exchange("CONFIG SET proto-max-bulk-len 1mb\r\n"), "+OK\r\n");
  client.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n");
  EXPECT_EQ(client.Receive(), "-ERR Protocol error: invalid bulk length\r\n");
}

TEST(ClientMachine, StrangersMaySendLittleUntilTheyAuthenticate) {
  Config config;
  config.requirepass = "secret";
  Bench bench(config);
  {
    WiredClient stranger(bench);
    EXPECT_THAT(stranger.Exchange("GET k\r\n"), StartsWith("-NOAUTH"));
    stranger.Send("*11\r\n");
    EXPECT_THAT(stranger.Receive(), HasSubstr("unauthenticated multibulk length"));
    EXPECT_TRUE(stranger.machine().closing());
  }
  {
    WiredClient stranger(bench);
    stranger.Send("*2\r\n$20000\r\n");
    EXPECT_THAT(stranger.Receive(), HasSubstr("unauthenticated bulk length"));
  }
  // The limits are those of the moment at which a request's turn comes.
  WiredClient client(bench);
  const std::string value(20'000, 'v');
  EXPECT_EQ(client.Exchange(Request({"AUTH", "secret"}) + Request({"SET", "k", value}) +
                            Request({"STRLEN", "k"})),
            "+OK\r\n+OK\r\n:20000\r\n");
}

TEST(ClientMachine, AnIdleSessionEndsAfterTheTimeout) {
  Config config;
  config.timeout_seconds = 3;
  Bench bench(config);
  WiredClient client(bench);
  for (int i = 0; i < 10; ++i) {
    client.Exchange("PING\r\n");
    client.machine().OnSecond();
  }
  for (int i = 0; i < 3; ++i) client.machine().OnSecond();
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kNone);
  client.machine().OnSecond();
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kIdle);
}

TEST(ClientMachine, ABlockedSessionIsNotIdle) {
  Config config;
  config.timeout_seconds = 1;
  Bench bench(config);
  WiredClient client(bench);
  client.Send("FLUSHEXPIREKEYS SYNC\r\n");
  for (int i = 0; i < 10; ++i) client.machine().OnSecond();
  EXPECT_EQ(client.machine().fault(), ClientMachine::Fault::kNone);
}

TEST(ClientMachine, AClosingSessionDoesNotWaitForEverForItsPeer) {
  Bench bench;
  WiredClient client(bench);
  client.Send("QUIT\r\n");
  for (int i = 0; i <= ClientMachine::kMaxClosingSeconds; ++i) client.machine().OnSecond();
  EXPECT_NE(client.machine().fault(), ClientMachine::Fault::kNone);
}

TEST(ClientMachine, BuffersGrowForALargeValueAndAreGivenBack) {
  Bench bench;
  WiredClient client(bench);
  const auto held = [&] { return bench.instance.stats.connection_bytes.load(); };
  client.Exchange(Request({"SET", "big", std::string(5'000'000, 'v')}));
  EXPECT_GT(held(), 5'000'000);
  client.Exchange("PING\r\n");
  EXPECT_LE(held(), static_cast<int64_t>(3 * ClientMachine::kKeepBytes));
  ASSERT_TRUE(client.machine().can_release());
  client.machine().ReleaseBuffers();
  EXPECT_EQ(held(), 0);
  EXPECT_EQ(client.Exchange("STRLEN big\r\n"), ":5000000\r\n");
  client.HangUp();
  EXPECT_EQ(held(), 0);
}

TEST(ClientMachine, AnAnnouncedLengthIsNotBelieved) {
  Bench bench;
  WiredClient client(bench);
  client.Send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n");
  client.machine().PrepareRead();
  client.Send("x");
  EXPECT_LT(bench.instance.stats.connection_bytes.load(), 100'000);
}

TEST(ClientMachine, SessionsAreListedWhileTheyLast) {
  Bench bench;
  EXPECT_EQ(bench.instance.clients.connected(), 0);
  WiredClient client(bench);
  EXPECT_EQ(bench.instance.clients.connected(), 1);
  client.HangUp();
  EXPECT_EQ(bench.instance.clients.connected(), 0);
}

TEST(ClientMachine, AKilledSessionIsTold) {
  Bench bench;
  WiredClient victim(bench), killer(bench);
  const std::string id = victim.Exchange("CLIENT ID\r\n").substr(1);
  EXPECT_EQ(killer.Exchange("CLIENT KILL ID " + id), ":1\r\n");
  EXPECT_TRUE(victim.box().closed);
}

TEST(ClientMachine, CountsAppearInTheInstance) {
  Bench bench;
  WiredClient client(bench);
  for (int i = 0; i < 1000; ++i) client.Exchange("PING\r\n");
  bench.workbench.Publish();
  EXPECT_EQ(bench.instance.stats.reads_processed.load(), 1000);
  EXPECT_EQ(bench.instance.stats.writes_processed.load(), 1000);
  EXPECT_EQ(bench.instance.stats.net_input_bytes.load(), 6000);
  EXPECT_EQ(bench.instance.stats.net_output_bytes.load(), 7000);
  EXPECT_FALSE(bench.workbench.TakeIdle());
  EXPECT_TRUE(bench.workbench.TakeIdle());
}

}  // namespace
}  // namespace lapse
