// Requests as bytes, good ones and broken ones: what is answered, and whether the connection is
// closed for it.

#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "tests/differential/duel.h"

namespace lapse {
namespace {

using std::string_literals::operator""s;

constexpr size_t kRandomStreams = 2000;
constexpr size_t kConnectionsAtOnce = 100;
constexpr int kSilenceMs = 40;
constexpr int kMaxWaits = 100;  // of a server that has said less than the other

struct Exchange {
  Exchange(const Rivals& rivals, std::string bytes)
      : stream(std::move(bytes)), reference(rivals.reference->port()), ours(rivals.ours->port()) {
    reference.Send(stream);
    ours.Send(stream);
  }

  void Listen(int silence_ms) {
    said_by_reference += reference.ReceiveUntilSilence(silence_ms);
    said_by_ours += ours.ReceiveUntilSilence(silence_ms);
    // Redis 7.2 words this one error better, and Lapse follows it.
    constexpr std::string_view kAdded = "<proto> ";
    const size_t at = said_by_ours.find(kAdded);
    if (at != std::string::npos) said_by_ours.erase(at, kAdded.size());
  }
  bool Agrees() const {
    return said_by_reference == said_by_ours && reference.closed() == ours.closed();
  }

  std::string stream;
  ByteClient reference;
  ByteClient ours;
  std::string said_by_reference;
  std::string said_by_ours;
};

std::string Show(const std::string& said, bool closed) {
  return ToCommandLine({said.substr(0, 2000)}) + (closed ? ", then closes" : ", and stays open");
}

// Sends each stream on a connection of its own, many at a time, since that a server has nothing
// more to say shows in its silence alone.
void PlayStreams(const Rivals& rivals, const std::vector<std::string>& streams) {
  for (size_t begin = 0; begin < streams.size(); begin += kConnectionsAtOnce) {
    const size_t end = std::min(streams.size(), begin + kConnectionsAtOnce);
    std::vector<std::unique_ptr<Exchange>> exchanges;
    for (size_t i = begin; i < end; ++i) {
      exchanges.push_back(std::make_unique<Exchange>(rivals, streams[i]));
    }
    int silence_ms = kSilenceMs;
    for (const auto& exchange : exchanges) {
      exchange->Listen(std::exchange(silence_ms, 1));
      for (int i = 0; i < kMaxWaits && !exchange->Agrees(); ++i) exchange->Listen(kSilenceMs);
      if (exchange->Agrees()) continue;
      ADD_FAILURE() << "stream: " << ToCommandLine({exchange->stream.substr(0, 2000)})
                    << "\n  redis: "
                    << Show(exchange->said_by_reference, exchange->reference.closed())
                    << "\n  lapse: " << Show(exchange->said_by_ours, exchange->ours.closed());
      return;
    }
  }
}

constexpr const char* kPing = "*1\r\n$4\r\nPING\r\n";

std::vector<std::string> InlineStreams() {
  return {"",
          "\r\n",
          "\n\n\n",
          "PING\r\n",
          "PING\n",
          " PING \r\n",
          "\tping\r\n",
          "PING\r\nPING\r\n",
          "PING \"a b\" \r\n",
          "PING 'a b'\r\n",
          "PI",
          "PING\r",
          "ECHO \"\\x41\\n\\\"\"\r\n",
          "ECHO 'it\\'s'\r\n",
          "ECHO \"a\r\nPING\r\n",
          "ECHO 'a\r\n",
          "ECHO \"a\"b\r\n",
          "ECHO a\"b\"c\r\n",
          "ECHO a\"b\"\r\n",
          "\"PING\"\r\n",
          "ECHO a\rb\r\n",
          "ECHO a\vb\r\n",
          "GET\r\n",
          "NONSENSE a b\r\n",
          "QUIT\r\nPING\r\n",
          "quit now\r\n",
          "GET / HTTP/1.1\r\n\r\n",
          "POST / HTTP/1.1\r\nHost: x\r\n\r\n",
          "Host: localhost\r\n",
          "post\r\n",
          "host:\r\nPING\r\n",
          "$4\r\nPING\r\n",
          "+PING\r\n",
          ":1\r\n",
          "%1\r\n",
          "_\r\n",
          "=4\r\n",
          "PI\0NG\r\n"s,
          "\0"s,
          "\0\r\nPING\r\n"s};
}

std::vector<std::string> CountStreams() {
  const std::string ping = kPing;
  return {"*0\r\n",
          "*-1\r\n",
          "*-1\r\n" + ping,
          "*0\r\n" + ping,
          "*\r\n",
          "*\r\n" + ping,
          "*x\r\n",
          "*1x\r\n",
          "* 1\r\n",
          "*+1\r\n",
          "*01\r\n" + ping,
          "*-0\r\n",
          "*1048576\r\n",
          "*2147483648\r\n",
          "*99999999999999999999\r\n",
          "*-99999999999999999999\r\n",
          "*-5\r\n" + ping,
          "*1\n$4\nPING\n",
          "*1\0\r\n$4\r\nPING\r\n"s,
          "*2\r\n" + ping,
          ping + "*x\r\n" + ping,
          ping + ping + "*1\r\n$x\r\n",
          ping + "\""};
}

std::vector<std::string> BulkStreams() {
  const std::string ping = kPing;
  return {"*1\r\n$4\r\nPING",
          "*1\r\n$4\r\nPINGxx" + ping,
          "*1\r\n$4\r\nPI",
          "*1\r\n$",
          "*1\r\n$4",
          "*1\r\n$4\r",
          "*1\r\n$x\r\n",
          "*1\r\n$-1\r\n",
          "*1\r\n$-2\r\n",
          "*1\r\n$\r\n",
          "*1\r\n$ 4\r\n",
          "*1\r\n$04\r\nPING\r\n",
          "*1\r\n$+4\r\n",
          "*1\r\n$536870912\r\n",
          "*1\r\n$536870913\r\n",
          "*1\r\n$99999999999999999999\r\n",
          "*1\r\n$0\r\n\r\n",
          "*1\r\n$0\r\n\r\n" + ping,
          "*2\r\n$4\r\nPING\r\n$0\r\n\r\n",
          "*1\r\n+PING\r\n",
          "*1\r\n:1\r\n",
          "*1\r\nPING\r\n",
          "*1\r\n\r\n$4\r\nPING\r\n",
          "*1\r\n*1\r\n",
          "*2\r\n$4\r\nECHO\r\n:1\r\n",
          "*1\r\n\xffPING\r\n",
          "*1\r\n\nPING\r\n",
          "*1\r\n$4\r\nQUIT\r\n" + ping,
          "*2\r\n$4\r\nQUIT\r\n$1\r\nx\r\n" + ping,
          "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"};
}

// Lines around 64 KiB. A longer one that does end is left out: whether Redis takes it depends on
// how the bytes were cut, since it complains only of a line whose end has not arrived when it
// looks.
std::vector<std::string> LongStreams() {
  std::vector<std::string> streams;
  for (const size_t size : {65'000, 65'530, 100'000, 200'000}) {
    for (const char* const start : {"x", "*", "*1\r\n$"}) {
      streams.push_back(start + std::string(size, '1'));
      if (size < 65'536) streams.push_back(streams.back() + "\r\n");
    }
  }
  return streams;
}

// A key that no other stream has, unless a byte of it is changed.
std::string OwnKey(size_t stream, const std::string& rest) {
  std::string key;
  for (; stream > 0; stream /= 20) key += static_cast<char>('c' + stream % 20);
  return key + "b" + rest;
}

// Mostly right, with a byte changed here and there. Nothing in it can shut a server down. Keys are
// this stream's alone, since others' requests may be answered before its own or after.
std::string RandomStream(size_t index, Dice& dice) {
  std::string stream;
  for (size_t i = dice.Below(6); i > 0; --i) {
    if (dice.Chance(40)) {
      for (size_t j = dice.Below(5); j > 0; --j) {
        stream += dice.OneOf({"PING", "GET", "k1", "\"a b\"", "'x\\'y'", "\"\\x41\\n\"", "", "\"",
                              "a\"b\"", "ECHO"});
        stream += dice.OneOf({" ", "  ", "\t"});
      }
      stream += dice.OneOf({"\r\n", "\n", "\r\n\r\n"});
    } else {
      Request request = {dice.OneOf({"PING", "ECHO", "GET", "STRLEN", "SET", "APPEND", "what"})};
      for (size_t j = dice.Below(4); j > 0; --j) {
        request.push_back(std::string(dice.Below(30), static_cast<char>(dice.Between(1, 255))));
      }
      if (request.size() > 1 && request[0] != "ECHO") request[1] = OwnKey(index, request[1]);
      stream += Encode(request);
    }
  }
  for (size_t i = dice.Below(3); i > 0 && !stream.empty(); --i) {
    stream[dice.Below(stream.size())] =
        dice.OneOf({"*", "$", "\r", "\n", "0", "1", "9", "-", "\"", "'", " ", "a"})[0];
    if (dice.Chance(15)) stream.resize(dice.Below(stream.size()));
  }
  return stream;
}

TEST(Differential, BytesOfRequests) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  PlayStreams(*rivals, InlineStreams());
  PlayStreams(*rivals, CountStreams());
  PlayStreams(*rivals, BulkStreams());
  PlayStreams(*rivals, LongStreams());
}

TEST(Differential, RandomBytes) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  const uint64_t seed = SeedFromEnvironment();
  std::cout << "LAPSE_DIFF_SEED=" << seed << std::endl;
  Dice dice(seed, 2);
  std::vector<std::string> streams;
  while (streams.size() < kRandomStreams) streams.push_back(RandomStream(streams.size(), dice));
  PlayStreams(*rivals, streams);
}

TEST(Differential, BeforeAuthentication) {
  std::string missing;
  const auto rivals = Rivals::Start(missing, {"--requirepass", "secret"});
  if (rivals == nullptr) GTEST_SKIP() << missing;
  const std::string in = Encode({"AUTH", "secret"});
  PlayStreams(*rivals, {"PING\r\n",
                        "GET k\r\n",
                        "NONSENSE\r\n",
                        "GET\r\n",
                        "HELLO\r\n",
                        "HELLO 3\r\n",
                        "HELLO 4\r\n",
                        "HELLO 3 AUTH default wrong\r\n",
                        "HELLO 3 SETNAME x\r\n",
                        "AUTH wrong\r\n",
                        "AUTH\r\n",
                        "AUTH a b c\r\n",
                        "AUTH default secret\r\nGET k\r\n",
                        "AUTH nobody secret\r\n",
                        "RESET\r\n",
                        "QUIT\r\n",
                        "COMMAND COUNT\r\n",
                        "CLIENT ID\r\n",
                        "CLIENT NONSENSE\r\n",
                        "SELECT 1\r\n",
                        in + "PING\r\n",
                        in + "RESET\r\nPING\r\n",
                        in + in + "AUTH wrong\r\nPING\r\n",
                        "POST\r\nPING\r\n"});
  PlayStreams(*rivals, {"*10\r\n", "*11\r\n", "*1\r\n$16384\r\n", "*1\r\n$16385\r\n",
                        "*9999999999\r\n", "*1\r\n$999999999\r\n", in + "*11\r\n",
                        in + "*1\r\n$16385\r\n", in + Encode(Request(11, "PING")),
                        "PING\r\n*11\r\n", "*x\r\n", "ECHO \"a\r\n", std::string(100'000, 'x')});
}

}  // namespace
}  // namespace lapse
