// The lab's side of a connection: one blocking client for control and loading, and the counter of
// replies that generator and probe share.
//
// The counter looks at a reply only as far as finding its end takes, without a copy or an
// allocation: at a pipeline of 64 the client must be faster than the server, or it is the client
// that is measured. It knows one-line and bulk replies; whoever asks for more uses Call.
//
// Thread: one client belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "protocol/reply.h"
#include "protocol/reply_parser.h"

namespace lapse::wire {

// Counts replies in a stream of bytes, whatever its pieces.
class ReplyCounter {
 public:
  // Returns how many replies ended within `bytes`.
  int64_t Count(std::string_view bytes);

  int64_t errors() const { return errors_; }
  const std::string& first_error() const { return first_error_; }

 private:
  // A header is one line: a type, then a length, a number or a text.
  int64_t EndOfHeader(std::string_view line);

  static constexpr size_t kMaxHeaderBytes = 4096;

  std::string header_;     // the part of a line that came in an earlier piece
  int64_t body_left_ = 0;  // of a bulk, its CRLF included
  int64_t errors_ = 0;
  std::string first_error_;
};

// "*3\r\n$3\r\nSET..." of some words.
void AppendRequest(std::span<const std::string_view> words, std::string& out);
void AppendRequest(std::initializer_list<std::string_view> words, std::string& out);

// A connected TCP socket to 127.0.0.1, without delay; -1 when nobody listens there.
int ConnectTo(int port);

class Client {
 public:
  static absl::StatusOr<Client> Connect(int port);
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;
  ~Client();

  // One request, one reply. A connection that broke answers an error too.
  Reply Call(std::initializer_list<std::string_view> words);
  // A reply of several levels flattened to "name: value" pairs: INFO's lines.
  std::map<std::string, std::string> Info();
  int64_t CountKeys() { return Call({"DBSIZE"}).AsInteger(-1); }

  // Many requests at once; then as many replies, each one line or a bulk. Fails at error replies.
  absl::Status Send(std::string_view requests);
  absl::Status AwaitReplies(int64_t n);

 private:
  explicit Client(int fd) : fd_(fd) {}

  // Longer than any command here takes.
  static constexpr int kPatienceSeconds = 120;
  static constexpr size_t kReadBytes = size_t{64} << 10;

  absl::StatusOr<size_t> Receive(char* to, size_t room);

  int fd_;
  ReplyParser parser_;
  std::string input_;
  int64_t replies_ahead_ = 0;  // that AwaitReplies got beyond what it was asked for
  ReplyCounter counter_;
};

}  // namespace lapse::wire
