#include "tests/remote_wire/bed.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fmt/format.h"
#include "protocol/buffer.h"
#include "protocol/reply_parser.h"

namespace lapse {

std::unique_ptr<ServerProcess> StartRedis(std::vector<std::string> words, std::optional<int> port) {
  const std::optional<ServerProgram> program = ReferenceServer();
  if (!program) return nullptr;
  std::vector<std::string> all = {"--save", "", "--enable-debug-command", "yes"};
  all.insert(all.end(), words.begin(), words.end());
  auto server = std::make_unique<ServerProcess>(all, port, *program);
  return server;
}

int Fill(WireClient& client, const Keys& keys) {
  client.Call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  if (keys.db != 0) client.Call({"SELECT", std::to_string(keys.db)});
  const std::string value(100, 'v');
  constexpr int kBatch = 1000;
  int expired = 0;
  for (int from = 0; from < keys.live + keys.expired; from += kBatch) {
    const int to = std::min(from + kBatch, keys.live + keys.expired);
    std::string requests;
    for (int i = from; i < to; ++i) {
      std::vector<std::string> words = {"SET", fmt::format("key:{}", i), value};
      if (i >= keys.live) words.insert(words.end(), {"PX", "1"});
      requests += WireClient::Encode(words);
    }
    EXPECT_TRUE(client.Send(requests));
    for (int i = from; i < to; ++i) {
      const std::optional<Reply> reply = client.Read();
      if (!reply) return expired;
      if (i >= keys.live && *reply == "OK") ++expired;
    }
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return expired;
}

int Fill(const ServerProcess& server, const Keys& keys, const std::string& password) {
  WireClient client(server.port());
  if (!password.empty()) client.Call({"AUTH", password});
  return Fill(client, keys);
}

int64_t KeyCount(const ServerProcess& server, int db) {
  WireClient client(server.port());
  if (db != 0) client.Call({"SELECT", std::to_string(db)});
  return client.Call({"DBSIZE"}).AsInteger(-1);
}

RemoteTarget Target(const std::string& url) {
  absl::StatusOr<RemoteTarget> target = ParseRemoteUrl(url);
  EXPECT_TRUE(target.ok()) << target.status();
  return target.value_or(RemoteTarget{});
}

std::string UrlOf(const ServerProcess& server, const std::string& user) {
  return fmt::format("redis://{}127.0.0.1:{}", user.empty() ? "" : user + "@", server.port());
}

RunningFlush::RunningFlush(RemoteTarget target, RemoteFlushOptions options) {
  result_ = std::async(std::launch::async, [this, target, options] {
    return FlushRemote(
        target, options,
        [this](const RemoteFlushProgress& progress) { fraction_ = progress.fraction; },
        stop_.get_token());
  });
}

RunningFlush::~RunningFlush() {
  Stop();
  if (result_.valid()) result_.wait();
}

bool RunningFlush::WaitForProgress() {
  return Eventually([this] { return fraction_ > 0; }) && fraction_ < 1;
}

FakeServer::FakeServer(Answer answer) : answer_(std::move(answer)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(listen(listener_, 16), 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

FakeServer::~FakeServer() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : clients_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : serving_) thread.join();
  for (const int fd : clients_) close(fd);
  close(listener_);
}

void FakeServer::Accept() {
  for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    const std::lock_guard lock(mutex_);
    clients_.push_back(fd);
    serving_.emplace_back([this, fd] { Serve(fd); });
  }
}

void FakeServer::Serve(int fd) const {
  constexpr size_t kRead = 4096;
  Buffer input;
  ReplyParser parser;  // a request is an array of texts
  for (;;) {
    Reply request;
    size_t consumed = 0;
    const ReplyParser::Result result = parser.Parse(input.view(), consumed, request);
    input.Consume(consumed);
    if (result == ReplyParser::Result::kReply) {
      std::vector<std::string> words;
      for (const Reply& word : request.elements) words.push_back(word.text);
      const std::optional<std::string> answer = answer_(words);
      if (!answer) break;
      if (send(fd, answer->data(), answer->size(), MSG_NOSIGNAL) < 0) break;
      continue;
    }
    const ssize_t n = recv(fd, input.Prepare(kRead), kRead, 0);
    if (n <= 0 || result == ReplyParser::Result::kError) break;
    input.Commit(static_cast<size_t>(n));
  }
  shutdown(fd, SHUT_RDWR);
}

std::string BulkText(const std::string& text) {
  return fmt::format("${}\r\n{}\r\n", text.size(), text);
}

}  // namespace lapse
