// A client machine with its instance and a peer that lives in the same thread: what tests feed in
// comes out as the bytes that would go over the wire. No socket, no thread, and a clock that moves
// only when told.
//
// Thread: one.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/commands/families.h"
#include "server/net/client_machine.h"
#include "server/net/workbench.h"
#include "server/services/services.h"
#include "storage/clock.h"

namespace lapse {

// Keeps what a resumer is told, for the test to pass on.
struct ResumeBox final : Resumer {
  void Resume(std::function<void(ReplyWriter&)> write_reply) override {
    answer = std::move(write_reply);
  }
  void Push(std::function<void(ReplyWriter&)> write_push) override {
    pushes.push_back(std::move(write_push));
  }
  void Close() override { closed = true; }

  std::vector<std::function<void(ReplyWriter&)>> pushes;
  std::function<void(ReplyWriter&)> answer;
  bool closed = false;
};

struct Bench {
  explicit Bench(Config config = {})
      : instance(std::move(config), clock, AllCommandFamilies(), /*hash_seed=*/42),
        workbench(instance) {
    InstallServices(instance).IgnoreError();
  }

  ManualClock clock;
  Instance instance;
  Workbench workbench;
};

class WiredClient {
 public:
  explicit WiredClient(Bench& bench)
      : bench_(bench),
        box_(std::make_shared<ResumeBox>()),
        machine_(std::make_unique<ClientMachine>(bench.workbench, box_)) {
    machine_->session().address = "127.0.0.1:50000";
    machine_->List();
  }

  // Sends as much as the machine is willing to read, in pieces of at most `piece` bytes, and
  // returns what it would not take.
  std::string_view Send(std::string_view bytes, size_t piece = ~size_t{0}) {
    while (!bytes.empty() && (machine_->wants_read() || machine_->wants_watch())) {
      const std::span<char> room = machine_->PrepareRead();
      const size_t n = std::min({room.size(), bytes.size(), piece});
      if (n == 0) break;
      std::memcpy(room.data(), bytes.data(), n);
      machine_->OnBytes(n);
      bytes.remove_prefix(n);
    }
    return bytes;
  }

  // Reads up to `most` bytes of what the machine has to send.
  std::string Receive(size_t most = ~size_t{0}) {
    std::string received;
    while (received.size() < most && !machine_->output().empty()) {
      const std::string_view output = machine_->output().substr(0, most - received.size());
      received += output;
      machine_->OnWritten(output.size());
    }
    return received;
  }

  // Sends all and returns all replies, reading whenever the machine waits for that.
  std::string Exchange(std::string_view bytes, size_t piece = ~size_t{0}) {
    std::string received;
    for (;;) {
      const size_t before = bytes.size() + received.size() * 2;
      bytes = Send(bytes, piece);
      received += Receive();
      if (bytes.empty() || bytes.size() + received.size() * 2 == before) return received;
    }
  }

  // Steps expiry until the blocked session's answer is there, and passes it on.
  bool AwaitAnswer() {
    constexpr int kMaxDrives = 100'000;
    for (int i = 0; i < kMaxDrives && !box_->answer; ++i) {
      int64_t rest_us = bench_.instance.expiry.Drive(0, 1, true);
      rest_us = Services::Of(bench_.instance).Drive(rest_us);
      if (rest_us > 0) bench_.clock.AdvanceMs((rest_us + 999) / 1000);
    }
    if (!box_->answer) return false;
    machine_->OnResume(std::exchange(box_->answer, nullptr));
    return true;
  }

  ClientMachine& machine() { return *machine_; }
  ResumeBox& box() { return *box_; }
  void HangUp() { machine_.reset(); }

 private:
  Bench& bench_;
  std::shared_ptr<ResumeBox> box_;
  std::unique_ptr<ClientMachine> machine_;
};

// A request as client libraries send it.
inline std::string Request(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return bytes;
}

}  // namespace lapse
