#include "tests/support/wire_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/server_process.h"

namespace lapse {
namespace {

constexpr size_t kReadBytes = 65536;

void SetPatience(int fd) {
  const timeval patience = {kPatience.count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

}  // namespace

WireClient::WireClient(int port) { EXPECT_TRUE(Connect(port)) << "port " << port; }

WireClient::~WireClient() { Close(); }

void WireClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  input_.Clear();
  parser_ = ReplyParser();
}

bool WireClient::Connect(int port, const std::string& address) {
  Close();
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &where.sin_addr);
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetPatience(fd_);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(fd_, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0) return true;
  Close();
  return false;
}

bool WireClient::ConnectUnix(const std::string& path) {
  Close();
  sockaddr_un where = {};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.data(), std::min(path.size(), sizeof(where.sun_path) - 1));
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetPatience(fd_);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&where), sizeof(where)) == 0) return true;
  Close();
  return false;
}

std::string WireClient::Encode(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return bytes;
}

bool WireClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool WireClient::Receive() {
  const ssize_t n = recv(fd_, input_.Prepare(kReadBytes), kReadBytes, 0);
  if (n <= 0) return false;
  input_.Commit(static_cast<size_t>(n));
  return true;
}

std::optional<Reply> WireClient::Read() {
  for (;;) {
    Reply reply;
    size_t consumed = 0;
    const ReplyParser::Result result = parser_.Parse(input_.view(), consumed, reply);
    input_.Consume(consumed);
    if (result == ReplyParser::Result::kReply) return reply;
    if (result == ReplyParser::Result::kError || !Receive()) return std::nullopt;
  }
}

Reply WireClient::Call(const std::vector<std::string>& words) {
  Reply failed;
  failed.type = ReplyType::kError;
  if (!Send(Encode(words))) return failed;
  return Read().value_or(failed);
}

bool WireClient::ReadsEnd() {
  while (Read()) {
  }
  char byte;
  const ssize_t n = recv(fd_, &byte, 1, 0);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace lapse
