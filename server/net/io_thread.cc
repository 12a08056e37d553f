#include "server/net/io_thread.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <utility>

#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "server/net/connection.h"
#include "server/services/services.h"
#include "spdlog/spdlog.h"
#include "storage/clock.h"
#include "storage/long_wait.h"

namespace lapse {
namespace {

namespace asio = boost::asio;

constexpr int64_t kSecondUs = 1'000'000;
// Putting reads off costs a look at epoll, which pays when it serves this many.
constexpr size_t kFewReads = 4;
// When it served fewer, so many reads start at once before it is tried again.
constexpr int kReadsAtOnce = 64;
// While a script runs: events that are handled before it goes on, and how long a turn is put off.
constexpr int kMostEventsBeside = 1000;
constexpr int64_t kTurnBesideUs = 100'000;

}  // namespace

IoThread::IoThread(Instance& instance, size_t worker, size_t workers)
    : instance_(instance),
      worker_(worker),
      workers_(workers),
      io_(1),
      bench_(instance),
      timer_(io_.get_executor()),
      last_second_(Clock::now()) {}

IoThread::~IoThread() { Stop(); }

void IoThread::Start() {
  thread_ = std::thread([this] { Run(); });
  const std::string name = "lapse-io-" + std::to_string(worker_);
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

void IoThread::Run() {
  const auto guard = asio::make_work_guard(io_);
  const std::function<void()> serve_others = [this] { ServeOthers(); };
  LongWait::SetWork(&serve_others);
  Turn();
  io_.run();
}

void IoThread::ServeOthers() {
  const Gate::Bypass inside(instance_.keyspace.gate());
  if ((instance_.modes.load() & kBusyScript) == 0) return;
  serving_others_ = true;
  waiting_ = std::exchange(handled_, nullptr);
  bench_.set_beside_script(true);
  for (int i = 0; i < kMostEventsBeside && io_.poll_one() > 0; ++i) {
  }
  bench_.set_beside_script(false);
  handled_ = waiting_;
  serving_others_ = false;
  for (auto& event : std::exchange(put_off_, {})) asio::post(io_, std::move(event));
}

void IoThread::Stop() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { CloseAll(); });
  thread_.join();
  // Answers that another thread has posted meanwhile hold connections, and these hold this object.
  io_.restart();
  io_.poll();
}

// The aborted operations' handlers are queued before the end of the loop, which lets go of the
// connections.
void IoThread::CloseAll() {
  if (serving_others_) return PutOff([this] { CloseAll(); });
  stopping_ = true;
  timer_.cancel();
  while (!connections_.empty()) connections_.back()->Shut();
  bench_.Publish();
  waiting_reads_.clear();
  asio::post(io_, [this] { io_.stop(); });
}

void IoThread::Adopt(AcceptedSocket accepted, int64_t keepalive_seconds) {
  assigned_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, accepted = std::move(accepted), keepalive_seconds] {
    Open(accepted, keepalive_seconds);
  });
}

void IoThread::Open(const AcceptedSocket& accepted, int64_t keepalive_seconds) {
  const auto connection = std::make_shared<Connection>(shared_from_this());
  connection->place_ = connections_.size();
  connections_.push_back(connection.get());
  connection->Open(accepted, keepalive_seconds);
  if (stopping_) connection->Shut();
}

void IoThread::Forget(Connection& connection) {
  Connection* const last = connections_.back();
  connections_[connection.place_] = last;
  last->place_ = connection.place_;
  connections_.pop_back();
  assigned_.fetch_sub(1, std::memory_order_relaxed);
}

void IoThread::ReadLater(std::shared_ptr<Connection> connection) {
  if (reads_at_once_ > 0) {
    --reads_at_once_;
    Connection& reader = *connection;
    reader.StartRead(std::move(connection));
    return;
  }
  waiting_reads_.push_back(std::move(connection));
  if (waiting_reads_.size() == 1) asio::post(io_, [this] { StartReads(); });
}

void IoThread::StartReads() {
  starting_reads_.swap(waiting_reads_);
  if (starting_reads_.size() < kFewReads) reads_at_once_ = kReadsAtOnce;
  for (auto& connection : starting_reads_) {
    Connection& reader = *connection;
    reader.StartRead(std::move(connection));
  }
  starting_reads_.clear();
}

void IoThread::Report(ClientMachine& machine) {
  const Session& session = machine.session();
  switch (machine.fault()) {
    case ClientMachine::Fault::kQueryBuffer:
      spdlog::warn("client {} ({}) closed: its request exceeds client-query-buffer-limit",
                   session.id, session.address);
      break;
    case ClientMachine::Fault::kOutputBuffer:
      spdlog::warn("client {} ({}) closed: {} unread bytes exceed client-output-buffer-limit",
                   session.id, session.address, machine.unsent_bytes());
      break;
    case ClientMachine::Fault::kIdle:
      spdlog::debug("client {} ({}) closed: idle", session.id, session.address);
      break;
    case ClientMachine::Fault::kNone:
      break;
  }
}

void IoThread::Turn() {
  if (stopping_) return;
  if (serving_others_) return ScheduleTurn(kTurnBesideUs);
  load_.TurnBegins(instance_.clock.MonotonicNs(), ThreadCpuNs());
  // While clients are paused nothing expires actively.
  const bool paused = (instance_.modes.load(std::memory_order_relaxed) & kPaused) != 0;
  int64_t again_us =
      paused ? ExpiryEngine::kLongestWaitUs
             : instance_.expiry.Drive(worker_, workers_, bench_.TakeIdle(), load_.percent());
  load_.TurnEnds(ThreadCpuNs());
  again_us = std::min(again_us, kSecondUs);
  const Clock::time_point now = Clock::now();
  if (now - last_second_ >= std::chrono::microseconds(kSecondUs)) EverySecond(now);
  if (worker_ == 0) again_us = Services::Of(instance_).Drive(again_us);
  ScheduleTurn(again_us);
}

void IoThread::ScheduleTurn(int64_t after_us) {
  const uint64_t number = ++turn_number_;
  if (after_us <= 0) {
    asio::post(io_, [this, number] {
      if (number == turn_number_) Turn();
    });
    return;
  }
  timer_.expires_after(std::chrono::microseconds(after_us));
  timer_.async_wait([this, number](const ErrorCode& error) {
    if (!error && number == turn_number_) Turn();
  });
}

void IoThread::Wake() {
  asio::post(io_, [this] { Turn(); });
}

void IoThread::EverySecond(Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - last_second_).count();
  last_second_ = now;
  // Backwards, because a connection that is shut leaves its place to the last one.
  for (size_t i = connections_.size(); i-- > 0;) connections_[i]->OnSecond();
  if (worker_ == 0) SampleInstance(seconds);
}

void IoThread::SampleInstance(double seconds) {
  const Gate::Shared inside(instance_.keyspace.gate());
  const int64_t commands = instance_.stats.commands_processed.load(std::memory_order_relaxed);
  const int64_t done = std::max<int64_t>(0, commands - last_commands_);  // RESETSTAT goes back
  last_commands_ = commands;
  instance_.stats.ops_per_second.store(static_cast<int64_t>(static_cast<double>(done) / seconds),
                                       std::memory_order_relaxed);
  instance_.NotePeakMemory();
}

}  // namespace lapse
