// One io thread: an io_context, the connections that it serves, and the share of the shards whose
// expired keys it removes between their requests.
//
// One timer does all that is not I/O. It calls the expiry engine, and is armed again for when the
// engine asks (thread 0's for when a blocked client's time is over, too); once a second it also
// looks over the connections (idle clients, output limits, buffers to give back). When the engine
// has more to do at once the call is posted instead, behind the I/O that is ready by then, so that
// a backlog and clients take turns.
//
// While the thread runs a script that is over its time, or waits for one, it serves its other
// connections from within that (LongWait): they are answered BUSY, and one of them may end the
// script. Turns, the order to stop, and what happens to the connection that waits are put off.
//
// Thread: constructed and stopped by the server's owner; Adopt, Wake, assigned and executor from
// any thread; the rest is the io thread's own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "server/net/client_machine.h"
#include "server/net/sockets.h"
#include "server/net/thread_load.h"
#include "server/net/workbench.h"

namespace lapse {

class Connection;

class IoThread : public std::enable_shared_from_this<IoThread> {
 public:
  // Number `worker` of `workers`; the instance outlives it.
  IoThread(Instance& instance, size_t worker, size_t workers);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void Start();
  // Closes all connections and ends the thread. A second call does nothing.
  void Stop();

  // Serves an accepted connection; it counts as assigned from now on.
  void Adopt(AcceptedSocket accepted, int64_t keepalive_seconds);
  // Makes the thread call the expiry engine, and look after blocked clients, soon.
  void Wake();
  // How many connections it has or is about to have.
  int64_t assigned() const { return assigned_.load(std::memory_order_relaxed); }

  IoExecutor executor() { return io_.get_executor(); }
  boost::asio::io_context& io() { return io_; }

  // Starts the connection's next read: when the others that are ready now have been served, or,
  // when there are hardly any, at once. Asio tries a read before it waits, and a client whose turn
  // was a moment ago has not sent its next request yet, so that the try would fail; after the
  // others' turns it often has, and the try saves a round through epoll.
  void ReadLater(std::shared_ptr<Connection> connection);

  Workbench& bench() { return bench_; }

  // The connection whose event is being handled, for a scope.
  class Handling {
   public:
    Handling(IoThread& thread, const Connection* connection)
        : thread_(thread), before_(std::exchange(thread.handled_, connection)) {}
    ~Handling() { thread_.handled_ = before_; }
    Handling(const Handling&) = delete;
    Handling& operator=(const Handling&) = delete;

   private:
    IoThread& thread_;
    const Connection* const before_;
  };
  // Whether an event of this connection must wait, because the thread serves others in the midst of
  // handling an earlier one; then it is to be put off, to be handled later.
  bool is_waiting(const Connection* connection) const {
    return serving_others_ && waiting_ == connection;
  }
  void PutOff(std::function<void()> event) { put_off_.push_back(std::move(event)); }
  // Takes a connection off the list.
  void Forget(Connection& connection);
  // Logs why the server hangs up on a client.
  void Report(ClientMachine& machine);

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  void ServeOthers();
  void Open(const AcceptedSocket& accepted, int64_t keepalive_seconds);
  void StartReads();
  void Turn();
  void ScheduleTurn(int64_t after_us);
  void EverySecond(Clock::time_point now);
  void SampleInstance(double seconds);
  void CloseAll();

  // Constant after construction.
  Instance& instance_;
  const size_t worker_;
  const size_t workers_;

  // Self-synchronised.
  boost::asio::io_context io_;
  std::atomic<int64_t> assigned_{0};

  // The io thread's.
  Workbench bench_;
  ThreadLoad load_;
  IoTimer timer_;
  std::vector<Connection*> connections_;  // each kept alive by its own operations
  std::vector<std::shared_ptr<Connection>> waiting_reads_;
  std::vector<std::shared_ptr<Connection>> starting_reads_;
  int reads_at_once_ = 0;  // so many more are not put off
  Clock::time_point last_second_;
  int64_t last_commands_ = 0;
  const Connection* handled_ = nullptr;
  bool serving_others_ = false;
  const Connection* waiting_ = nullptr;  // the handled one when the thread began to serve others
  std::vector<std::function<void()>> put_off_;
  uint64_t turn_number_ = 0;  // of the turn that is scheduled; an older one is void
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace lapse
