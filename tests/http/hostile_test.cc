// A hostile client at a real socket: whatever it sends gets a proper status or the end of its
// connection, changes nothing, and leaves the server serving others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "tests/http/bed.h"
#include "tests/support/server_process.h"

namespace lapse {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kHealth = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

HttpLimits Hasty() {
  HttpLimits limits;
  limits.request = std::chrono::milliseconds(150);
  limits.idle = std::chrono::milliseconds(150);
  limits.drain = std::chrono::milliseconds(50);
  return limits;
}

// What one connection gets for these bytes, and whether the server is well afterwards.
std::string Answer(HttpServerBed& bed, std::string_view bytes) {
  RawClient client(bed.port());
  client.Send(bytes);
  std::string answer = client.ReadResponse();
  RawClient other(bed.port());
  other.Send(kHealth);
  EXPECT_EQ(StatusOf(other.ReadResponse()), 200);
  return answer;
}

TEST(HostileHttpTest, OneConnectionServesManyRequests) {
  HttpServerBed bed;
  RawClient client(bed.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send(kHealth));
    EXPECT_THAT(client.ReadResponse(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  // Sent together, answered in order.
  ASSERT_TRUE(
      client.Send(std::string(kHealth) + "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                  "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  EXPECT_EQ(StatusOf(client.ReadResponse()), 200);
  EXPECT_EQ(StatusOf(client.ReadResponse()), 404);
  const std::string head = client.ReadResponse(false);
  EXPECT_EQ(StatusOf(head), 200);
  EXPECT_THAT(head, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_TRUE(client.ReadsEnd());
}

TEST(HostileHttpTest, MalformedRequestsGet400) {
  HttpServerBed bed;
  for (const char* const bytes :
       {"\r\n\r\n\r\n\r\n\r\n", "GET\r\n\r\n", "GET /healthz\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\r\n", "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost\r\n\r\n", "GET /healthz HTTP/1.1\r\nA: b\x01\r\n\r\n",
        "G@T /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "PING\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const int status = StatusOf(Answer(bed, bytes));
    EXPECT_EQ(status, 400) << bytes;
  }
  EXPECT_EQ(StatusOf(Answer(bed, "GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n")), 505);
  EXPECT_EQ(StatusOf(Answer(bed, "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n")), 505);
  EXPECT_EQ(StatusOf(Answer(bed, "GET /healthz HTTP/1.1\r\n\r\n")), 400);
}

TEST(HostileHttpTest, PathTricksGet400Or404) {
  HttpServerBed bed;
  for (const char* const target :
       {"/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fetc", "/a/../healthz", "//healthz",
        "/healthz/", "/.", "/%00", "/healthz%00.js", "/\\..\\x", "/%5c..%5c", "/%", "/%c0%ae/x%2f",
        "http://evil.example/healthz", "healthz", "/api/v1/tasks/..%2f..%2fconfig"}) {
    const int status =
        StatusOf(Answer(bed, fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target)));
    EXPECT_TRUE(status == 400 || status == 404) << target << ": " << status;
  }
}

TEST(HostileHttpTest, LargeHeadersGet431) {
  HttpServerBed bed;
  const std::string line = "X-Filler: " + std::string(1000, 'a') + "\r\n";
  std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 1000; ++i) request += line;
  EXPECT_EQ(StatusOf(Answer(bed, request)), 431);
  EXPECT_EQ(StatusOf(Answer(bed, "GET /" + std::string(100'000, 'a'))), 431);
  std::string tiny = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 10'000; ++i) tiny += "a:b\r\n";
  EXPECT_EQ(StatusOf(Answer(bed, tiny)), 431);
  EXPECT_EQ(StatusOf(Answer(
                bed, "GET /" + std::string(10'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n")),
            414);
}

TEST(HostileHttpTest, LargeBodiesGet413) {
  HttpServerBed bed;
  constexpr std::string_view kHead =
      "PATCH /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  // Announced: refused before any of it has come.
  EXPECT_EQ(StatusOf(Answer(bed, fmt::format("{}Content-Length: 999999999999\r\n\r\n", kHead))),
            413);
  // Not announced: refused when it has been too much.
  std::string chunked = fmt::format("{}Transfer-Encoding: chunked\r\n\r\n", kHead);
  for (int i = 0; i < 100; ++i) chunked += "1000\r\n" + std::string(0x1000, ' ') + "\r\n";
  EXPECT_EQ(StatusOf(Answer(bed, chunked)), 413);
  EXPECT_EQ(bed.db().Run("CONFIG GET active-expire-effort")[1], "1");
}

TEST(HostileHttpTest, ABodyThatIsAskedForComes) {
  HttpServerBed bed;
  RawClient client(bed.port());
  const std::string body = R"({"active_expire_effort": 4})";
  client.Send(
      fmt::format("PATCH /api/v1/config HTTP/1.1\r\nHost: localhost\r\n"
                  "Content-Type: application/json\r\nContent-Length: {}\r\n"
                  "Expect: 100-continue\r\n\r\n",
                  body.size()));
  EXPECT_EQ(client.ReadResponse(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send(body);
  EXPECT_EQ(StatusOf(client.ReadResponse()), 204);
  EXPECT_EQ(StatusOf(Answer(bed,
                            "POST /api/v1/flushes HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Length: 5\r\nExpect: miracles\r\n\r\n")),
            417);
}

TEST(HostileHttpTest, SlowClientsGet408OrTheEnd) {
  HttpServerBed bed(Hasty());
  RawClient slow_header(bed.port());
  slow_header.Send("GET /healthz HTT");
  EXPECT_EQ(StatusOf(slow_header.ReadAll()), 408);
  RawClient slow_body(bed.port());
  slow_body.Send(
      "PATCH /api/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 20\r\n\r\n{\"active_e");
  EXPECT_EQ(StatusOf(slow_body.ReadAll()), 408);
  RawClient silent(bed.port());
  EXPECT_TRUE(silent.ReadsEnd());
  RawClient idle(bed.port());
  idle.Send(kHealth);
  EXPECT_EQ(StatusOf(idle.ReadResponse()), 200);
  EXPECT_TRUE(idle.ReadsEnd());
}

// A byte now and then does not keep a request alive for ever.
TEST(HostileHttpTest, DripsGet408) {
  HttpServerBed bed(Hasty());
  RawClient client(bed.port());
  client.Send("GET /healthz HTTP/1.1\r\n");
  const bool ended = Eventually([&] { return !client.Send("a: b\r\n"); });
  EXPECT_TRUE(ended);
}

TEST(HostileHttpTest, ClientsThatHangUpHarmNobody) {
  HttpServerBed bed;
  for (const std::string_view bytes :
       {std::string_view("GET /heal"), kHealth,
        std::string_view("POST /api/v1/flushes HTTP/1.1\r\nHost: localhost\r\n"
                         "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"),
        std::string_view("GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\n\r\n")}) {
    RawClient client(bed.port());
    client.Send(bytes);
  }
  EXPECT_EQ(StatusOf(Answer(bed, kHealth)), 200);
  EXPECT_TRUE(bed.db().Run("FLUSHEXPIREKEYS STATUS").IsError());
}

TEST(HostileHttpTest, ConnectionsAreLimited) {
  Config config;
  config.http_maxclients = 3;
  HttpServerBed bed({}, std::move(config));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(bed.port()));
    clients.back()->Send(kHealth);
    EXPECT_EQ(StatusOf(clients.back()->ReadResponse()), 200);
  }
  RawClient fourth(bed.port());
  EXPECT_EQ(StatusOf(fourth.ReadAll()), 503);
  clients.clear();
  EXPECT_TRUE(Eventually([&] {
    RawClient again(bed.port());
    again.Send(kHealth);
    return StatusOf(again.ReadResponse()) == 200;
  }));
}

// A paused server answers no command, but it says that it lives, and it can be stopped.
TEST(HostileHttpTest, AWaitingCommandHoldsNothingUp) {
  HttpServerBed bed;
  EXPECT_EQ(bed.db().Run("CLIENT PAUSE 1000000 ALL"), "OK");
  std::vector<std::unique_ptr<RawClient>> waiting;
  for (int i = 0; i < 8; ++i) {
    waiting.push_back(std::make_unique<RawClient>(bed.port()));
    waiting.back()->Send("GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  EXPECT_EQ(StatusOf(Answer(bed, kHealth)), 200);
  bed.server().Stop();
}

TEST(HostileHttpTest, StoppingEndsAllConnections) {
  HttpServerBed bed;
  RawClient idle(bed.port());
  RawClient halfway(bed.port());
  halfway.Send("GET /heal");
  bed.server().Stop();
  EXPECT_TRUE(idle.ReadsEnd());
  EXPECT_TRUE(halfway.ReadsEnd());
  bed.server().Stop();
}

}  // namespace
}  // namespace lapse
