#include "remote/node_flush.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "protocol/number.h"
#include "remote/text.h"

namespace lapse {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kSampleEvery{250};
constexpr milliseconds kTellEvery{100};
// For the last words after a stop, which nobody wants to wait for.
constexpr milliseconds kLastWords{2000};
constexpr milliseconds kLookAgain{20};
// In a row; a call that succeeds in between begins the count anew.
constexpr int kMaxReconnects = 3;
constexpr milliseconds kFirstReconnect{200};
// SCAN returns a key at least once, so what exists and was never returned is expired, but for keys
// written behind the cursor's back. Fewer than this, and than a tenth, may well be such.
constexpr int64_t kUncertainKeys = 100;
constexpr int64_t kUncertainPart = 10;

int64_t UnixMs() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

int64_t Nanoseconds(SteadyClock::time_point at) {
  return std::chrono::duration_cast<nanoseconds>(at.time_since_epoch()).count();
}

ScanPacer::Limits LimitsOf(const RemoteFlushOptions& options) {
  return {.max_count = options.max_count,
          .call_target_ns = nanoseconds(options.call_target).count(),
          .keys_per_second = options.keys_per_second,
          .max_cpu_percent = options.max_cpu_percent};
}

int64_t IntegerField(const Reply& map, std::string_view name) {
  const Reply* const field = FieldOf(map, name);
  return field == nullptr ? 0 : field->AsInteger();
}

std::string TextField(const Reply& map, std::string_view name) {
  const Reply* const field = FieldOf(map, name);
  return field == nullptr ? "" : field->text;
}

absl::Status Stopped() { return absl::CancelledError("stopped"); }

}  // namespace

NodeFlush::NodeFlush(const RemoteTarget& target, const RemoteNode& node,
                     const RemoteFlushOptions& options, Report report, std::stop_token stop)
    : target_(target),
      node_(node),
      options_(options),
      report_(std::move(report)),
      stop_(std::move(stop)),
      pacer_(LimitsOf(options)) {}

RemoteNodeResult NodeFlush::Run() {
  result_.address = node_.address.Text();
  result_.started_ms = UnixMs();
  absl::Status status = Connect();
  if (status.ok()) {
    status = ReadInfo(before_);
    // A user who may do nothing but flush cannot ask what server this is; only one kind has such.
    const bool may_not_ask = status.code() == absl::StatusCode::kPermissionDenied;
    if (may_not_ask || before_.product == "Lapse") {
      const absl::Status denied = status;
      status = RunThere();
      if (status.code() == absl::StatusCode::kUnimplemented && may_not_ask) status = denied;
    } else if (status.ok()) {
      status = ScanAll();
    }
  }
  result_.finished_ms = UnixMs();
  result_.state = status.ok()                                     ? RemoteFlushState::kSucceeded
                  : status.code() == absl::StatusCode::kCancelled ? RemoteFlushState::kCancelled
                                                                  : RemoteFlushState::kFailed;
  if (!status.ok()) result_.reason = std::string(status.message());
  if (status.ok()) Tell(1);
  result_.fraction = progress_.fraction;
  return std::move(result_);
}

absl::Status NodeFlush::Connect() {
  const RemoteLogin login = {target_.user, target_.password};
  absl::StatusOr<RemoteConnection> connection =
      RemoteConnection::Open(node_.address, target_.tls, login, options_.connect, stop_);
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  return absl::OkStatus();
}

absl::Status NodeFlush::ConnectAfterStop() {
  RemoteConnectOptions options = options_.connect;
  options.connect_timeout = std::min(options.connect_timeout, kLastWords);
  options.reply_timeout = std::min(options.reply_timeout, kLastWords);
  absl::StatusOr<RemoteConnection> connection = RemoteConnection::Open(
      node_.address, target_.tls, {target_.user, target_.password}, options, {});
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  return absl::OkStatus();
}

// A call whose error reply is a failure.
absl::StatusOr<Reply> NodeFlush::Ask(std::initializer_list<std::string_view> words) {
  absl::StatusOr<Reply> reply = connection_->Call(words);
  if (!reply.ok()) return reply;
  if (absl::Status status = StatusOfReply(*reply); !status.ok()) return status;
  return reply;
}

absl::Status NodeFlush::ReadInfo(RemoteInfo& info) {
  const absl::StatusOr<Reply> reply = Ask({"INFO"});
  if (!reply.ok()) return reply.status();
  info = ParseRemoteInfo(reply->text);
  return absl::OkStatus();
}

bool NodeFlush::Wait(nanoseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, stop_, time, [] { return false; });
  return !stop_.stop_requested();
}

void NodeFlush::Tell(double fraction) {
  // A table that is resized under the cursor may make it look as if the walk went back.
  progress_.fraction = std::clamp(fraction, progress_.fraction, 1.0);
  progress_.scanned = result_.scanned;
  progress_.expired = result_.expired;
  progress_.memory_before = result_.memory_before;
  progress_.memory = result_.memory_after;
  progress_.cpu_percent = pacer_.cpu_percent();
  last_told_ = SteadyClock::now();
  if (report_) report_(progress_);
}

// --- by SCAN ---

std::vector<int> NodeFlush::ChooseDatabases() const {
  if (!options_.dbs.empty()) return options_.dbs;
  if (target_.db) return {*target_.db};
  std::vector<int> dbs;
  for (const RemoteInfo::Database& db : before_.databases) dbs.push_back(db.index);
  return dbs;
}

CursorOrder NodeFlush::OrderOfCursors() const {
  const bool valkey = before_.product == "Valkey";
  if (!valkey && before_.product != "Redis") return CursorOrder::kUnknown;
  const bool tables_by_slot =
      valkey ? VersionAtLeast(before_.version, 8, 0) : VersionAtLeast(before_.version, 7, 4);
  return before_.cluster && tables_by_slot ? CursorOrder::kReversedInSlots : CursorOrder::kReversed;
}

absl::Status NodeFlush::ScanAll() {
  result_.method = RemoteFlushMethod::kScan;
  result_.server = fmt::format("{} {}", before_.product, before_.version);
  latest_ = before_;
  const std::vector<int> dbs = ChooseDatabases();
  result_.memory_before = before_.used_memory;
  result_.rss_before = before_.used_memory_rss;
  result_.expired_keys_before = before_.expired_keys;
  result_.keys_before = before_.Keys(dbs);
  TakeAfter(before_);
  if (before_.is_replica) {
    return absl::FailedPreconditionError(fmt::format(
        "is a replica: expired keys leave it when its master {} deletes them", before_.master));
  }
  if (before_.loading) return absl::FailedPreconditionError("is still loading its data");
  pacer_.AfterInfo(Nanoseconds(SteadyClock::now()), before_.cpu_us);
  last_sample_ = SteadyClock::now();
  Tell(0);

  const auto all = static_cast<double>(std::max<int64_t>(before_.Keys(dbs), 1));
  double done = 0;
  absl::Status status;
  for (const int db : dbs) {
    const double share = static_cast<double>(before_.Keys({db})) / all;
    result_.dbs.push_back(db);
    status = ScanDatabase(db, done, share);
    if (!status.ok()) break;
    done += share;
  }
  // What was reached counts when it ended early, too, if there is still somebody to ask.
  RemoteInfo after;
  absl::Status read;
  if (stop_.stop_requested()) read = ConnectAfterStop();
  if (read.ok()) read = ReadInfo(after);
  if (!read.ok() || after.run_id != before_.run_id) return status.ok() ? read : status;
  TakeAfter(after);
  result_.keys_after = after.Keys(dbs);
  return status.ok() ? JudgeEffect(after) : status;
}

void NodeFlush::TakeAfter(const RemoteInfo& info) {
  result_.expired_keys_after = info.expired_keys;
  result_.expired = std::max<int64_t>(info.expired_keys - before_.expired_keys, 0);
  result_.memory_after = info.used_memory;
  result_.rss_after = info.used_memory_rss;
  result_.server_cpu_us = std::max<int64_t>(info.cpu_us - before_.cpu_us, 0);
  result_.bytes_freed = std::max<int64_t>(before_.used_memory - info.used_memory, 0);
  result_.scanned = returned_ + result_.expired;
}

// Whether the walk did what it was for. See the comment at kUncertainKeys.
absl::Status NodeFlush::JudgeEffect(const RemoteInfo& after) {
  if (result_.expired > 0) return absl::OkStatus();
  const int64_t there = std::min(result_.keys_before, result_.keys_after);
  const int64_t left = std::min(there - returned_, after.Expires(result_.dbs));
  if (left <= std::max(kUncertainKeys, there / kUncertainPart)) return absl::OkStatus();
  result_.left_behind = left;
  return absl::FailedPreconditionError(
      fmt::format("SCAN deletes no expired keys on this server: about {} were met and are still "
                  "there",
                  left));
}

absl::Status NodeFlush::Select(int db) {
  if (before_.cluster && db == 0) return absl::OkStatus();
  const absl::StatusOr<Reply> reply = Ask({"SELECT", std::to_string(db)});
  if (reply.ok()) pacer_.AfterEmptyCall(connection_->last_call().count());
  return reply.status();
}

absl::Status NodeFlush::Reconnect(int db, const absl::Status& why) {
  absl::Status status = why;
  milliseconds pause = kFirstReconnect;
  for (int i = 0; i < kMaxReconnects; ++i, pause *= 4) {
    if (!Wait(pause)) return Stopped();
    status = Connect();
    if (status.code() == absl::StatusCode::kCancelled) return status;
    if (!status.ok()) continue;
    ++result_.reconnects;
    RemoteInfo info;
    status = ReadInfo(info);
    if (!status.ok()) continue;
    if (info.run_id != before_.run_id) {
      return absl::AbortedError("it was restarted during the flush");
    }
    return Select(db);
  }
  return why;
}

// A SCAN of the next part, on a connection that may have to be made anew for it.
absl::StatusOr<Reply> NodeFlush::CallScan(const std::string& cursor, int db) {
  for (int i = 0;; ++i) {
    // No MATCH and no TYPE, which would keep the reply small: servers test for these first, and a
    // key that is not wanted is then not looked at closely enough to expire.
    absl::StatusOr<Reply> reply = Ask({"SCAN", cursor, "COUNT", std::to_string(pacer_.count())});
    if (reply.status().code() != absl::StatusCode::kUnavailable || i == kMaxReconnects) {
      return reply;
    }
    if (absl::Status status = Reconnect(db, reply.status()); !status.ok()) return status;
  }
}

absl::Status NodeFlush::ScanDatabase(int db, double done_before, double share) {
  if (absl::Status status = Select(db); !status.ok()) return status;
  const CursorOrder order = OrderOfCursors();
  const int64_t keys = std::max<int64_t>(before_.Keys({db}), 1);
  const int64_t expired_at_start = result_.expired;
  returned_here_ = 0;
  std::string cursor = "0";
  do {
    if (stop_.stop_requested()) return Stopped();
    const absl::StatusOr<Reply> reply = CallScan(cursor, db);
    if (!reply.ok()) return reply.status();
    uint64_t place = 0;
    if (reply->size() != 2 || !ParseUint64((*reply)[0].text, place)) {
      return absl::InternalError("SCAN: a reply of an unknown form");
    }
    cursor = (*reply)[0].text;
    const int64_t took_ns = connection_->last_call().count();
    ++result_.calls;
    result_.slowest_call_us = std::max(result_.slowest_call_us, took_ns / 1000);
    returned_ += static_cast<int64_t>((*reply)[1].size());
    returned_here_ += static_cast<int64_t>((*reply)[1].size());
    result_.scanned = returned_ + result_.expired;

    const SteadyClock::time_point now = SteadyClock::now();
    const nanoseconds rest(pacer_.AfterCall(Nanoseconds(now), took_ns));
    progress_.slowed = pacer_.duty() < 1 || rest.count() > 0;
    if (absl::Status status = TakeSample(); !status.ok()) return status;
    if (now - last_told_ >= kTellEvery) {
      const auto met = static_cast<double>(returned_here_ + result_.expired - expired_at_start);
      const double part =
          ScanFraction(place, order, node_.slots).value_or(met / static_cast<double>(keys));
      Tell(done_before + share * (place == 0 ? 1 : std::min(part, 1.0)));
    }
    if (place == 0) return absl::OkStatus();
    if (rest.count() > 0) {
      result_.slowed_ms += std::chrono::duration_cast<milliseconds>(rest).count();
      if (!Wait(rest)) return Stopped();
    }
  } while (true);
}

absl::Status NodeFlush::TakeSample() {
  if (SteadyClock::now() - last_sample_ < kSampleEvery) return absl::OkStatus();
  const absl::Status status = ReadInfo(latest_);
  // The next SCAN finds out about a lost connection, and mends it.
  if (status.code() == absl::StatusCode::kUnavailable) return absl::OkStatus();
  if (!status.ok()) return status;
  last_sample_ = SteadyClock::now();
  pacer_.AfterInfo(Nanoseconds(last_sample_), latest_.cpu_us);
  TakeAfter(latest_);
  if (latest_.is_replica) return absl::AbortedError("it has become a replica during the flush");
  return absl::OkStatus();
}

// --- by FLUSHEXPIREKEYS ---

absl::Status NodeFlush::RunThere() {
  result_.server =
      before_.product.empty() ? "unknown" : fmt::format("{} {}", before_.product, before_.version);
  result_.expired_keys_before = before_.expired_keys;
  std::vector<int> dbs = options_.dbs;
  if (dbs.empty() && target_.db) dbs = {*target_.db};
  if (dbs.empty()) return RunThere(std::nullopt, 0, 1);
  const double share = 1.0 / static_cast<double>(dbs.size());
  for (size_t i = 0; i < dbs.size(); ++i) {
    result_.dbs.push_back(dbs[i]);
    const absl::Status status = RunThere(dbs[i], share * static_cast<double>(i), share);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status NodeFlush::RunThere(std::optional<int> db, double done_before, double share) {
  std::vector<std::string> words = {"FLUSHEXPIREKEYS", "ASYNC", "MAXCPU",
                                    std::to_string(options_.max_cpu_percent)};
  if (db) {
    words.emplace_back("DB");
    words.push_back(std::to_string(*db));
  }
  absl::StatusOr<Reply> record = connection_->Call(words);
  if (!record.ok()) return record.status();
  if (absl::Status status = StatusOfReply(*record); !status.ok()) return status;
  result_.method = RemoteFlushMethod::kFlushExpireKeys;
  record = WatchRun(std::to_string(IntegerField(*record, "run-id")), done_before, share);
  if (!record.ok()) return record.status();
  if (result_.memory_before == 0) {
    result_.memory_before = IntegerField(*record, "memory-before");
    result_.rss_before = IntegerField(*record, "rss-before");
  }
  result_.memory_after = IntegerField(*record, "memory-after");
  result_.rss_after = IntegerField(*record, "rss-after");
  result_.scanned += IntegerField(*record, "scanned");
  result_.expired += IntegerField(*record, "reclaimed");
  result_.expired_keys_after = result_.expired_keys_before + result_.expired;
  result_.orphans += IntegerField(*record, "orphans");
  result_.bytes_freed += IntegerField(*record, "bytes-freed");
  result_.server_cpu_us += IntegerField(*record, "cpu-us");
  result_.slowest_call_us =
      std::max(result_.slowest_call_us, IntegerField(*record, "longest-slice-us"));
  if (TextField(*record, "state") == "succeeded") return absl::OkStatus();
  return stop_.stop_requested() ? Stopped() : absl::CancelledError("cancelled at the server");
}

absl::StatusOr<Reply> NodeFlush::WatchRun(const std::string& run_id, double done_before,
                                          double share) {
  for (;;) {
    absl::StatusOr<Reply> record = Ask({"FLUSHEXPIREKEYS", "STATUS", run_id});
    if (!record.ok()) {
      return stop_.stop_requested() ? CancelRun(run_id) : std::move(record);
    }
    if (TextField(*record, "state") != "running") return record;
    TellRun(*record, done_before, share);
    if (!Wait(kTellEvery)) return CancelRun(run_id);
  }
}

// The record of a run that has been asked to stop.
absl::StatusOr<Reply> NodeFlush::CancelRun(const std::string& run_id) {
  if (absl::Status status = ConnectAfterStop(); !status.ok()) return Stopped();
  const SteadyClock::time_point end = SteadyClock::now() + kLastWords;
  absl::StatusOr<Reply> record = connection_->Call({"FLUSHEXPIREKEYS", "CANCEL", run_id});
  while (record.ok() && SteadyClock::now() < end) {
    record = Ask({"FLUSHEXPIREKEYS", "STATUS", run_id});
    if (record.ok() && TextField(*record, "state") != "running") return record;
    std::this_thread::sleep_for(kLookAgain);
  }
  return Stopped();
}

void NodeFlush::TellRun(const Reply& record, double done_before, double share) {
  const RemoteNodeResult sums = result_;
  result_.scanned += IntegerField(record, "scanned");
  result_.expired += IntegerField(record, "reclaimed");
  if (result_.memory_before == 0) result_.memory_before = IntegerField(record, "memory-before");
  result_.memory_after = result_.memory_before;
  double fraction = 0;
  if (!ParseDouble(TextField(record, "progress"), fraction)) fraction = 0;
  Tell(done_before + share * fraction);
  result_ = sums;
}

}  // namespace lapse
