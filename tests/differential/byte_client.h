// A client's end of a connection, for tests that need the very bytes of a reply.
//
// Blocking, with a limit on how long a reply may take, so that a server that does not answer fails
// a test instead of hanging it.
//
// Thread: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/reply.h"
#include "protocol/reply_parser.h"

namespace lapse {

using Request = std::vector<std::string>;

// The request as clients send it: an array of bulk strings.
std::string Encode(const Request& request);

// The request as a line for redis-cli: SET "a key" "\x00".
std::string ToCommandLine(const Request& request);

struct Answer {
  std::string bytes;
  Reply reply;
};

class ByteClient {
 public:
  // Connects to the loopback interface. A connection that fails is closed().
  explicit ByteClient(int port);
  ~ByteClient();
  ByteClient(const ByteClient&) = delete;
  ByteClient& operator=(const ByteClient&) = delete;

  // What cannot be sent because the server has closed is dropped; see closed().
  void Send(std::string_view bytes);

  // The next reply; nullopt when there will be none, error() says why.
  std::optional<Answer> Receive();

  // Waits until the server has sent nothing for so long, or has closed, and returns what it has
  // sent since the last call.
  std::string ReceiveUntilSilence(int silence_ms);

  bool closed() const { return closed_; }
  const std::string& error() const { return error_; }

 private:
  // Appends what has arrived to input_. False: nothing came within so long, or ever will.
  bool Read(int timeout_ms);

  int fd_;
  bool closed_ = false;
  std::string input_;
  std::string error_;
  ReplyParser parser_;
};

}  // namespace lapse
