// A connection: a socket, and the state machine that its bytes go through.
//
// The way of a request, on one thread without a hand-over:
//
//   async_read_some -> ClientMachine::OnBytes (parse all, run all) -> one non-blocking write_some
//                ^                                                        |
//                +----- next read <---- all sent ----<--------------------+---> rest:
//                async_write_some
//
// The inline write saves a round through the reactor for every request whose replies fit the
// socket's buffer, nearly all. Handlers hold the connection by a shared_ptr that moves from each
// operation to the next, so that a request costs no reference count.
//
// Three operations may be in flight: a read into the machine's buffer, or instead of it a watch
// (wait until readable, no buffer involved) while the session is blocked or has been idle long
// enough to give its buffers back, and a write.
//
// As a Resumer it is called from any thread: it posts to its own. The session holds it as such, and
// so keeps it alive until Close breaks the circle.
//
// Invariants:
//   1. At most one read or watch, and at most one write, is in flight.
//   2. After Close nothing is started, and the IoThread does not know the connection any more.
//
// Thread: its IoThread's, except for Resume and Close (the Resumer's).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "server/core/session.h"
#include "server/net/client_machine.h"
#include "server/net/handler_memory.h"
#include "server/net/sockets.h"

namespace lapse {

class IoThread;

class Connection final : public Resumer, public std::enable_shared_from_this<Connection> {
 public:
  // A connection without a byte in either direction for so long gives its buffers back.
  static constexpr int64_t kParkAfterSeconds = 2;

  explicit Connection(std::shared_ptr<IoThread> thread);
  ~Connection() override;

  // Takes the socket over and serves it. To be called once.
  void Open(const AcceptedSocket& accepted, int64_t keepalive_seconds);
  // Hangs up. Further calls do nothing.
  void Shut();
  // Looks for idleness and limits; called once a second.
  void OnSecond();

  // Resumer.
  void Resume(std::function<void(ReplyWriter&)> write_reply) override;
  void Push(std::function<void(ReplyWriter&)> write_push) override;
  void Close() override;

 private:
  friend class IoThread;
  using Self = std::shared_ptr<Connection>;

  template <typename Event>
  void Handle(Event event);
  template <typename Event>
  void Post(Event event);
  void Configure(const AcceptedSocket& accepted, int64_t keepalive_seconds);
  void StartRead(Self self);
  void StartWatch(Self self);
  void StartWrite(Self self);
  void OnRead(Self self, const ErrorCode& error, size_t n);
  void OnWatch(Self self, const ErrorCode& error);
  void OnWrite(Self self, const ErrorCode& error, size_t n);
  void Pump(Self self);
  bool WriteSome();
  bool ShutIfDone();

  // Constant after construction. First, because the socket's io_context lives as long as this.
  const std::shared_ptr<IoThread> thread_;

  StreamSocket socket_;
  HandlerMemory read_memory_;
  HandlerMemory write_memory_;
  std::unique_ptr<ClientMachine> machine_;
  size_t place_ = 0;  // in the thread's list

  bool open_ = false;
  bool reading_ = false;  // in flight, or about to be started
  bool watching_ = false;
  bool writing_ = false;
  bool parking_ = false;  // the read in flight was cancelled to give its buffer back
};

}  // namespace lapse
