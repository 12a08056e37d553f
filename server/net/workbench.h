// What the connections of one io thread share: the dispatcher with its scratch space, one request
// batch, a copy of the limits, and the counters of the wire.
//
// Why shared: a thread runs one connection's requests at a time, so one batch that stays in the
// cache serves them all, and an idle connection owns none. Why a copy of the limits: the
// configuration may be read inside the gate alone, and the state machine asks between batches. The
// gate's epoch tells when the copy is stale, so asking costs one load of a line that is read
// anyway. Why counters here: a locked add for each request to a line that all threads write costs
// more than parsing the request; these are plain numbers, added to the instance's now and then.
//
// Thread: its io thread's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/limits.h"
#include "protocol/request_parser.h"
#include "server/core/dispatcher.h"
#include "server/core/instance.h"

namespace lapse {

// The configuration as far as connections need it.
struct ClientLimits {
  ProtocolLimits protocol;
  size_t query_buffer_bytes = 0;
  OutputLimit output;
  OutputLimit pubsub_output;  // of a client that is subscribed to something
  int64_t idle_seconds = 0;   // 0: idle clients stay
};

class Workbench {
 public:
  explicit Workbench(Instance& instance);

  Instance& instance() { return instance_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  RequestBatch& batch() { return batch_; }

  // The limits as configured now. Requires: not inside the gate.
  const ClientLimits& limits() {
    if (instance_.keyspace.gate().epoch() != epoch_) [[unlikely]] {
      RefreshLimits();
    }
    return limits_;
  }
  // Changes with the limits.
  uint64_t limits_version() const { return limits_version_; }

  void CountRead(size_t bytes) {
    ++reads_;
    input_bytes_ += static_cast<int64_t>(bytes);
    ++reads_in_turn_;
    if (reads_in_turn_ < kPublishEvery || reads_ >= kPublishEvery) Publish();
  }
  void CountWrite(size_t bytes) {
    ++writes_;
    output_bytes_ += static_cast<int64_t>(bytes);
  }

  // Adds what was counted since the last call to the instance's counters.
  void Publish();
  // Whether nothing was read since the last call; called at each turn of the expiry engine.
  bool TakeIdle();

 private:
  // Under load counts appear in INFO after this many reads; while there were fewer in this turn, at
  // once.
  static constexpr int64_t kPublishEvery = 64;

  void RefreshLimits();

  Instance& instance_;
  Dispatcher dispatcher_;
  RequestBatch batch_;

  ClientLimits limits_;
  uint64_t epoch_;
  uint64_t limits_version_ = 0;

  int64_t reads_ = 0;
  int64_t writes_ = 0;
  int64_t input_bytes_ = 0;
  int64_t output_bytes_ = 0;
  int64_t reads_in_turn_ = 0;
};

}  // namespace lapse
