#include "server/net/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "boost/asio/bind_allocator.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/post.hpp"
#include "server/net/io_thread.h"

namespace lapse {
namespace {

namespace asio = boost::asio;

// Probes of an idle peer: the first after `seconds`, then three at a third of that, as Redis does.
void SetKeepalive(int fd, int64_t seconds) {
  const int on = 1;
  const int idle = static_cast<int>(seconds);
  const int interval = idle >= 3 ? idle / 3 : 1;
  const int probes = 3;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

template <typename Handler>
auto Recycled(HandlerMemory& memory, Handler&& handler) {
  return asio::bind_allocator(HandlerAllocator<char>(memory), std::forward<Handler>(handler));
}

}  // namespace

Connection::Connection(std::shared_ptr<IoThread> thread)
    : thread_(std::move(thread)), socket_(thread_->executor()) {}

Connection::~Connection() = default;

void Connection::Open(const AcceptedSocket& accepted, int64_t keepalive_seconds) {
  ErrorCode error;
  socket_.assign(accepted.protocol, accepted.fd, error);
  if (error) {
    ::close(accepted.fd);
    thread_->Forget(*this);
    return;
  }
  socket_.non_blocking(true, error);
  open_ = true;
  Configure(accepted, keepalive_seconds);
  Pump(shared_from_this());
}

void Connection::Configure(const AcceptedSocket& accepted, int64_t keepalive_seconds) {
  const int fd = socket_.native_handle();
  if (!accepted.unix_socket) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (keepalive_seconds > 0) SetKeepalive(fd, keepalive_seconds);
  }
  machine_ = std::make_unique<ClientMachine>(thread_->bench(), shared_from_this());
  Session& session = machine_->session();
  session.fd = fd;
  session.address = accepted.address;
  session.local_address = accepted.local_address;
  session.unix_socket = accepted.unix_socket;
  machine_->List();
}

void Connection::Shut() {
  if (!std::exchange(open_, false)) return;
  // Without an operation in flight nobody but the session may hold this object.
  const Self keep = shared_from_this();
  // Whoever sees the connection's end finds it gone from the lists, too.
  machine_->Unlist();
  thread_->Forget(*this);
  ErrorCode ignored;
  socket_.close(ignored);
}

// Has the thread handle an event: now, or when it has finished with the one before.
template <typename Event>
void Connection::Handle(Event event) {
  if (thread_->is_waiting(this)) [[unlikely]] {
    thread_->PutOff([self = shared_from_this(), event = std::move(event)]() mutable {
      Connection& connection = *self;
      connection.Handle(std::move(event));
    });
    return;
  }
  const IoThread::Handling handling(*thread_, this);
  event();
}

template <typename Event>
void Connection::Post(Event event) {
  asio::post(thread_->executor(),
             [self = shared_from_this(), event = std::move(event)]() mutable {
               Connection& connection = *self;
               connection.Handle([self = std::move(self), event = std::move(event)]() mutable {
                 if (self->open_) event(std::move(self));
               });
             });
}

void Connection::Resume(std::function<void(ReplyWriter&)> write_reply) {
  Post([write_reply = std::move(write_reply)](Self self) {
    Connection& connection = *self;
    connection.machine_->OnResume(write_reply);
    connection.Pump(std::move(self));
  });
}

void Connection::Push(std::function<void(ReplyWriter&)> write_push) {
  Post([write_push = std::move(write_push)](Self self) {
    Connection& connection = *self;
    connection.machine_->OnPush(write_push);
    connection.Pump(std::move(self));
  });
}

void Connection::Close() {
  Post([](Self self) { self->Shut(); });
}

void Connection::StartRead(Self self) {
  reading_ = false;
  if (!open_) return;
  if (!machine_->wants_read()) {
    Pump(std::move(self));
    return;
  }
  const std::span<char> room = machine_->PrepareRead();
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(room.data(), room.size()),
      Recycled(read_memory_, [self = std::move(self)](const ErrorCode& error, size_t n) mutable {
        Connection& connection = *self;
        connection.Handle([self = std::move(self), error, n]() mutable {
          Connection& connection = *self;
          connection.OnRead(std::move(self), error, n);
        });
      }));
}

void Connection::StartWatch(Self self) {
  watching_ = true;
  socket_.async_wait(
      StreamSocket::wait_read,
      Recycled(read_memory_, [self = std::move(self)](const ErrorCode& error) mutable {
        Connection& connection = *self;
        connection.Handle([self = std::move(self), error]() mutable {
          Connection& connection = *self;
          connection.OnWatch(std::move(self), error);
        });
      }));
}

void Connection::StartWrite(Self self) {
  const std::string_view output = machine_->output();
  writing_ = true;
  socket_.async_write_some(
      asio::buffer(output.data(), output.size()),
      Recycled(write_memory_, [self = std::move(self)](const ErrorCode& error, size_t n) mutable {
        Connection& connection = *self;
        connection.Handle([self = std::move(self), error, n]() mutable {
          Connection& connection = *self;
          connection.OnWrite(std::move(self), error, n);
        });
      }));
}

void Connection::OnRead(Self self, const ErrorCode& error, size_t n) {
  reading_ = false;
  const bool parked = std::exchange(parking_, false);
  if (!open_) return;
  if (error == asio::error::operation_aborted && parked) {
    if (machine_->can_release()) machine_->ReleaseBuffers();
    StartWatch(std::move(self));
    return;
  }
  if (error) {
    Shut();
    return;
  }
  machine_->OnBytes(n);
  Pump(std::move(self));
}

void Connection::OnWatch(Self self, const ErrorCode& error) {
  watching_ = false;
  if (!open_) return;
  if (error) {
    Shut();
    return;
  }
  // Without room Pump decides anew what to wait for.
  if (machine_->wants_read() || machine_->wants_watch()) {
    const std::span<char> room = machine_->PrepareRead();
    ErrorCode read_error;
    const size_t n = socket_.read_some(asio::buffer(room.data(), room.size()), read_error);
    if (read_error && read_error != asio::error::would_block) {
      Shut();
      return;
    }
    if (n > 0) machine_->OnBytes(n);
  }
  Pump(std::move(self));
}

void Connection::OnWrite(Self self, const ErrorCode& error, size_t n) {
  writing_ = false;
  if (!open_) return;
  if (error) {
    Shut();
    return;
  }
  machine_->OnWritten(n);
  if (!machine_->output().empty() && machine_->fault() == ClientMachine::Fault::kNone) {
    // Through the reactor rather than inline, so that a client that reads as fast as its pipeline
    // of large replies is written does not keep the thread.
    StartWrite(self);
  }
  Pump(std::move(self));
}

// After any event: sends, and waits for what may come next.
void Connection::Pump(Self self) {
  if (!writing_ && !machine_->output().empty()) {
    if (!WriteSome()) return;
    if (!machine_->output().empty() && machine_->fault() == ClientMachine::Fault::kNone) {
      StartWrite(self);
    }
  }
  if (ShutIfDone() || reading_ || watching_) return;
  if (machine_->wants_read()) {
    reading_ = true;
    thread_->ReadLater(std::move(self));
  } else if (machine_->wants_watch()) {
    StartWatch(std::move(self));
  }
}

// One write of what the socket takes at once. Returns false when that ended the connection.
bool Connection::WriteSome() {
  const std::string_view output = machine_->output();
  ErrorCode error;
  const size_t n = socket_.write_some(asio::buffer(output.data(), output.size()), error);
  if (error && error != asio::error::would_block) {
    Shut();
    return false;
  }
  if (n > 0) machine_->OnWritten(n);
  return true;
}

bool Connection::ShutIfDone() {
  const bool faulty = machine_->fault() != ClientMachine::Fault::kNone;
  if (!faulty && !(machine_->closing() && machine_->output().empty())) return false;
  if (faulty) thread_->Report(*machine_);
  Shut();
  return true;
}

void Connection::OnSecond() {
  machine_->OnSecond();
  if (ShutIfDone()) return;
  if (reading_ && !parking_ && machine_->idle_seconds() >= kParkAfterSeconds &&
      machine_->can_release()) {
    parking_ = true;
    ErrorCode ignored;
    socket_.cancel(ignored);
  }
}

}  // namespace lapse
