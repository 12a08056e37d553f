// The functions that run a workload once, for the table in workload.cc.
//
// Thread: one for each run; only RunCliffLoad makes another.
#pragma once

#include "bench/lab/workload.h"

namespace lapse {

// workloads_static.cc: keys are set, and time passes.
void RunNothing(const RunSpec& spec, Sample& sample);  // parameter: percent of keys with a TTL
void RunNeedle(const RunSpec& spec, Sample& sample);   // live keys, as a multiple of spec.keys
void RunFlood(const RunSpec& spec, Sample& sample);
void RunCliff(const RunSpec& spec, Sample& sample);
void RunWide(const RunSpec& spec, Sample& sample);
void RunLarge(const RunSpec& spec, Sample& sample);
void RunDatabases(const RunSpec& spec, Sample& sample);
void RunEmptyTable(const RunSpec& spec, Sample& sample);
void RunClock(const RunSpec& spec, Sample& sample);  // 0 born expired, 1 forward, -1 back

// workloads_clients.cc: clients work meanwhile, in virtual time.
void RunChurn(const RunSpec& spec, Sample& sample);
void RunRefresh(const RunSpec& spec, Sample& sample);
void RunLocks(const RunSpec& spec, Sample& sample);
void RunScan(const RunSpec& spec, Sample& sample);
void RunFlush(const RunSpec& spec, Sample& sample);

// cliff_load.cc: clients are timed, by the system's clock.
void RunCliffLoad(const RunSpec& spec, Sample& sample);  // 0 one thread, 1 a driver of its own

}  // namespace lapse
