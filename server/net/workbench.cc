#include "server/net/workbench.h"

#include <utility>

namespace lapse {

Workbench::Workbench(Instance& instance)
    : instance_(instance), dispatcher_(instance), epoch_(instance.keyspace.gate().epoch()) {
  RefreshLimits();
}

void Workbench::RefreshLimits() {
  Gate& gate = instance_.keyspace.gate();
  const Gate::Shared inside(gate);
  epoch_ = gate.epoch();
  const Config& config = instance_.config;
  limits_.protocol.max_bulk_bytes = static_cast<size_t>(config.proto_max_bulk_len);
  limits_.query_buffer_bytes = static_cast<size_t>(config.client_query_buffer_limit);
  limits_.output = config.output_limit_normal;
  limits_.pubsub_output = config.output_limit_pubsub;
  limits_.idle_seconds = config.timeout_seconds;
  ++limits_version_;
}

void Workbench::Publish() {
  ServerStats& stats = instance_.stats;
  const auto move_to = [](int64_t& counted, std::atomic<int64_t>& total) {
    if (counted != 0) total.fetch_add(std::exchange(counted, 0), std::memory_order_relaxed);
  };
  move_to(reads_, stats.reads_processed);
  move_to(writes_, stats.writes_processed);
  move_to(input_bytes_, stats.net_input_bytes);
  move_to(output_bytes_, stats.net_output_bytes);
}

bool Workbench::TakeIdle() {
  Publish();
  return std::exchange(reads_in_turn_, 0) == 0;
}

}  // namespace lapse
