#include "server/services/remote_run.h"

#include <utility>

namespace lapse {
namespace {

RunStatus StatusOf(RemoteFlushState state) {
  switch (state) {
    case RemoteFlushState::kSucceeded:
      return RunStatus::kSuccess;
    case RemoteFlushState::kCancelled:
      return RunStatus::kCancelled;
    case RemoteFlushState::kFailed:
    case RemoteFlushState::kSkipped:
      break;
  }
  return RunStatus::kFailed;
}

RunLook LookOf(const RemoteFlushProgress& progress) {
  RunLook look;
  look.progress = progress.fraction;
  look.figures.scanned = progress.scanned;
  look.figures.reclaimed = progress.expired;
  look.figures.memory_before = progress.memory_before;
  look.figures.memory_after = progress.memory;
  return look;
}

RunLook LookOf(const RemoteFlushResult& result) {
  RunLook look;
  look.status = StatusOf(result.state);
  look.reason = result.reason;
  double fraction = 0;
  for (const RemoteNodeResult& node : result.nodes) fraction += node.fraction;
  if (!result.nodes.empty()) look.progress = fraction / static_cast<double>(result.nodes.size());
  look.figures = {.scanned = result.scanned,
                  .reclaimed = result.expired,
                  .orphans = result.orphans,
                  .bytes_freed = result.bytes_freed,
                  .memory_before = result.memory_before,
                  .memory_after = result.memory_after,
                  .cpu_us = result.server_cpu_us};
  return look;
}

}  // namespace

RemoteRun::RemoteRun(RemoteTarget target, const RunOrder& order) {
  RemoteFlushOptions options;
  options.dbs = order.dbs;
  options.max_cpu_percent = order.max_cpu_percent;
  thread_ = std::jthread([shared = shared_, target = std::move(target),
                          options = std::move(options)](const std::stop_token& stop) {
    const auto put = [&shared](RunLook look) {
      MutexGuard guard(shared->mu);
      shared->look = std::move(look);
    };
    const RemoteFlushResult result = FlushRemote(
        target, options, [&put](const RemoteFlushProgress& progress) { put(LookOf(progress)); },
        stop);
    put(LookOf(result));
  });
}

RunLook RemoteRun::Look() {
  MutexGuard guard(shared_->mu);
  return shared_->look;
}

}  // namespace lapse
