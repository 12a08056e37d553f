#include "bench/lab/wire_requests.h"

#include <algorithm>
#include <cstring>

#include "fmt/format.h"

namespace lapse::wire {
namespace {

constexpr size_t kKeyDigits = 12;
constexpr size_t kHotDigits = 6;
// One SET to ten GETs.
constexpr int64_t kMixed = 11;
constexpr int64_t kLoadPipeline = 1000;

std::string_view CommandOf(const std::string& test, int64_t position) {
  if (test == "mixed") return position % kMixed == 0 ? "set" : "get";
  return test;
}

void AppendCommand(std::string_view command, std::string_view key, std::string& out) {
  const std::string value(kValueBytes, 'v');
  if (command == "get") {
    AppendRequest({"GET", key}, out);
  } else if (command == "set") {
    AppendRequest({"SET", key, value}, out);
  } else if (command == "setex") {
    AppendRequest({"SET", key, value, "EX", "3600"}, out);
  } else {
    AppendRequest({"INCR", key}, out);
  }
}

}  // namespace

std::string_view PrefixOf(const std::string& test) {
  if (test == "setex") return "tmp:";
  return test == "incr" ? "cnt:" : "key:";
}

std::string KeyName(std::string_view prefix, int64_t number) {
  return fmt::format("{}{:0{}}", prefix, number, kKeyDigits);
}

RequestSource::RequestSource(const std::string& test, int64_t pipeline, int64_t keys)
    : pipeline_(pipeline), keys_(static_cast<uint32_t>(std::min(keys, kMaxHotKeys))) {
  for (int i = 0; i < 1000; ++i) {
    const std::string text = fmt::format("{:03}", i);
    triples_.push_back({text[0], text[1], text[2]});
  }
  const std::string key = KeyName(PrefixOf(test), 0);
  const int64_t variants = test == "mixed" ? kMixed : 1;
  for (int64_t variant = 0; variant < variants; ++variant) {
    Batch batch;
    for (int64_t i = 0; i < pipeline; ++i) {
      const size_t begin = batch.bytes.size();
      AppendCommand(CommandOf(test, variant * pipeline + i), key, batch.bytes);
      const size_t at = batch.bytes.find(key, begin) + key.size() - kHotDigits;
      batch.digits.push_back(static_cast<uint32_t>(at));
    }
    batches_.push_back(std::move(batch));
  }
}

// xorshift64*: a few instructions, and good enough to pick keys.
uint32_t RequestSource::Random() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return static_cast<uint32_t>((state_ * 0x2545f4914f6cdd1d) >> 32);
}

std::string_view RequestSource::Next() {
  Batch& batch = batches_[turn_];
  if (++turn_ == batches_.size()) turn_ = 0;
  for (const uint32_t at : batch.digits) {
    const auto number = static_cast<uint32_t>((uint64_t{Random()} * keys_) >> 32);
    std::memcpy(batch.bytes.data() + at, triples_[number / 1000].data(), 3);
    std::memcpy(batch.bytes.data() + at + 3, triples_[number % 1000].data(), 3);
  }
  return batch.bytes;
}

absl::Status ForEachKey(Client& client, int64_t count,
                        const std::function<void(int64_t number, std::string& out)>& append) {
  std::string requests;
  int64_t owed = 0;
  for (int64_t low = 0; low < count; low += kLoadPipeline) {
    const int64_t high = std::min(count, low + kLoadPipeline);
    requests.clear();
    for (int64_t i = low; i < high; ++i) append(i, requests);
    // The batch before has had the time it took to build this one.
    absl::Status status = client.AwaitReplies(owed);
    if (status.ok()) status = client.Send(requests);
    if (!status.ok()) return status;
    owed = high - low;
  }
  return client.AwaitReplies(owed);
}

absl::Status Load(Client& client, const Filling& filling) {
  return ForEachKey(client, filling.count, [&filling](int64_t i, std::string& out) {
    const std::string key = KeyName(filling.prefix, filling.first + i);
    const std::string value = filling.counters ? "1" : fmt::format("{:0{}}", i * 61, kValueBytes);
    const int64_t deadline = filling.deadline_ms ? filling.deadline_ms(i) : 0;
    if (deadline == 0) {
      AppendRequest({"SET", key, value}, out);
    } else {
      AppendRequest({"SET", key, value, "PXAT", std::to_string(deadline)}, out);
    }
  });
}

}  // namespace lapse::wire
