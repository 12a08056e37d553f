// Values that move as bytes from one server to the other, both ways.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/differential/duel.h"
#include "tests/support/value_shapes.h"

namespace lapse {
namespace {

Reply Ask(ByteClient& server, const Request& request) {
  server.Send(Encode(request));
  auto answer = server.Receive();
  return answer ? answer->reply : Reply{};
}

// What one server dumps of a key, the other restores.
void Exchange(ByteClient& from, ByteClient& to, const std::string& shape) {
  const Reply payload = Ask(from, {"DUMP", "k"});
  ASSERT_EQ(payload.type, ReplyType::kBulk) << shape;
  EXPECT_EQ(Ask(to, {"RESTORE", "moved", "0", payload.text, "REPLACE"}), "OK") << shape;
}

// What can be said of a stream beside its entries, without times.
void CompareStreams(Duel& duel, const std::string& shape) {
  const std::vector<Request> questions = {{"XINFO", "STREAM", "moved"},
                                          {"XINFO", "GROUPS", "moved"},
                                          {"XPENDING", "moved", "first"},
                                          {"XPENDING", "moved", "third"}};
  for (const Request& question : questions) EXPECT_TRUE(duel.Play({question})) << shape;
}

TEST(DifferentialDump, BothWays) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  ByteClient reference(rivals->reference->port());
  ByteClient ours(rivals->ours->port());
  Duel duel(*rivals, 2, 0);
  for (const ValueShape& shape : ValueShapes()) {
    if (!shape.redis70) continue;
    for (ByteClient* server : {&reference, &ours}) {
      Ask(*server, {"FLUSHALL"});
      for (const Request& request : shape.requests) {
        ASSERT_FALSE(Ask(*server, request).IsError()) << shape.name;
      }
    }
    Exchange(reference, ours, shape.name);
    Exchange(ours, reference, shape.name);
    EXPECT_TRUE(duel.Inspect()) << shape.name;
    if (Ask(ours, {"TYPE", "k"}) == "stream") CompareStreams(duel, shape.name);
  }
}

TEST(DifferentialDump, Errors) {
  std::string missing;
  const auto rivals = Rivals::Start(missing);
  if (rivals == nullptr) GTEST_SKIP() << missing;
  const std::string payload(
      "\x00\xC0\n\n\x00n\x9fWE\x0e\xae"
      "c\xbb",
      13);
  Duel duel(*rivals, 3, 0);
  const std::vector<Request> requests = {
      {"DUMP"},
      {"DUMP", "missing"},
      {"RESTORE", "k", "0"},
      {"RESTORE", "k", "0", ""},
      {"RESTORE", "k", "0", "x"},
      {"RESTORE", "k", "0", payload},
      {"RESTORE", "k", "0", payload},
      {"RESTORE", "k", "x", payload},
      {"RESTORE", "k", "x", payload, "REPLACE"},
      {"RESTORE", "k", "-1", payload, "REPLACE"},
      {"RESTORE", "k", "0", payload, "replace", "absttl", "IDLETIME", "100"},
      {"OBJECT", "IDLETIME", "k"},
      {"RESTORE", "k", "0", payload, "REPLACE", "FREQ", "100"},
      {"RESTORE", "k", "0", payload, "REPLACE", "FREQ", "256"},
      {"RESTORE", "k", "0", payload, "REPLACE", "FREQ", "x"},
      {"RESTORE", "k", "0", payload, "REPLACE", "FREQ"},
      {"RESTORE", "k", "0", payload, "REPLACE", "IDLETIME", "-1"},
      {"RESTORE", "k", "0", payload, "REPLACE", "IDLETIME", "1", "FREQ", "1"},
      {"RESTORE", "k", "0", payload, "BOGUS"},
      {"RESTORE", "k", "1", payload, "ABSTTL", "REPLACE"},
      {"EXISTS", "k"},
      {"RESTORE", "k", "1", payload, "ABSTTL"},
      {"EXISTS", "k"},
      {"GET", "k"},
      {"RESTORE", "k", "33000000000000", payload, "ABSTTL"},
      {"PEXPIRETIME", "k"},
      {"DUMP", "k"},
  };
  for (const Request& request : requests) EXPECT_TRUE(duel.Play({request}));
}

}  // namespace
}  // namespace lapse
