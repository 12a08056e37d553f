#include "bench/lab/workload.h"

#include "bench/lab/runs.h"

namespace lapse {
namespace {

constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kQuick = 100'000;

constexpr Variant kOnly[] = {{""}};
constexpr Variant kNothing[] = {{"no-ttl", 0}, {"half-ttl", 50}, {"all-ttl", 100}};
constexpr Variant kNeedle[] = {{"alone", 0}, {"among-1%", 0.01}, {"among-10%", 0.1}, {"among", 1}};
constexpr Variant kCliff[] = {{"idle", 0}, {"busy", 1}};
constexpr Variant kCliffLoad[] = {{"one-thread", 0}, {"two-threads", 1}};
constexpr Variant kClock[] = {{"born-expired", 0}, {"forward", 1}, {"back", -1}};

constexpr Metric kNothingColumns[] = {Metric::kCpuPerSecond, Metric::kCpuAboveOff,
                                      Metric::kLongestSlice, Metric::kBytesPerKey,
                                      Metric::kRssPerKey};
constexpr Metric kNeedleColumns[] = {Metric::kTime50,    Metric::kTime90, Metric::kTime99,
                                     Metric::kTime100,   Metric::kLeft,   Metric::kCpuPerKey,
                                     Metric::kLingering, Metric::kLagP99, Metric::kLagMax};
constexpr Metric kSteadyColumns[] = {
    Metric::kCpuPerKey,     Metric::kCpuAboveOff, Metric::kLingering, Metric::kPeakKeys,
    Metric::kPeakMegabytes, Metric::kLagP50,      Metric::kLagP99,    Metric::kLagMax,
    Metric::kLeft,          Metric::kLongestSlice};
constexpr Metric kBatchColumns[] = {Metric::kTime50,   Metric::kTime99,      Metric::kTime100,
                                    Metric::kLeft,     Metric::kCpuPerKey,   Metric::kLingering,
                                    Metric::kPeakKeys, Metric::kLagP50,      Metric::kLagP99,
                                    Metric::kLagMax,   Metric::kLongestSlice};
constexpr Metric kCliffColumns[] = {
    Metric::kTime50,      Metric::kTime90,    Metric::kTime99,    Metric::kTime100,
    Metric::kLeft,        Metric::kCpuPerKey, Metric::kLingering, Metric::kPeakMegabytes,
    Metric::kLagP50,      Metric::kLagP99,    Metric::kLagMax,    Metric::kLongestSlice,
    Metric::kBytesPerKey, Metric::kRssPerKey};
constexpr Metric kCliffLoadColumns[] = {
    Metric::kLatencyP50, Metric::kLatencyP99,  Metric::kLatencyP999, Metric::kLatencyMax,
    Metric::kTime50,     Metric::kTime99,      Metric::kLeft,        Metric::kLazy,
    Metric::kCpuPerKey,  Metric::kLongestSlice};
constexpr Metric kLocksColumns[] = {Metric::kStartMegabytes, Metric::kEndMegabytes,
                                    Metric::kLeft,           Metric::kCpuPerSecond,
                                    Metric::kCpuAboveOff,    Metric::kOperationNs};
constexpr Metric kScanColumns[] = {Metric::kReclaimed, Metric::kLazy,   Metric::kCpuPerKey,
                                   Metric::kLingering, Metric::kLagP99, Metric::kLagMax,
                                   Metric::kLeft};
constexpr Metric kEmptyColumns[] = {
    Metric::kTime50, Metric::kTime99,         Metric::kTime100,
    Metric::kLeft,   Metric::kCpuPerKey,      Metric::kLingering,
    Metric::kLagP99, Metric::kStartMegabytes, Metric::kEndMegabytes};
constexpr Metric kClockColumns[] = {Metric::kTime50, Metric::kTime99,    Metric::kTime100,
                                    Metric::kLeft,   Metric::kCpuPerKey, Metric::kLingering,
                                    Metric::kEarly,  Metric::kOrphans};
constexpr Metric kFlushColumns[] = {Metric::kTime100,        Metric::kLeft,
                                    Metric::kCpuPerKey,      Metric::kLongestSlice,
                                    Metric::kStartMegabytes, Metric::kEndMegabytes};

constexpr Metric kNothingHeadlines[] = {Metric::kCpuPerSecond};
constexpr Metric kBatchHeadlines[] = {Metric::kTime99, Metric::kCpuPerKey, Metric::kLingering};
constexpr Metric kSpreadHeadlines[] = {Metric::kLingering, Metric::kCpuPerKey, Metric::kTime100};
constexpr Metric kSteadyHeadlines[] = {Metric::kLingering, Metric::kCpuPerKey, Metric::kPeakKeys};
constexpr Metric kLoadHeadlines[] = {Metric::kLatencyP99, Metric::kLatencyMax, Metric::kTime99};
constexpr Metric kLargeHeadlines[] = {Metric::kTime99, Metric::kLongestSlice};
constexpr Metric kScanHeadlines[] = {Metric::kLingering, Metric::kCpuPerKey};
constexpr Metric kFlushHeadlines[] = {Metric::kTime100, Metric::kCpuPerKey};

constexpr Workload kWorkloads[] = {
    {"nothing", 1, "What expiry costs while nothing expires: keys with far deadlines, and time.",
     kNothing, kMillion, kQuick, true, RunNothing, kNothingColumns, kNothingHeadlines},
    {"needle", 2,
     "5,000 keys due at once among live ones whose deadlines are hours away: how long until they "
     "are found.",
     kNeedle, kMillion, kQuick, true, RunNeedle, kNeedleColumns, kBatchHeadlines},
    {"churn", 3,
     "A steady stream: a tenth of the keys are written each second, with TTLs of 1 to 10 s.", kOnly,
     kMillion, kQuick, true, RunChurn, kSteadyColumns, kSteadyHeadlines},
    {"flood", 4,
     "Half the keys live for hours; then as many are written within a second, for 1 to 5 s.", kOnly,
     kMillion, kQuick, true, RunFlood, kBatchColumns, kSpreadHeadlines},
    {"cliff", 5,
     "All keys due in the same millisecond, on a driver without other work, and on one that may "
     "use the share it gets while clients are served.",
     kCliff, kMillion, kQuick, true, RunCliff, kCliffColumns, kBatchHeadlines},
    {"cliff-load", 5,
     "The cliff under GETs at a fixed rate, by the system's clock: what clients feel in the second "
     "after the deadline.",
     kCliffLoad, kMillion, kQuick, true, RunCliffLoad, kCliffLoadColumns, kLoadHeadlines},
    {"wide", 6, "TTLs from 20 s to 30 days, evenly over the orders of magnitude.", kOnly, kMillion,
     kQuick, true, RunWide, kSteadyColumns, kSteadyHeadlines},
    {"refresh", 7,
     "Every key's TTL is renewed again and again; then all are shortened to a second.", kOnly,
     kMillion, kQuick, true, RunRefresh, kBatchColumns, kSpreadHeadlines},
    {"locks", 8,
     "Locks: SET with a TTL of an hour, DEL within a millisecond, over and over. Memory must come "
     "back.",
     kOnly, kMillion, kQuick, true, RunLocks, kLocksColumns, kNothingHeadlines},
    {"scan", 9,
     "A client's SCAN goes round all keys while half of them expire; it removes the expired ones "
     "that it meets.",
     kOnly, kMillion, kQuick, true, RunScan, kScanColumns, kScanHeadlines},
    {"large", 10, "Strings of 1 MiB that fall due together: the length of a slice.", kOnly, 400, 64,
     false, RunLarge, kCliffColumns, kLargeHeadlines},
    {"databases", 11, "16 databases, TTLs in one of them.", kOnly, kMillion, kQuick, true,
     RunDatabases, kBatchColumns, kBatchHeadlines},
    {"empty-table", 12,
     "A table that has just lost all of its keys but for one in a hundred, and those expire.",
     kOnly, kMillion, kQuick, true, RunEmptyTable, kEmptyColumns, kSpreadHeadlines},
    {"clock", 13,
     "Keys that expired before the start; a clock that is put forward an hour; one that is put "
     "back. Nothing may go early.",
     kClock, kMillion, kQuick, true, RunClock, kClockColumns, kBatchHeadlines},
    {"flush", 15,
     "FLUSHEXPIREKEYS over keys half of which are expired, against a client that removes them by "
     "SCAN (COUNT 1000, a call each millisecond).",
     kOnly, kMillion, kQuick, true, RunFlush, kFlushColumns, kFlushHeadlines, kFlushContestants},
};

}  // namespace

std::span<const Workload> Workloads() { return kWorkloads; }

const Workload* FindWorkload(std::string_view name) {
  for (const Workload& workload : kWorkloads) {
    if (workload.name == name) return &workload;
  }
  return nullptr;
}

std::string_view AbsentWorkloads() {
  return "14 (field TTLs) and million-member hashes of 10 are absent: there are no hashes yet";
}

}  // namespace lapse
