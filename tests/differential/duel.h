// Two servers, one client: sends every request to both, and tells the first difference.
//
// Requests go out in pipelines, the same ones to both. A second pair of connections inspects the
// databases from time to time, so that a difference that no reply has shown yet is found near its
// cause. The report of a difference names the seed and the last requests in redis-cli's syntax.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "tests/differential/byte_client.h"
#include "tests/differential/recipes.h"
#include "tests/support/server_process.h"

namespace lapse {

// The two servers, running, with nothing persisted. Start returns nullptr, and sets `missing`, when
// one is not installed. Directives: {"--requirepass", "secret"}.
struct Rivals {
  std::unique_ptr<ServerProcess> reference;
  std::unique_ptr<ServerProcess> ours;

  static std::unique_ptr<Rivals> Start(std::string& missing, const Request& for_both = {},
                                       const Request& for_reference = {});
};

// With a memory limit, however far off, and a policy that looks at access times, Redis shares no
// integers between keys, so that its access times and reference counts are each key's own.
inline const Request kUnsharedIntegers = {"--maxmemory", "16gb", "--maxmemory-policy",
                                          "allkeys-lru"};

// What the environment asks for: LAPSE_DIFF_SEED, LAPSE_DIFF_COMMANDS.
uint64_t SeedFromEnvironment();
int64_t CommandsFromEnvironment(int64_t otherwise);

int64_t WallClockMs();

class Duel {
 public:
  Duel(const Rivals& rivals, int protocol, uint64_t seed);

  // Each of these returns false, and reports a test failure, when the servers differ.

  // Sends the shots as one pipeline.
  bool Play(std::span<const Shot> shots);
  bool Play(const Shot& shot) { return Play(std::span(&shot, 1)); }
  // Sends the requests and then an ECHO, and compares all that comes before its answer: for
  // requests that may have none.
  bool PlayUntilMarker(const std::vector<Request>& requests);
  // Quits, and connects anew.
  bool Reconnect();
  // Compares the databases in play: their keys, values, types, encodings and deadlines.
  bool Inspect();
  // Compares the outcome of a whole scan of the inspector's database with such options.
  bool CompareScans(const Request& options);
  // Has our server remove expired keys, which must change nothing that anybody sees, while the
  // following commands are compared.
  bool FlushExpired();

  int64_t played() const { return played_; }

 private:
  struct Pair {
    explicit Pair(const Rivals& rivals)
        : reference(rivals.reference->port()), ours(rivals.ours->port()) {}
    void Send(std::string_view bytes) {
      reference.Send(bytes);
      ours.Send(bytes);
    }
    ByteClient reference;
    ByteClient ours;
  };

  bool PlayOn(Pair& pair, std::span<const Shot> shots, bool remember);
  bool CompareNext(Pair& pair, const Shot& shot);
  bool InspectDatabase(const std::string& db);
  bool InspectKeys(const std::set<std::string>& keys);
  bool IsKeyOrNone(ByteClient& server, const std::set<std::string>& keys);
  std::unique_ptr<Pair> Connect();
  void Remember(const Request& request);
  bool Report(const Request& request, const std::string& reference, const std::string& ours);

  const Rivals& rivals_;
  const int protocol_;
  const uint64_t seed_;
  std::unique_ptr<Pair> players_;
  std::unique_ptr<Pair> inspectors_;
  std::deque<std::string> history_;
  int64_t played_ = 0;
};

}  // namespace lapse
