#include "bench/lab/wire_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace lapse::wire {

int64_t ReplyCounter::Count(std::string_view bytes) {
  int64_t done = 0;
  while (!bytes.empty()) {
    if (body_left_ > 0) {
      const auto taken = std::min<size_t>(bytes.size(), static_cast<size_t>(body_left_));
      bytes.remove_prefix(taken);
      body_left_ -= static_cast<int64_t>(taken);
      done += body_left_ == 0;
      continue;
    }
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) {
      if (header_.size() < kMaxHeaderBytes) header_ += bytes;
      break;
    }
    if (header_.empty()) {
      done += EndOfHeader(bytes.substr(0, end));
    } else {
      header_ += bytes.substr(0, end);
      done += EndOfHeader(std::exchange(header_, {}));
    }
    bytes.remove_prefix(end + 1);
  }
  return done;
}

// Returns 1 when the reply ends with its header.
int64_t ReplyCounter::EndOfHeader(std::string_view line) {
  if (line.empty()) return 0;
  if (line[0] == '$' && line[1] != '-') {
    int64_t length = 0;
    for (size_t i = 1; i < line.size() && line[i] >= '0' && line[i] <= '9'; ++i) {
      length = length * 10 + (line[i] - '0');
    }
    body_left_ = length + 2;
    return 0;
  }
  if (line[0] == '-') {
    ++errors_;
    if (first_error_.empty()) first_error_ = line.substr(1, line.size() - 2);
  }
  return 1;
}

void AppendRequest(std::span<const std::string_view> words, std::string& out) {
  out += fmt::format("*{}\r\n", words.size());
  for (const std::string_view word : words) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
}

void AppendRequest(std::initializer_list<std::string_view> words, std::string& out) {
  AppendRequest(std::span(words.begin(), words.size()), out);
}

int ConnectTo(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

absl::StatusOr<Client> Client::Connect(int port) {
  const int fd = ConnectTo(port);
  if (fd < 0) return absl::UnavailableError(fmt::format("cannot connect to port {}", port));
  const timeval patience{.tv_sec = kPatienceSeconds, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  return Client(fd);
}

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      parser_(std::move(other.parser_)),
      input_(std::move(other.input_)),
      replies_ahead_(other.replies_ahead_),
      counter_(std::move(other.counter_)) {}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Client::Send(std::string_view requests) {
  while (!requests.empty()) {
    const ssize_t n = send(fd_, requests.data(), requests.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return absl::UnavailableError(fmt::format("sending: {}", std::strerror(errno)));
    requests.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> Client::Receive(char* to, size_t room) {
  for (;;) {
    const ssize_t n = recv(fd_, to, room, 0);
    if (n > 0) return static_cast<size_t>(n);
    if (n < 0 && errno == EINTR) continue;
    return absl::UnavailableError(n == 0 ? "the server hung up" : "no answer in time");
  }
}

absl::Status Client::AwaitReplies(int64_t n) {
  std::vector<char> piece(kReadBytes);
  while (replies_ahead_ < n) {
    const absl::StatusOr<size_t> got = Receive(piece.data(), piece.size());
    if (!got.ok()) return got.status();
    replies_ahead_ += counter_.Count({piece.data(), *got});
  }
  replies_ahead_ -= n;
  if (counter_.errors() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(counter_.first_error());
}

Reply Client::Call(std::initializer_list<std::string_view> words) {
  std::string request;
  AppendRequest(words, request);
  Reply reply;
  const auto broken = [&reply](const absl::Status& status) {
    reply = {.type = ReplyType::kError, .text = std::string(status.message())};
    return reply;
  };
  if (const absl::Status status = Send(request); !status.ok()) return broken(status);
  std::vector<char> piece(kReadBytes);
  for (;;) {
    size_t consumed = 0;
    const ReplyParser::Result result = parser_.Parse(input_, consumed, reply);
    input_.erase(0, consumed);
    if (result == ReplyParser::Result::kReply) return reply;
    if (result == ReplyParser::Result::kError) {
      return broken(absl::DataLossError(std::string(parser_.error())));
    }
    const absl::StatusOr<size_t> got = Receive(piece.data(), piece.size());
    if (!got.ok()) return broken(got.status());
    input_.append(piece.data(), *got);
  }
}

std::map<std::string, std::string> Client::Info() {
  std::map<std::string, std::string> out;
  const Reply reply = Call({"INFO"});
  if (!reply.IsText() || reply.IsError()) return out;
  const std::vector<std::string> lines = absl::StrSplit(reply.text, "\r\n", absl::SkipEmpty());
  for (const std::string& line : lines) {
    const size_t colon = line.find(':');
    if (colon != std::string::npos) out.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  return out;
}

}  // namespace lapse::wire
