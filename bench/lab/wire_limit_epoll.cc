// limit-epoll: an event loop with nothing in it that a server could do without.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "bench/lab/wire_limit.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr int kMaxEvents = 256;

struct Peer {
  int fd = -1;
  ConstantReplies replies;
  bool writing = false;  // waits for room instead of requests
};

void Drop(Peer* peer) {
  close(peer->fd);
  delete peer;
}

// One thread's loop. The first one also accepts, and deals the connections out.
class Loop {
 public:
  Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  void Listen(int listener, std::vector<std::unique_ptr<Loop>>& loops) {
    listener_ = listener;
    loops_ = &loops;
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &event);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, kMaxEvents> events{};
    for (;;) {
      const int ready = epoll_wait(epoll_, events.data(), kMaxEvents, -1);
      for (int i = 0; i < ready; ++i) {
        auto* const peer = static_cast<Peer*>(events[static_cast<size_t>(i)].data.ptr);
        if (peer == nullptr) {
          Accept();
        } else if (!Serve(*peer)) {
          Drop(peer);
        }
      }
    }
  }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      auto peer = std::make_unique<Peer>();
      peer->fd = fd;
      epoll_event event{.events = EPOLLIN, .data = {.ptr = peer.get()}};
      epoll_ctl((*loops_)[next_++ % loops_->size()]->epoll_, EPOLL_CTL_ADD, fd, &event);
      // From here on the loop that it was dealt to owns it.
      [[maybe_unused]] const Peer* const dealt = peer.release();
    }
  }

  // Returns false when the connection is over.
  bool Serve(Peer& peer) {
    if (peer.writing) return Send(peer);
    const std::span<char> room = peer.replies.PrepareRead();
    const ssize_t n = recv(peer.fd, room.data(), room.size(), 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0 || !peer.replies.OnBytes(static_cast<size_t>(n), batch_)) return false;
    return Send(peer);
  }

  bool Send(Peer& peer) {
    Buffer& output = peer.replies.output();
    if (output.empty()) return true;
    const ssize_t n = send(peer.fd, output.data(), output.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (n > 0) output.Consume(static_cast<size_t>(n));
    const bool writing = !output.empty();
    if (writing != std::exchange(peer.writing, writing)) {
      epoll_event event{.events = writing ? EPOLLOUT : EPOLLIN, .data = {.ptr = &peer}};
      epoll_ctl(epoll_, EPOLL_CTL_MOD, peer.fd, &event);
    }
    return true;
  }

  const int epoll_;
  int listener_ = -1;
  std::vector<std::unique_ptr<Loop>>* loops_ = nullptr;
  size_t next_ = 0;
  RequestBatch batch_;
};

}  // namespace

int ServeByEpoll(const LimitOptions& options) {
  const int listener = ListenOn(options.port);
  if (listener < 0) {
    fmt::print(stderr, "cannot listen on port {}\n", options.port);
    return 1;
  }
  std::vector<std::unique_ptr<Loop>> loops;
  for (int i = 0; i < options.threads; ++i) loops.push_back(std::make_unique<Loop>());
  loops[0]->Listen(listener, loops);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < loops.size(); ++i) threads.emplace_back([&loops, i] { loops[i]->Run(); });
  loops[0]->Run();
}

}  // namespace lapse::wire
