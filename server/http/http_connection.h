// One connection of the HTTP port: reads a request, has it answered, writes the response, and so
// on, with a limit on everything that the other side decides.
//
//   handshake -> idle -> header -> body -> answer -> write -> idle ...
//
// Each step has a deadline for the whole of it, so that a client which sends a byte now and then
// gains nothing. Where a response can still be sent it says what was exceeded: 408, 413, 431; then
// the connection drains what is on its way for a moment, because closing a socket with unread bytes
// would take the response back.
//
// Thread: the HTTP server's own, but for the answer, which is made on a worker and posted back.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "server/http/message.h"
#include "server/http/site.h"
#include "server/http/worker_pool.h"

namespace lapse {

struct HttpLimits {
  uint32_t header_bytes = 16 * 1024;
  uint64_t body_bytes = 64 * 1024;
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds idle{60'000};     // between two requests
  std::chrono::milliseconds request{15'000};  // from a request's first byte to its last
  std::chrono::milliseconds write{30'000};
  std::chrono::milliseconds drain{2'000};
};

// What all connections share; outlives them.
struct HttpShared {
  HttpSite& site;
  WorkerPool& workers;
  const HttpLimits limits;
  boost::asio::ssl::context* tls = nullptr;  // nullptr: plain
};

class HttpConnection {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  virtual ~HttpConnection() = default;

  // Serves the socket until its end; on_end is called then, once.
  static std::shared_ptr<HttpConnection> Make(HttpShared& shared, Socket socket, HttpPeer peer,
                                              std::function<void(HttpConnection*)> on_end);
  virtual void Start() = 0;
  // Closes the socket; what was under way is abandoned.
  virtual void Close() = 0;
};

}  // namespace lapse
