// The wire limit: two servers that parse requests with the parser of protocol/ and answer
// constants. What they cost a command is what any server of this shape must pay to the kernel, to
// the parser and to its event loop; what Lapse costs above it is Lapse's.
//
//   limit-asio    the shape of server/net: async_read_some, all replies in one inline write_some,
//                 one io_context to a thread, recycled handler memory
//   limit-epoll   the same over epoll, recv and send, with nothing in between
//
//   GET -> a bulk of 64 bytes      INCR -> :1      anything else -> +OK
//
// Both serve until they are told to end by a signal.
//
// Thread: the main thread; `threads` of them serve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "protocol/buffer.h"
#include "protocol/limits.h"
#include "protocol/request_parser.h"

namespace lapse::wire {

// A connection's bytes in and out, without the socket.
class ConstantReplies {
 public:
  // The size of Lapse's read buffer and its largest batch, so that reads are cut alike.
  static constexpr size_t kReadBytes = size_t{16} << 10;
  static constexpr size_t kLeastRoom = size_t{4} << 10;
  static constexpr size_t kMaxBatch = 256;

  std::span<char> PrepareRead();
  // Parses n more bytes and appends the replies. Returns false when the client broke the protocol.
  bool OnBytes(size_t n, RequestBatch& batch);

  Buffer& output() { return output_; }

 private:
  RequestParser parser_{ProtocolLimits{}};
  Buffer input_;
  Buffer output_;
};

struct LimitOptions {
  int port = 0;
  int threads = 1;
};

// A socket that listens on 127.0.0.1, without blocking; -1 when the port is taken.
int ListenOn(int port);

int ServeByAsio(const LimitOptions& options);
int ServeByEpoll(const LimitOptions& options);

// "asio|epoll --port N [--threads N]".
int RunLimit(std::span<const std::string> words);

}  // namespace lapse::wire
