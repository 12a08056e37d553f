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
  // Runs the batch's requests from `from` on; returns the number of the next one to run.
  size_t Run(Session& session, RequestBatch& batch, size_t from, ReplyWriter& reply) {
    return beside_script_ ? aside_->dispatcher.RunBesideScript(session, batch, from, reply)
                          : dispatcher_.Run(session, batch, from, reply);
  }
  // What is parsed goes in here.
  RequestBatch& batch() { return beside_script_ ? aside_->batch : batch_; }

  // While it is set, the dispatcher and the batch are other ones, since those of the thread are in
  // use, and requests run beside the script for which the thread waits.
  void set_beside_script(bool beside) {
    if (aside_ == nullptr) aside_ = std::make_unique<Aside>(instance_);
    beside_script_ = beside;
  }

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

  struct Aside {
    explicit Aside(Instance& instance) : dispatcher(instance) {}
    Dispatcher dispatcher;
    RequestBatch batch;
  };

  void RefreshLimits();

  Instance& instance_;
  Dispatcher dispatcher_;
  RequestBatch batch_;
  std::unique_ptr<Aside> aside_;  // made when first needed
  bool beside_script_ = false;

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
