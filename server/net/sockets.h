// The socket types of this layer.
//
// One type serves TCP and Unix sockets (the protocol is a run-time value), so that there is one
// connection class and not two instantiations of it. Executors are the io_context's own type and
// not the type-erased default, which costs an indirect call and an allocation at each completion.
//
// Thread: types alone.
#pragma once

#include <string>

#include "boost/asio/basic_stream_socket.hpp"
#include "boost/asio/basic_waitable_timer.hpp"
#include "boost/asio/generic/stream_protocol.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/steady_timer.hpp"

namespace lapse {

using IoExecutor = boost::asio::io_context::executor_type;
using StreamProtocol = boost::asio::generic::stream_protocol;
using StreamSocket = boost::asio::basic_stream_socket<StreamProtocol, IoExecutor>;
using IoTimer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, IoExecutor>;
using ErrorCode = boost::system::error_code;

// An accepted connection on its way to the thread that will serve it.
struct AcceptedSocket {
  int fd = -1;  // owned by whoever holds this
  StreamProtocol protocol{0, 0};
  std::string address;        // the peer's, as CLIENT LIST shows it
  std::string local_address;  // ours
  bool unix_socket = false;
};

}  // namespace lapse
