// A consumer group of a stream: how far it has read, and which entries were delivered to whom and
// not yet acknowledged.
//
//   group    pending:    id -> {consumer, delivery time, deliveries}      one record each
//            consumers:  name -> consumer
//   consumer pending:    ids alone; the record is looked up in the group
//
// An entry is pending for at most one consumer of the group. What is pending may have been deleted
// from the stream since.
//
// Invariants:
//   1. The consumers' ids are together the group's, each with the one consumer that its record
//      names.
//   2. The running sum of bytes, which all groups of a stream share, follows every change.
//
// Thread: as a std::map.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "storage/values/stream_id.h"

namespace lapse {

class StreamConsumer {
 public:
  StreamConsumer(std::string_view name, int64_t now_ms) : name_(name), seen_ms_(now_ms) {}

  const std::string& name() const { return name_; }
  const absl::btree_set<StreamId>& pending() const { return pending_; }
  // When it last asked for anything.
  int64_t seen_ms() const { return seen_ms_; }
  void set_seen_ms(int64_t now_ms) { seen_ms_ = now_ms; }
  // When it last was given anything; -1 for never.
  int64_t active_ms() const { return active_ms_; }
  void set_active_ms(int64_t now_ms) { active_ms_ = now_ms; }

 private:
  friend class StreamGroup;

  const std::string name_;
  int64_t seen_ms_;
  int64_t active_ms_ = -1;
  absl::btree_set<StreamId> pending_;
};

// What is known of an entry that was delivered and not acknowledged.
struct StreamDelivery {
  StreamConsumer* consumer = nullptr;
  int64_t time_ms = 0;
  uint64_t count = 0;
};

class StreamGroup {
 public:
  // Of entries_read: not known.
  static constexpr int64_t kUnknown = -1;

  using Pending = absl::btree_map<StreamId, StreamDelivery>;
  // The names are those within the consumers.
  using Consumers = absl::btree_map<std::string_view, std::unique_ptr<StreamConsumer>>;

  // `bytes` outlives the group.
  StreamGroup(std::string_view name, const StreamId& last_id, int64_t entries_read, size_t& bytes);
  StreamGroup(const StreamGroup& other, size_t& bytes);
  ~StreamGroup();
  StreamGroup(const StreamGroup&) = delete;
  StreamGroup& operator=(const StreamGroup&) = delete;

  const std::string& name() const { return name_; }
  // The last entry that was delivered to anybody.
  const StreamId& last_id() const { return last_id_; }
  void set_last_id(const StreamId& id) { last_id_ = id; }
  // How many entries there had been in the stream up to that one, if that is known.
  int64_t entries_read() const { return entries_read_; }
  void set_entries_read(int64_t entries_read) { entries_read_ = entries_read; }

  const Pending& pending() const { return pending_; }
  const Consumers& consumers() const { return consumers_; }

  StreamConsumer* FindConsumer(std::string_view name) const;
  // Requires: there is none of this name.
  StreamConsumer* AddConsumer(std::string_view name, int64_t now_ms);
  // Removes it with all that is pending for it.
  void RemoveConsumer(StreamConsumer* consumer);

  // nullptr when the entry is not pending. Invalidates: by the next change.
  const StreamDelivery* FindPending(const StreamId& id) const;
  // Has the entry pending for the delivery's consumer, and for no other.
  void Deliver(const StreamId& id, const StreamDelivery& delivery);
  // Whether the entry was pending.
  bool Acknowledge(const StreamId& id);

 private:
  const std::string name_;
  StreamId last_id_;
  int64_t entries_read_;
  Pending pending_;
  Consumers consumers_;
  size_t& bytes_;
};

}  // namespace lapse
