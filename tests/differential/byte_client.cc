#include "tests/differential/byte_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <iterator>
#include <utility>

namespace lapse {
namespace {

constexpr int kReplyTimeMs = 20'000;
constexpr size_t kReadBytes = size_t{64} << 10;

bool IsPlain(std::string_view word) {
  for (const char c : word) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\'' || c == '\\') return false;
  }
  return !word.empty();
}

}  // namespace

std::string Encode(const Request& request) {
  std::string bytes = fmt::format("*{}\r\n", request.size());
  for (const std::string& word : request) {
    fmt::format_to(std::back_inserter(bytes), "${}\r\n", word.size());
    bytes += word;
    bytes += "\r\n";
  }
  return bytes;
}

std::string ToCommandLine(const Request& request) {
  std::string line;
  for (const std::string& word : request) {
    if (!line.empty()) line += ' ';
    if (IsPlain(word)) {
      line += word;
      continue;
    }
    line += '"';
    for (const char c : word) {
      if (c == '"' || c == '\\') {
        line += '\\';
        line += c;
      } else if (c >= ' ' && c <= '~') {
        line += c;
      } else {
        fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    line += '"';
  }
  return line;
}

ByteClient::ByteClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    closed_ = true;
    error_ = "cannot connect";
  }
}

ByteClient::~ByteClient() { close(fd_); }

void ByteClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool ByteClient::Read(int timeout_ms) {
  if (closed_) return false;
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, timeout_ms) <= 0) return false;
  const size_t before = input_.size();
  input_.resize(before + kReadBytes);
  const ssize_t got = recv(fd_, input_.data() + before, kReadBytes, 0);
  // A server that closes without having read everything resets the connection: closed all the same.
  closed_ = got <= 0;
  input_.resize(before + static_cast<size_t>(got > 0 ? got : 0));
  return got > 0;
}

std::optional<Answer> ByteClient::Receive() {
  Answer answer;
  for (;;) {
    size_t consumed = 0;
    const auto result = parser_.Parse(input_, consumed, answer.reply);
    if (result == ReplyParser::Result::kError) {
      error_ = std::string(parser_.error()) + " in: " + input_.substr(0, 200);
      return std::nullopt;
    }
    answer.bytes.append(input_, 0, consumed);
    input_.erase(0, consumed);
    if (result == ReplyParser::Result::kReply) return answer;
    if (Read(kReplyTimeMs)) continue;
    error_ = closed_ ? "the server has closed the connection" : "no reply in time";
    return std::nullopt;
  }
}

std::string ByteClient::ReceiveUntilSilence(int silence_ms) {
  while (Read(silence_ms)) {
  }
  return std::exchange(input_, {});
}

}  // namespace lapse
