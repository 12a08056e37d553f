// The command line of `lapse-lab wire throughput` and `expiry`, and the servers that are compared
// when it names none.
//
// Thread: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lapse::wire {

// A server to compare. The command is split at blanks, quotes hold words together; the process it
// starts must be the server itself, for its pid is what is measured.
struct ServerSpec {
  std::string name;
  std::string command;
};

struct Options {
  std::vector<ServerSpec> servers;  // empty: the defaults
  std::vector<std::string> tests = {"get", "set", "setex", "incr", "mixed"};
  std::vector<std::string> parts = {"nothing", "needle", "churn", "cliff",
                                    "refresh", "locks",  "flush"};
  std::vector<int64_t> pipelines = {1, 16, 64};
  std::vector<int64_t> threads;  // empty: 1, and for throughput 2 as well unless quick
  int64_t rounds = 0;            // 0: what the run thinks right
  int64_t keys = 0;              // likewise
  double sample_seconds = 0;     // likewise
  double timeout_seconds = 0;    // likewise
  bool quick = false;
  bool append = false;
  std::string out = "build/lab-results";
};

// The most values of one list, and the bounds of what they count: a typing mistake should not start
// a run of days.
inline constexpr size_t kMaxListed = 16;
inline constexpr int64_t kMaxPipeline = 4096;
inline constexpr int64_t kMaxThreads = 64;
inline constexpr int64_t kMaxRounds = 100;
inline constexpr int64_t kMaxKeys = 100'000'000;

absl::StatusOr<Options> ParseOptions(std::span<const std::string> words);

// The servers of a run: those named, or redis and lapse, with the two limits when asked for.
std::vector<ServerSpec> ServersOf(const Options& options, bool with_limits);

// Which threads and how many rounds, with the defaults filled in.
inline std::vector<int64_t> Or(std::vector<int64_t> given, std::vector<int64_t> otherwise) {
  return given.empty() ? otherwise : given;
}

}  // namespace lapse::wire
