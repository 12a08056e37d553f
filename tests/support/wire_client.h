// A blocking client over a real socket, as simple as one can be: send bytes, read replies.
//
// Every read and write gives up after kPatience, which then looks like a connection that has ended.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/buffer.h"
#include "protocol/reply.h"
#include "protocol/reply_parser.h"

namespace lapse {

class WireClient {
 public:
  WireClient() = default;
  // Connects, and fails the test when it cannot.
  explicit WireClient(int port);
  ~WireClient();
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;

  bool Connect(int port, const std::string& address = "127.0.0.1");
  bool ConnectUnix(const std::string& path);
  void Close();
  int fd() const { return fd_; }

  // A request as client libraries send it.
  static std::string Encode(const std::vector<std::string>& words);

  // False when the connection has ended.
  bool Send(std::string_view bytes);
  // The next reply; nullopt when the connection ends before.
  std::optional<Reply> Read();
  // Sends a request and reads its reply; an error reply with an empty text when the connection
  // ends.
  Reply Call(const std::vector<std::string>& words);
  // Whether the server has hung up, after whatever replies are still to come.
  bool ReadsEnd();

 private:
  bool Receive();

  int fd_ = -1;
  Buffer input_;
  ReplyParser parser_;
};

}  // namespace lapse
