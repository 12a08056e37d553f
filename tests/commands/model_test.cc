// Random commands on strings and deadlines, against a std::map that does the same.
//
// Time moves in steps now and then, expired keys leave by whichever way comes first (a lookup, a
// scan, active expiry), and the replies must not tell the difference. What may differ is when a key
// is reported as expired, which must be once, and after its deadline.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "protocol/number.h"
#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

Reply Made(ReplyType type, std::string text = "", int64_t integer = 0) {
  Reply reply;
  reply.type = type;
  reply.text = std::move(text);
  reply.integer = integer;
  return reply;
}
Reply Nil() { return Made(ReplyType::kNull); }
Reply Ok() { return Made(ReplyType::kSimple, "OK"); }
Reply Int(int64_t value) { return Made(ReplyType::kInteger, "", value); }
Reply Bulk(std::string text) { return Made(ReplyType::kBulk, std::move(text)); }
Reply Error(std::string text) { return Made(ReplyType::kError, std::move(text)); }

// The reference: what Redis's manual says of each command, on a map.
class Model {
 public:
  struct Value {
    std::string text;
    int64_t deadline = kNoDeadline;
  };

  int64_t now_ms = 0;
  size_t expired = 0;  // keys that have left at their deadline

  Value* Find(const std::string& key) {
    const auto at = values_.find(key);
    if (at == values_.end()) return nullptr;
    if (now_ms <= at->second.deadline) return &at->second;
    values_.erase(at);
    ++expired;
    return nullptr;
  }
  void Store(const std::string& key, Value value) {
    Find(key);
    values_[key] = std::move(value);
  }
  bool Remove(const std::string& key) { return Find(key) != nullptr && values_.erase(key) > 0; }

  std::map<std::string, Value> Live() {
    expired +=
        std::erase_if(values_, [&](const auto& value) { return now_ms > value.second.deadline; });
    return values_;
  }

  Reply Get(const std::string& key) {
    const Value* value = Find(key);
    return value == nullptr ? Nil() : Bulk(value->text);
  }

  Reply PTtl(const std::string& key) {
    const Value* value = Find(key);
    if (value == nullptr) return Int(-2);
    return Int(value->deadline == kNoDeadline ? -1 : value->deadline - now_ms);
  }

  Reply Set(const std::string& key, const std::string& text, char option, int64_t ttl_ms) {
    Value* existing = Find(key);
    if (option == 'N' && existing != nullptr) return Nil();
    if (option == 'X' && existing == nullptr) return Nil();
    const Reply old = Get(key);
    const bool keep = option == 'K' && existing != nullptr;
    const int64_t kept = keep ? existing->deadline : kNoDeadline;
    Store(key, {text, ttl_ms > 0 ? now_ms + ttl_ms : kept});
    return option == 'G' ? old : Ok();
  }

  Reply IncrBy(const std::string& key, int64_t amount) {
    Value* value = Find(key);
    int64_t number = 0;
    if (value != nullptr && !ParseInt64(value->text, number))
      return Error("ERR value is not an integer or out of range");
    number += amount;  // the test keeps far from the bounds
    const int64_t deadline = value == nullptr ? kNoDeadline : value->deadline;
    Store(key, {std::to_string(number), deadline});
    return Int(number);
  }

  Reply Append(const std::string& key, const std::string& tail) {
    Value value = ValueOrEmpty(key);
    value.text += tail;
    Store(key, value);
    return Int(static_cast<int64_t>(value.text.size()));
  }

  Reply SetRange(const std::string& key, size_t offset, const std::string& bytes) {
    Value value = ValueOrEmpty(key);
    value.text.resize(std::max(value.text.size(), offset + bytes.size()));
    value.text.replace(offset, bytes.size(), bytes);
    Store(key, value);
    return Int(static_cast<int64_t>(value.text.size()));
  }

  Reply PExpire(const std::string& key, int64_t ttl_ms, const std::string& condition) {
    Value* value = Find(key);
    if (value == nullptr) return Int(0);
    const int64_t wanted = now_ms + ttl_ms;
    const bool has = value->deadline != kNoDeadline;
    if ((condition == "NX" && has) || (condition == "XX" && !has) ||
        (condition == "GT" && (!has || wanted <= value->deadline)) ||
        (condition == "LT" && has && wanted >= value->deadline)) {
      return Int(0);
    }
    if (ttl_ms <= 0)
      Remove(key);
    else
      value->deadline = wanted;
    return Int(1);
  }

  Reply Persist(const std::string& key) {
    Value* value = Find(key);
    if (value == nullptr || value->deadline == kNoDeadline) return Int(0);
    value->deadline = kNoDeadline;
    return Int(1);
  }

  Reply GetEx(const std::string& key, int64_t ttl_ms) {
    const Reply reply = Get(key);
    if (Value* value = Find(key)) value->deadline = now_ms + ttl_ms;
    return reply;
  }

  Reply GetDel(const std::string& key) {
    const Reply reply = Get(key);
    Remove(key);
    return reply;
  }

  Reply Rename(const std::string& from, const std::string& to) {
    const Value* value = Find(from);
    if (value == nullptr) return Error("ERR no such key");
    const Value moved = *value;
    Remove(from);
    Store(to, moved);
    return Ok();
  }

  Reply Copy(const std::string& from, const std::string& to) {
    const Value* value = Find(from);
    if (value == nullptr || Find(to) != nullptr) return Int(0);
    Store(to, *value);
    return Int(1);
  }

 private:
  Value ValueOrEmpty(const std::string& key) {
    const Value* value = Find(key);
    return value == nullptr ? Value{} : *value;
  }
  std::map<std::string, Value> values_;
};

// Counts expired keys and sees to it that none has gone early.
class ExpiryWatch final : public EffectSink {
 public:
  explicit ExpiryWatch(const Clock& clock) : clock_(clock) {}
  void OnEffect(const Effect& effect) override {
    if (effect.kind != EffectKind::kExpired) return;
    ++expired;
    EXPECT_GT(clock_.NowMs(), effect.deadline) << effect.key;
  }

  size_t expired = 0;

 private:
  const Clock& clock_;
};

class StringModelTest : public ::testing::TestWithParam<int> {
 protected:
  StringModelTest() : random_(static_cast<unsigned>(GetParam())) {
    model_.now_ms = db_.clock().NowMs();
    db_.instance().keyspace.effects().Add(&watch_);
  }

  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }
  std::string AnyKey() { return "key:" + std::to_string(Below(kKeys)); }
  std::string AnyText() {
    if (Below(3) == 0) return std::to_string(Below(2000) - 1000);
    // Mostly short, at times beyond what fits an entry.
    const int64_t size = Below(200) == 0 ? Below(9000) : Below(70);
    return std::string(static_cast<size_t>(size), static_cast<char>('a' + Below(26)));
  }
  int64_t AnyTtl() { return 1 + (Below(4) == 0 ? Below(20'000) : Below(400)); }

  void Expect(const std::vector<std::string>& words, const Reply& expected) {
    ASSERT_EQ(db_.Call(words), expected) << words[0] << ' ' << words[1];
  }

  void StepSet() {
    const std::string key = AnyKey();
    const std::string text = AnyText();
    const char option = "-NXKG"[Below(5)];
    const int64_t ttl_ms = option != 'K' && Below(2) == 0 ? AnyTtl() : 0;
    std::vector<std::string> words = {"SET", key, text};
    if (option == 'N') words.push_back("NX");
    if (option == 'X') words.push_back("XX");
    if (option == 'K') words.push_back("KEEPTTL");
    if (option == 'G') words.push_back("GET");
    if (ttl_ms > 0) words.insert(words.end(), {"PX", std::to_string(ttl_ms)});
    Expect(words, model_.Set(key, text, option, ttl_ms));
  }

  void StepExpire() {
    const std::string key = AnyKey();
    const int64_t ttl_ms = Below(20) == 0 ? -Below(5) : AnyTtl();
    const std::string condition = std::vector<std::string>{"", "NX", "XX", "GT", "LT"}[Below(5)];
    std::vector<std::string> words = {"PEXPIRE", key, std::to_string(ttl_ms)};
    if (!condition.empty()) words.push_back(condition);
    Expect(words, model_.PExpire(key, ttl_ms, condition));
  }

  void StepInPlace() {
    const std::string key = AnyKey();
    const std::string text(static_cast<size_t>(1 + Below(40)), 'r');
    const int64_t number = Below(1000);
    switch (Below(3)) {
      case 0:
        return Expect({"INCRBY", key, std::to_string(number)}, model_.IncrBy(key, number));
      case 1:
        return Expect({"APPEND", key, text}, model_.Append(key, text));
      default:
        return Expect({"SETRANGE", key, std::to_string(number % 90), text},
                      model_.SetRange(key, static_cast<size_t>(number % 90), text));
    }
  }

  void StepTwoKeys() {
    const std::string from = AnyKey();
    const std::string to = AnyKey();
    if (Below(2) == 0) return Expect({"RENAME", from, to}, model_.Rename(from, to));
    if (from != to) Expect({"COPY", from, to}, model_.Copy(from, to));
  }

  void StepRead() {
    const std::string key = AnyKey();
    const int64_t ttl_ms = AnyTtl();
    switch (Below(7)) {
      case 0:
        return Expect({"PTTL", key}, model_.PTtl(key));
      case 1:
        return Expect({"EXISTS", key}, Int(model_.Find(key) != nullptr ? 1 : 0));
      case 2:
        return Expect({"GETEX", key, "PX", std::to_string(ttl_ms)}, model_.GetEx(key, ttl_ms));
      case 3:
        return Expect({"GETDEL", key}, model_.GetDel(key));
      case 4:
        return Expect({"PERSIST", key}, model_.Persist(key));
      case 5:
        return Expect({"DEL", key}, Int(model_.Remove(key) ? 1 : 0));
      default:
        return Expect({"GET", key}, model_.Get(key));
    }
  }

  void StepTime() {
    const int64_t ms = Below(10) == 0 ? Below(2000) : Below(20);
    db_.AdvanceMs(ms);
    model_.now_ms += ms;
    if (Below(3) == 0) db_.DriveExpiry();
  }

  // Everything that is there, by SCAN and by reading each.
  void CompareAll() {
    const auto live = model_.Live();
    std::vector<std::string> expected;
    for (const auto& [key, value] : live) expected.push_back(key);
    std::vector<std::string> scanned;
    std::string cursor = "0";
    do {
      const Reply reply = db_.Call({"SCAN", cursor, "COUNT", "100"});
      for (const std::string& key : Texts(reply[1])) scanned.push_back(key);
      cursor = reply[0].text;
    } while (cursor != "0");
    std::sort(scanned.begin(), scanned.end());
    ASSERT_EQ(scanned, expected);
    for (const std::string& key : expected) {
      ASSERT_EQ(db_.Call({"GET", key}).text, live.at(key).text);
      Expect({"PTTL", key}, model_.PTtl(key));
    }
    ASSERT_EQ(watch_.expired, model_.expired);
    // The scan has deleted what had expired, so that the counts agree, too.
    const KeyspaceTotals totals = db_.instance().keyspace.Totals();
    ASSERT_EQ(totals.expired(), static_cast<int64_t>(model_.expired));
    ASSERT_EQ(totals.keys, static_cast<int64_t>(live.size()));
    ASSERT_EQ(totals.volatile_keys, std::count_if(live.begin(), live.end(), [](const auto& value) {
                return value.second.deadline != kNoDeadline;
              }));
  }

  static constexpr int64_t kKeys = 1500;
  std::mt19937 random_;
  Db db_;
  ExpiryWatch watch_{db_.clock()};
  Model model_;
};

TEST_P(StringModelTest, RepliesAgree) {
  const std::vector<std::function<void()>> steps = {
      [&] { StepSet(); },     [&] { StepSet(); },  [&] { StepExpire(); }, [&] { StepInPlace(); },
      [&] { StepTwoKeys(); }, [&] { StepRead(); }, [&] { StepRead(); },   [&] { StepTime(); },
  };
  for (int i = 0; i < 60'000 && !HasFatalFailure(); ++i) {
    steps[static_cast<size_t>(Below(static_cast<int64_t>(steps.size())))]();
    if (i % 5000 == 4999) CompareAll();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StringModelTest, ::testing::Range(1, 9));

}  // namespace
}  // namespace lapse
