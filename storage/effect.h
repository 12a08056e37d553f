// Effects: the one way out for every change of the keyspace.
//
// Whatever changes a key (a command, lazy or active expiry, FLUSHEXPIREKEYS) does so through a
// LockedShard, and the LockedShard reports an Effect to the hub while the shard is still locked, so
// that the effects on one key are seen in the order in which they happened.
//
// A sink runs under a shard's lock: it copies what it needs and returns. It must not call back into
// the keyspace, block or log.
//
// Thread: Emit from any thread that holds a shard; Add and Remove inside the gate's exclusive form
// or before any thread runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lapse {

enum class EffectKind : uint8_t {
  kWritten,   // the key has a new value; `deadline` is the one it has now
  kDeadline,  // the deadline was set, moved or dropped; the value is as it was
  kRemoved,   // a command removed the key
  kExpired,   // the key was removed because its deadline had passed
};

// The published event that a change stands for: Redis's event name and its notification class
// letter ('$' string, 'g' generic, 'x' expired, ...).
struct Event {
  std::string_view name;
  char event_class = 'g';
};

inline constexpr Event kExpiredEvent{"expired", 'x'};
inline constexpr Event kFieldExpiredEvent{"hexpired", 'h'};
inline constexpr Event kEvictedEvent{"evicted", 'e'};
inline constexpr Event kDelEvent{"del", 'g'};
inline constexpr Event kKeyMissEvent{"keymiss", 'm'};
inline constexpr Event kNewKeyEvent{"new", 'n'};
inline constexpr Event kSetEvent{"set", '$'};
inline constexpr Event kExpireEvent{"expire", 'g'};
inline constexpr Event kPersistEvent{"persist", 'g'};

struct Effect {
  uint16_t db = 0;
  EffectKind kind = EffectKind::kWritten;
  std::string_view key;  // valid during the call
  int64_t deadline = 0;  // kNoDeadline when the key has none; of a removed key, the one it had
  Event event;
  uint64_t client = 0;  // whose command did it, as AccessView says
};

class EffectSink {
 public:
  virtual ~EffectSink() = default;
  virtual void OnEffect(const Effect& effect) = 0;
  // Something that is no change, but an event all the same: a lookup in vain, a key that is new
  // (its own change follows). As OnEffect.
  virtual void OnNotice([[maybe_unused]] const Effect& effect) {}
};

class EffectHub {
 public:
  // A sink that is always asked.
  void Add(EffectSink* sink) {
    sinks_.push_back(sink);
    Listen();
  }
  void Remove(EffectSink* sink) {
    if (std::erase(sinks_, sink) > 0) StopListening();
  }
  // A sink that wants effects only while somebody has called Listen for it (a watched key, a
  // subscriber to notifications). It is called whenever anybody listens.
  void AddIdle(EffectSink* sink) { sinks_.push_back(sink); }
  // Counted. Thread: any.
  void Listen() { listeners_.fetch_add(1, std::memory_order_seq_cst); }
  void StopListening() { listeners_.fetch_sub(1, std::memory_order_seq_cst); }

  // The same for notices.
  void HeedNotices() { notice_listeners_.fetch_add(1, std::memory_order_seq_cst); }
  void IgnoreNotices() { notice_listeners_.fetch_sub(1, std::memory_order_seq_cst); }
  bool heeding_notices() const { return notice_listeners_.load(std::memory_order_relaxed) != 0; }
  void EmitNotice(const Effect& effect) const {
    for (EffectSink* sink : sinks_) sink->OnNotice(effect);
  }

  // False when nobody listens: then nothing need be built.
  bool listening() const { return listeners_.load(std::memory_order_relaxed) != 0; }
  void Emit(const Effect& effect) const {
    for (EffectSink* sink : sinks_) sink->OnEffect(effect);
  }

 private:
  std::vector<EffectSink*> sinks_;
  std::atomic<int32_t> listeners_{0};
  std::atomic<int32_t> notice_listeners_{0};
};

}  // namespace lapse
