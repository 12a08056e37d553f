// What the generator sends: batches of requests that are built once, with the digits of their keys
// written in place before each send.
//
//     *2\r\n$3\r\nGET\r\n$16\r\nkey:000000......\r\n*2\r\n$3\r\nGET...
//                                     ^ six digits, from a table of three at a time
//
// So a request costs the generator a few nanoseconds, its memory stays in the first cache level,
// and keys are still uniform over the whole keyspace. A test that mixes commands has several
// batches that take turns.
//
// Keys are 16 bytes: a prefix of 4 and 12 digits. Values are 64 bytes.
//
// Thread: one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bench/lab/wire_client.h"

namespace lapse::wire {

inline constexpr int64_t kValueBytes = 64;
// Keys are numbered below this: as many as six digits tell apart.
inline constexpr int64_t kMaxHotKeys = 1'000'000;

class RequestSource {
 public:
  // `test` is one of Options::tests. Requires: 1 <= keys.
  RequestSource(const std::string& test, int64_t pipeline, int64_t keys);

  int64_t pipeline() const { return pipeline_; }
  // A batch for random keys. Invalidates the one before.
  std::string_view Next();

 private:
  struct Batch {
    std::string bytes;
    std::vector<uint32_t> digits;  // where each request's six digits are
  };

  uint32_t Random();

  std::vector<Batch> batches_;
  size_t turn_ = 0;
  const int64_t pipeline_;
  const uint32_t keys_;
  uint64_t state_ = 0x9e3779b97f4a7c15;  // the same sequence each time, for every server
  std::vector<std::array<char, 3>> triples_;
};

// The keys that a test touches, for loading: "key:", "tmp:" or "cnt:".
std::string_view PrefixOf(const std::string& test);

std::string KeyName(std::string_view prefix, int64_t number);

struct Filling {
  std::string_view prefix = "key:";
  int64_t count = 0;
  int64_t first = 0;
  bool counters = false;  // the value is "1" instead of 64 bytes
  // When each expires, in milliseconds of the wall clock; absent, or 0: never.
  std::function<int64_t(int64_t number)> deadline_ms;
};

// SETs the keys, in pipelines of a thousand.
absl::Status Load(Client& client, const Filling& filling);

// Sends one request a key, in pipelines of a thousand.
absl::Status ForEachKey(Client& client, int64_t count,
                        const std::function<void(int64_t number, std::string& out)>& append);

}  // namespace lapse::wire
