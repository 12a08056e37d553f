// limit-asio: the socket shell of server/net around constant replies. What differs from there is
// what a server needs and a limit does not: idleness, limits, blocked sessions.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "bench/lab/wire_limit.h"
#include "boost/asio/basic_socket_acceptor.hpp"
#include "boost/asio/bind_allocator.hpp"
#include "boost/asio/buffer.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/post.hpp"
#include "fmt/format.h"
#include "server/net/handler_memory.h"
#include "server/net/sockets.h"

namespace lapse::wire {
namespace {

namespace asio = boost::asio;

// One io_context, and the batch that its connections share.
struct Loop {
  asio::io_context io{1};
  RequestBatch batch;
};

class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer(Loop& loop, int fd)
      : loop_(loop), socket_(loop.io.get_executor(), StreamProtocol(AF_INET, IPPROTO_TCP), fd) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    ErrorCode ignored;
    socket_.non_blocking(true, ignored);
  }

  void StartRead(std::shared_ptr<Peer> self) {
    const std::span<char> room = replies_.PrepareRead();
    auto handler = [self = std::move(self)](const ErrorCode& error, size_t n) mutable {
      Peer& peer = *self;
      if (!error) peer.OnRead(std::move(self), n);
    };
    socket_.async_read_some(
        asio::buffer(room.data(), room.size()),
        asio::bind_allocator(HandlerAllocator<char>(memory_), std::move(handler)));
  }

 private:
  void OnRead(std::shared_ptr<Peer> self, size_t n) {
    if (!replies_.OnBytes(n, loop_.batch)) return;
    Buffer& output = replies_.output();
    if (!output.empty()) {
      ErrorCode error;
      const size_t sent = socket_.write_some(asio::buffer(output.data(), output.size()), error);
      if (error && error != asio::error::would_block) return;
      output.Consume(sent);
    }
    Continue(std::move(self));
  }

  void StartWrite(std::shared_ptr<Peer> self) {
    Buffer& output = replies_.output();
    auto handler = [self = std::move(self)](const ErrorCode& error, size_t n) mutable {
      Peer& peer = *self;
      if (error) return;
      peer.replies_.output().Consume(n);
      peer.Continue(std::move(self));
    };
    socket_.async_write_some(
        asio::buffer(output.data(), output.size()),
        asio::bind_allocator(HandlerAllocator<char>(memory_), std::move(handler)));
  }

  void Continue(std::shared_ptr<Peer> self) {
    if (replies_.output().empty()) {
      StartRead(std::move(self));
    } else {
      StartWrite(std::move(self));
    }
  }

  Loop& loop_;
  StreamSocket socket_;
  HandlerMemory memory_;
  ConstantReplies replies_;
};

using Acceptor = asio::basic_socket_acceptor<StreamProtocol, IoExecutor>;

// Accepts on the first loop and deals the connections out.
class Door {
 public:
  Door(std::vector<std::unique_ptr<Loop>>& loops, int listener)
      : loops_(loops),
        acceptor_(loops[0]->io.get_executor(), StreamProtocol(AF_INET, IPPROTO_TCP), listener) {}

  void Wait() {
    acceptor_.async_wait(Acceptor::wait_read, [this](const ErrorCode& error) {
      if (error) return;
      AcceptAll();
      Wait();
    });
  }

 private:
  void AcceptAll() {
    for (;;) {
      const int fd =
          accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      Loop& loop = *loops_[next_++ % loops_.size()];
      asio::post(loop.io, [&loop, fd] {
        auto peer = std::make_shared<Peer>(loop, fd);
        peer->StartRead(peer);
      });
    }
  }

  std::vector<std::unique_ptr<Loop>>& loops_;
  Acceptor acceptor_;
  size_t next_ = 0;
};

}  // namespace

int ServeByAsio(const LimitOptions& options) {
  const int listener = ListenOn(options.port);
  if (listener < 0) {
    fmt::print(stderr, "cannot listen on port {}\n", options.port);
    return 1;
  }
  std::vector<std::unique_ptr<Loop>> loops;
  for (int i = 0; i < options.threads; ++i) loops.push_back(std::make_unique<Loop>());
  Door door(loops, listener);
  door.Wait();
  const auto serve = [](Loop& loop) {
    const auto guard = asio::make_work_guard(loop.io);
    loop.io.run();
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < loops.size(); ++i) threads.emplace_back(serve, std::ref(*loops[i]));
  serve(*loops[0]);
  return 0;
}

}  // namespace lapse::wire
