#include "remote/flush.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "remote/discovery.h"
#include "remote/node_flush.h"

namespace lapse {
namespace {

using std::chrono::milliseconds;

int64_t UnixMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

// So many may be under way at the same time.
class Permits {
 public:
  explicit Permits(int count) : left_(std::max(count, 1)) {}

  // False when a stop came first.
  bool Take(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    if (!freed_.wait(lock, std::move(stop), [this] { return left_ > 0; })) return false;
    --left_;
    return true;
  }
  void Give() {
    const std::lock_guard lock(mutex_);
    ++left_;
    freed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any freed_;
  int left_;
};

// Ends everything at the caller's stop, or when the time is up.
class Ending {
 public:
  Ending(const std::stop_token& asked, milliseconds timeout) : on_asked_(asked, Forward(source_)) {
    if (timeout.count() <= 0) return;
    timer_ = std::jthread([this, timeout](const std::stop_token& over) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any never;
      never.wait_for(lock, over, timeout, [] { return false; });
      if (over.stop_requested() || source_.stop_requested()) return;
      timed_out_ = true;
      source_.request_stop();
    });
  }

  std::stop_token token() const { return source_.get_token(); }
  bool timed_out() const { return timed_out_; }

 private:
  std::stop_source source_;
  std::atomic<bool> timed_out_{false};
  struct Forward {
    explicit Forward(const std::stop_source& source) : stop(source) {}
    std::stop_source stop;
    void operator()() { stop.request_stop(); }
  };
  std::stop_callback<Forward> on_asked_;
  std::jthread timer_;
};

// The nodes' progress, added up for the observer.
class Board {
 public:
  Board(size_t target, const RemoteFlushesObserver& observer, std::mutex& one_at_a_time)
      : target_(target), observer_(observer), mutex_(one_at_a_time) {}

  void Begin(size_t nodes) {
    const std::lock_guard lock(mutex_);
    nodes_.resize(nodes);
    Show();
  }
  void Update(size_t node, const RemoteNodeProgress& progress) {
    const std::lock_guard lock(mutex_);
    nodes_[node] = progress;
    Show();
  }
  void Finish(size_t node, bool failed) {
    const std::lock_guard lock(mutex_);
    ++done_;
    failed_ += failed ? 1 : 0;
    nodes_[node].slowed = false;
    Show();
  }

 private:
  void Show() const {
    if (!observer_) return;
    RemoteFlushProgress sum;
    for (const RemoteNodeProgress& node : nodes_) {
      sum.fraction += node.fraction / static_cast<double>(nodes_.size());
      sum.scanned += node.scanned;
      sum.expired += node.expired;
      sum.memory_before += node.memory_before;
      sum.memory += node.memory;
      sum.cpu_percent = std::max(sum.cpu_percent, node.cpu_percent);
      sum.slowed = sum.slowed || node.slowed;
    }
    sum.nodes = static_cast<int>(nodes_.size());
    sum.nodes_done = done_;
    sum.nodes_failed = failed_;
    observer_(target_, sum);
  }

  const size_t target_;
  const RemoteFlushesObserver& observer_;
  std::mutex& mutex_;
  std::vector<RemoteNodeProgress> nodes_;
  int done_ = 0;
  int failed_ = 0;
};

// Runs `work(i)` for 0 <= i < count on so many threads, this one among them, in order of i.
void ForEach(size_t count, int threads, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> others;
  const size_t wanted = std::min(count, static_cast<size_t>(std::max(threads, 1)));
  for (size_t i = 1; i < wanted; ++i) others.emplace_back(run);
  run();
}

// The whole of FlushRemotes, while it lasts.
class Flushes {
 public:
  Flushes(std::span<const RemoteTarget> targets, const RemoteFlushOptions& options,
          const RemoteFlushesObserver& observer, const std::stop_token& stop)
      : targets_(targets),
        options_(options),
        observer_(observer),
        ending_(stop, options.timeout),
        permits_(options.concurrency),
        results_(targets.size()) {}

  std::vector<RemoteFlushResult> Run() {
    ForEach(targets_.size(), options_.concurrency, [this](size_t i) { RunTarget(i); });
    return std::move(results_);
  }

 private:
  void RunTarget(size_t index) {
    RemoteFlushResult& result = results_[index];
    result.target = targets_[index].Text();
    if (failed_targets_ > options_.max_errors) {
      result.reason = fmt::format("not begun: more than {} of the targets before have failed",
                                  options_.max_errors);
      return;
    }
    result.started_ms = UnixMs();
    absl::StatusOr<std::vector<RemoteNode>> nodes =
        DiscoverNodes(targets_[index], options_.connect, ending_.token());
    if (nodes.ok()) {
      RunNodes(index, *nodes);
      AddUp(result);
    } else {
      result.state = ending_.token().stop_requested() ? RemoteFlushState::kCancelled
                                                      : RemoteFlushState::kFailed;
      result.reason = std::string(nodes.status().message());
    }
    if (ending_.timed_out() && result.state == RemoteFlushState::kCancelled) {
      result.state = RemoteFlushState::kFailed;
      result.reason = TimedOut();
    }
    if (result.state == RemoteFlushState::kFailed) ++failed_targets_;
    result.finished_ms = UnixMs();
  }

  void RunNodes(size_t index, const std::vector<RemoteNode>& nodes) {
    std::vector<RemoteNodeResult>& results = results_[index].nodes;
    results.resize(nodes.size());
    Board board(index, observer_, one_at_a_time_);
    board.Begin(nodes.size());
    ForEach(nodes.size(), options_.concurrency, [&](size_t i) {
      results[i].address = nodes[i].address.Text();
      if (!permits_.Take(ending_.token())) {
        results[i].state = RemoteFlushState::kCancelled;
        results[i].reason = "stopped before it was begun";
      } else {
        NodeFlush flush(
            targets_[index], nodes[i], options_,
            [&board, i](const RemoteNodeProgress& progress) { board.Update(i, progress); },
            ending_.token());
        results[i] = flush.Run();
        permits_.Give();
      }
      if (ending_.timed_out() && results[i].state == RemoteFlushState::kCancelled) {
        results[i].state = RemoteFlushState::kFailed;
        results[i].reason = TimedOut();
      }
      board.Finish(i, results[i].state == RemoteFlushState::kFailed);
    });
  }

  std::string TimedOut() const {
    return fmt::format("not done within {} s",
                       std::chrono::duration<double>(options_.timeout).count());
  }

  static void AddUp(RemoteFlushResult& result) {
    const RemoteNodeResult* worst = nullptr;
    for (const RemoteNodeResult& node : result.nodes) {
      result.scanned += node.scanned;
      result.expired += node.expired;
      result.orphans += node.orphans;
      result.bytes_freed += node.bytes_freed;
      result.memory_before += node.memory_before;
      result.memory_after += node.memory_after;
      result.server_cpu_us += node.server_cpu_us;
      if (node.state == RemoteFlushState::kSucceeded) continue;
      // A failure says more than a cancellation.
      if (worst == nullptr ||
          (worst->state != RemoteFlushState::kFailed && node.state == RemoteFlushState::kFailed)) {
        worst = &node;
      }
    }
    result.state = worst == nullptr ? RemoteFlushState::kSucceeded : worst->state;
    if (worst != nullptr) result.reason = fmt::format("{}: {}", worst->address, worst->reason);
  }

  const std::span<const RemoteTarget> targets_;
  const RemoteFlushOptions& options_;
  const RemoteFlushesObserver& observer_;
  Ending ending_;
  Permits permits_;
  std::mutex one_at_a_time_;                // of the observer
  std::vector<RemoteFlushResult> results_;  // each written by the thread that has its target
  std::atomic<int> failed_targets_{0};
};

}  // namespace

std::string_view RemoteFlushStateName(RemoteFlushState state) {
  switch (state) {
    case RemoteFlushState::kSucceeded:
      return "Success";
    case RemoteFlushState::kFailed:
      return "Failed";
    case RemoteFlushState::kCancelled:
      return "Cancelled";
    case RemoteFlushState::kSkipped:
      break;
  }
  return "Skipped";
}

std::string_view RemoteFlushMethodName(RemoteFlushMethod method) {
  switch (method) {
    case RemoteFlushMethod::kScan:
      return "scan";
    case RemoteFlushMethod::kFlushExpireKeys:
      return "flushexpirekeys";
    case RemoteFlushMethod::kNone:
      break;
  }
  return "none";
}

RemoteFlushResult FlushRemote(const RemoteTarget& target, const RemoteFlushOptions& options,
                              const RemoteFlushObserver& observer, std::stop_token stop) {
  RemoteFlushesObserver of_one;
  if (observer) {
    of_one = [&observer](size_t, const RemoteFlushProgress& progress) { observer(progress); };
  }
  return std::move(FlushRemotes({&target, 1}, options, of_one, std::move(stop)).front());
}

std::vector<RemoteFlushResult> FlushRemotes(std::span<const RemoteTarget> targets,
                                            const RemoteFlushOptions& options,
                                            const RemoteFlushesObserver& observer,
                                            std::stop_token stop) {
  return Flushes(targets, options, observer, stop).Run();
}

}  // namespace lapse
