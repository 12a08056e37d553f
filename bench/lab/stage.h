// A stage for experiments in virtual time: a bed, its clock, a probe, and one expiry driver.
//
// The model, which the report repeats. One driver looks after all shards and is called as a
// driver's thread would call: after each delay that the engine asks for. Virtual time advances by
// that delay plus the CPU time that the slice took. So an idle hour costs nothing, and yet a
// strategy that needs more CPU is later, since its slices take longer and its pauses are
// proportional to its work. Where in a tick the keys are set, and where in its period a strategy
// begins, differs from run to run, and is the same for all strategies. What clients do happens in
// batches at the beginning of each virtual millisecond and takes no virtual time; their CPU is
// measured apart. The driver counts as idle (and may then use 90 % of a CPU) in workloads without
// clients.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <functional>

#include "bench/lab/bed.h"
#include "bench/lab/metrics.h"
#include "bench/lab/probe.h"
#include "bench/lab/virtual_clock.h"
#include "bench/lab/workload.h"

namespace lapse {

struct StagePlan {
  int64_t horizon_ms = 0;  // how long the experiment takes at most
  int64_t from_ms = 0;     // the calendar's part before birth, for steps back: negative
  int64_t until_ms = 0;    // its end after birth; 0: the horizon
  size_t keys = 0;         // numbers in use
  size_t databases = 1;
  size_t value_bytes = 32;
  bool idle = true;  // no clients
};

class Stage {
 public:
  // What clients do in one millisecond. Returns how many operations that was.
  using Clients = std::function<int64_t()>;

  Stage(const RunSpec& spec, const StagePlan& plan);

  Bed& bed() { return bed_; }
  Probe& probe() { return probe_; }
  int64_t now_ms() const { return clock_.NowMs(); }

  // To be called when the keys are in: notes what a key takes.
  void Filled();
  void Live(int64_t ms, const Clients& clients = {});
  // Until the batch is gone, or this long.
  void LiveUntilDrained(int64_t ms, const Clients& clients = {});
  // Until `done`, asked after every slice, or this long.
  void LiveUntil(int64_t ms, const std::function<bool()>& done, const Clients& clients = {});
  // The wall clock alone.
  void StepWallMs(int64_t ms);

  // CPU that the clients have used.
  int64_t clients_ns() const { return clients_ns_; }

  // Ends the experiment: measures, verifies.
  void Finish(Sample& sample);

 private:
  void RunClients(const Clients& clients);
  void Slice();

  const StagePlan plan_;
  VirtualClock clock_;
  Bed bed_;
  Probe probe_;
  int64_t start_ns_;
  int64_t next_slice_ns_;
  int64_t cpu_ns_ = 0;  // of slices
  int64_t clients_ns_ = 0;
  int64_t operations_ = 0;
  double bytes_per_key_ = 0;
  double rss_per_key_ = 0;
  double entry_bytes_ = 0;  // a key's, without the table
};

// What the engine, the keyspace and Verify have to say at the end, whichever clock ran.
void ReportEngine(Bed& bed, Sample& sample);

}  // namespace lapse
