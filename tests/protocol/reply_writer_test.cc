#include "protocol/reply_writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>

namespace lapse {
namespace {

using std::string_literals::operator""s;

std::string Written(int resp, const std::function<void(ReplyWriter&)>& write) {
  Buffer buffer;
  ReplyWriter writer(buffer, resp);
  write(writer);
  return std::string(buffer.view());
}

// What both versions write, when they agree; otherwise a text that no test expects.
std::string Written(const std::function<void(ReplyWriter&)>& write) {
  const std::string resp2 = Written(2, write);
  const std::string resp3 = Written(3, write);
  return resp2 == resp3 ? resp2 : "RESP2 " + resp2 + " differs from RESP3 " + resp3;
}

TEST(ReplyWriter, Lines) {
  EXPECT_EQ(Written([](auto& w) { w.Ok(); }), "+OK\r\n");
  EXPECT_EQ(Written([](auto& w) { w.Simple("PONG"); }), "+PONG\r\n");
  EXPECT_EQ(Written([](auto& w) { w.Simple("\nx\r\ny\n"); }), "+ x  y \r\n");
  EXPECT_EQ(Written([](auto& w) { w.Simple(""); }), "+\r\n");
  EXPECT_EQ(Written([](auto& w) { w.Error("ERR no"); }), "-ERR no\r\n");
  EXPECT_EQ(Written([](auto& w) { w.Error("\r\nERR x\r\ny\r\n"); }), "-ERR x  y\r\n");
  EXPECT_EQ(Written([](auto& w) { w.Error("\r\n"); }), "-\r\n");
}

TEST(ReplyWriter, Integers) {
  for (const int64_t value : {int64_t{0}, int64_t{9}, int64_t{10}, int64_t{99}, int64_t{100},
                              int64_t{-1}, int64_t{123456789}, std::numeric_limits<int64_t>::min(),
                              std::numeric_limits<int64_t>::max()}) {
    const std::string digits = std::to_string(value);
    EXPECT_EQ(Written([&](auto& w) { w.Integer(value); }), ":" + digits + "\r\n");
    EXPECT_EQ(Written([&](auto& w) { w.BulkInteger(value); }),
              "$" + std::to_string(digits.size()) + "\r\n" + digits + "\r\n");
  }
}

TEST(ReplyWriter, Bulks) {
  for (const size_t size : {0u, 1u, 9u, 10u, 99u, 100u, 999u, 1000u, 70000u}) {
    const std::string text(size, 'v');
    EXPECT_EQ(Written([&](auto& w) { w.Bulk(text); }),
              "$" + std::to_string(size) + "\r\n" + text + "\r\n");
  }
  EXPECT_EQ(Written([](auto& w) { w.Bulk("a\r\n\0b"s); }), "$5\r\na\r\n\0b\r\n"s);
  EXPECT_EQ(Written([](auto& w) { w.Bulk({}); }), "$0\r\n\r\n");
}

TEST(ReplyWriter, Nulls) {
  EXPECT_EQ(Written(2, [](auto& w) { w.Null(); }), "$-1\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Null(); }), "_\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.NullArray(); }), "*-1\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.NullArray(); }), "_\r\n");
}

TEST(ReplyWriter, Doubles) {
  EXPECT_EQ(Written(2, [](auto& w) { w.Double(3.1); }), "$18\r\n3.1000000000000001\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Double(3.1); }), ",3.1000000000000001\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.Double(-INFINITY); }), "$4\r\n-inf\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Double(INFINITY); }), ",inf\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Double(NAN); }), ",nan\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.HumanDouble(2.5L); }), "$3\r\n2.5\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.HumanDouble(2.5L); }), ",2.5\r\n");
}

TEST(ReplyWriter, TypesThatResp2Lacks) {
  EXPECT_EQ(Written(2, [](auto& w) { w.Boolean(true), w.Boolean(false); }), ":1\r\n:0\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Boolean(true), w.Boolean(false); }), "#t\r\n#f\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.Verbatim("txt", "hi"); }), "$2\r\nhi\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Verbatim("txt", "hi"); }), "=6\r\ntxt:hi\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Verbatim("mkd", ""); }), "=4\r\nmkd:\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.BigNumber("123"); }), "$3\r\n123\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.BigNumber("12\n3"); }), "(12 3\r\n");
}

TEST(ReplyWriter, Headers) {
  EXPECT_EQ(Written([](auto& w) { w.EmptyArray(); }), "*0\r\n");
  EXPECT_EQ(Written([](auto& w) { w.Array(2), w.Array(20), w.Array(2000000); }),
            "*2\r\n*20\r\n*2000000\r\n");
  EXPECT_EQ(Written(2, [](auto& w) { w.Map(5), w.Set(5), w.Push(5); }), "*10\r\n*5\r\n*5\r\n");
  EXPECT_EQ(Written(3, [](auto& w) { w.Map(5), w.Set(5), w.Push(5); }), "%5\r\n~5\r\n>5\r\n");
}

TEST(ReplyWriter, SwitchesVersionInMidStream) {
  EXPECT_EQ(Written(2,
                    [](auto& w) {
                      w.Null();
                      EXPECT_EQ(w.resp(), 2);
                      w.set_resp(3);
                      EXPECT_EQ(w.resp(), 3);
                      w.Null();
                      w.Raw("+raw\r\n");
                    }),
            "$-1\r\n_\r\n+raw\r\n");
}

TEST(ReplyWriter, ClosesAnArrayOfUnknownLength) {
  for (const size_t count : {0u, 1u, 9u, 10u, 99u, 100u, 5000u}) {
    const auto elements = [&](ReplyWriter& w) {
      for (size_t i = 0; i < count; ++i) w.Integer(static_cast<int64_t>(i));
    };
    const std::string expected = Written(3, [&](auto& w) {
      w.Ok();
      w.Array(count);
      elements(w);
      w.Map(count);
      elements(w), elements(w);
      w.Set(count);
      elements(w);
      w.Ok();
    });
    EXPECT_EQ(Written(3,
                      [&](auto& w) {
                        w.Ok();
                        size_t mark = w.BeginArray();
                        elements(w);
                        w.EndArray(mark, count);
                        mark = w.BeginMap();
                        elements(w), elements(w);
                        w.EndMap(mark, count);
                        mark = w.BeginSet();
                        elements(w);
                        w.EndSet(mark, count);
                        w.Ok();
                      }),
              expected);
  }
  EXPECT_EQ(Written(2, [](auto& w) { w.EndMap(w.BeginMap(), 7), w.EndSet(w.BeginSet(), 7); }),
            "*14\r\n*7\r\n");
}

TEST(ReplyWriter, NestsCollectionsOfUnknownLength) {
  const std::string written = Written([](auto& w) {
    const size_t outer = w.BeginArray();
    for (int i = 0; i < 12; ++i) {
      const size_t inner = w.BeginArray();
      for (int j = 0; j < 11; ++j) w.Integer(j);
      w.EndArray(inner, 11);
    }
    w.EndArray(outer, 12);
  });
  EXPECT_EQ(written, Written([](auto& w) {
              w.Array(12);
              for (int i = 0; i < 12; ++i) {
                w.Array(11);
                for (int j = 0; j < 11; ++j) w.Integer(j);
              }
            }));
}

TEST(ReplyWriter, DropsWhatWasWrittenSince) {
  EXPECT_EQ(Written([](auto& w) {
              w.Ok();
              const size_t size = w.size();
              const size_t mark = w.BeginArray();
              EXPECT_EQ(mark, size);
              w.Bulk("half done");
              w.Truncate(mark);
              w.Error("ERR failed");
            }),
            "+OK\r\n-ERR failed\r\n");
}

}  // namespace
}  // namespace lapse
