#include "bench/lab/wire.h"

#include <cstdio>

#include "absl/status/status.h"
#include "bench/lab/wire_limit.h"
#include "bench/lab/wire_options.h"
#include "bench/lab/wire_runs.h"
#include "fmt/format.h"

namespace lapse {
namespace {

constexpr std::string_view kHelp =
    R"(usage: lapse-lab wire throughput|expiry|all [options]
       lapse-lab wire limit asio|epoll --port N [--threads N]

  --server name=command   a server to compare, repeatedly; {port}, {threads} and {dir} are filled
                          in. Without any: redis, lapse, and for throughput limit-asio and
                          limit-epoll. A name alone picks one of these.
  --tests LIST            of get,set,setex,incr,mixed (1 SET to 10 GETs)
  --pipelines LIST        requests a connection sends at once (1,16,64)
  --threads LIST          the servers' threads. 1: server and generator are pinned to a core each
  --parts LIST            of nothing,needle,churn,cliff,refresh,locks,flush
  --rounds N              samples of each figure, taken in turns; the median is shown
  --seconds S             length of one throughput sample
  --keys N                keys loaded first (1000000)
  --timeout S             how long to wait for expired keys to go
  --append                amend what --out holds, instead of replacing it
  --quick                 everything smaller: throughput and expiry within two minutes
  --out DIR               where wire.json and wire.md go (build/lab-results)
)";

int Explain(const absl::Status& status) {
  fmt::print(stderr, "lapse-lab wire: {}\n\n{}", std::string(status.message()), kHelp);
  return 2;
}

}  // namespace

int RunWire(std::span<const std::string> words) {
  if (words.empty() || words[0] == "--help" || words[0] == "help") {
    fmt::print("{}", kHelp);
    return words.empty() ? 2 : 0;
  }
  const std::string& what = words[0];
  if (what == "limit") return wire::RunLimit(words.subspan(1));
  const bool throughput = what == "throughput" || what == "all";
  const bool expiry = what == "expiry" || what == "all";
  if (!throughput && !expiry) {
    return Explain(absl::InvalidArgumentError(fmt::format("there is no '{}'", what)));
  }
  const absl::StatusOr<wire::Options> options = wire::ParseOptions(words.subspan(1));
  if (!options.ok()) return Explain(options.status());

  absl::Status status;
  if (throughput) status.Update(wire::RunThroughput(*options));
  if (expiry) status.Update(wire::RunExpiry(*options));
  if (status.ok()) return 0;
  fmt::print(stderr, "lapse-lab wire: {}\n", std::string(status.message()));
  return 1;
}

}  // namespace lapse
