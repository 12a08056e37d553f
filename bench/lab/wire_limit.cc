#include "bench/lab/wire_limit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "absl/strings/numbers.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr std::string_view kBulk =
    "$64\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n";
constexpr std::string_view kOne = ":1\r\n";
constexpr std::string_view kOk = "+OK\r\n";
constexpr int kBacklog = 511;

std::string_view AnswerTo(std::string_view command) {
  const char first = static_cast<char>(command[0] | 0x20);
  if (command.size() == 3 && first == 'g') return kBulk;
  return command.size() == 4 && first == 'i' ? kOne : kOk;
}

}  // namespace

std::span<char> ConstantReplies::PrepareRead() {
  char* const begin = input_.Prepare(input_.capacity() == 0 ? kReadBytes : kLeastRoom);
  return {begin, input_.capacity() - input_.size()};
}

bool ConstantReplies::OnBytes(size_t n, RequestBatch& batch) {
  input_.Commit(n);
  size_t taken = 0;
  auto result = RequestParser::Result::kBatchFull;
  while (result == RequestParser::Result::kBatchFull) {
    size_t consumed = 0;
    result = parser_.Parse(input_.view().substr(taken), kMaxBatch, batch, consumed);
    for (size_t i = 0; i < batch.size(); ++i) output_.Append(AnswerTo(batch[i][0]));
    taken += consumed;
  }
  input_.Consume(taken);
  return result != RequestParser::Result::kError;
}

int ListenOn(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      listen(fd, kBacklog) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

int RunLimit(std::span<const std::string> words) {
  LimitOptions options;
  bool sound = words.size() >= 3 && words.size() % 2 == 1;
  for (size_t i = 1; sound && i + 1 < words.size(); i += 2) {
    int* const field = words[i] == "--port"      ? &options.port
                       : words[i] == "--threads" ? &options.threads
                                                 : nullptr;
    sound = field != nullptr && absl::SimpleAtoi(words[i + 1], field) && *field > 0;
  }
  if (sound && words[0] == "asio") return ServeByAsio(options);
  if (sound && words[0] == "epoll") return ServeByEpoll(options);
  fmt::print(stderr, "usage: lapse-lab wire limit asio|epoll --port N [--threads N]\n");
  return 2;
}

}  // namespace lapse::wire
