#include "storage/values/stream_group.h"

namespace lapse {
namespace {

// Of a text that is kept in a std::string of its own.
size_t TextBytes(std::string_view text) {
  constexpr size_t kWithin = 15;  // what the string object itself has room for
  return text.size() <= kWithin ? 0 : text.size() + 1 + sizeof(size_t);
}

// What an element of a B-tree takes, with its share of the nodes and their spare room: nodes that
// grow at their end, as these do, are left full.
constexpr size_t TreeBytes(size_t element) { return element + element / 6; }

constexpr size_t kPendingBytes =
    TreeBytes(sizeof(StreamGroup::Pending::value_type)) + TreeBytes(sizeof(StreamId));
constexpr size_t kConsumerBytes =
    TreeBytes(sizeof(StreamGroup::Consumers::value_type)) + sizeof(StreamConsumer) + sizeof(size_t);

size_t BytesOf(const StreamConsumer& consumer) {
  return kConsumerBytes + TextBytes(consumer.name());
}

size_t BytesOf(const StreamGroup& group) {
  return sizeof(StreamGroup) + sizeof(size_t) + TextBytes(group.name());
}

}  // namespace

StreamGroup::StreamGroup(std::string_view name, const StreamId& last_id, int64_t entries_read,
                         size_t& bytes)
    : name_(name), last_id_(last_id), entries_read_(entries_read), bytes_(bytes) {
  bytes_ += BytesOf(*this);
}

StreamGroup::StreamGroup(const StreamGroup& other, size_t& bytes)
    : StreamGroup(other.name_, other.last_id_, other.entries_read_, bytes) {
  for (const auto& [name, consumer] : other.consumers_) {
    AddConsumer(name, consumer->seen_ms())->set_active_ms(consumer->active_ms());
  }
  for (const auto& [id, delivery] : other.pending_) {
    Deliver(id, {FindConsumer(delivery.consumer->name()), delivery.time_ms, delivery.count});
  }
}

StreamGroup::~StreamGroup() {
  bytes_ -= BytesOf(*this) + kPendingBytes * pending_.size();
  for (const auto& [name, consumer] : consumers_) bytes_ -= BytesOf(*consumer);
}

StreamConsumer* StreamGroup::FindConsumer(std::string_view name) const {
  const auto found = consumers_.find(name);
  return found == consumers_.end() ? nullptr : found->second.get();
}

StreamConsumer* StreamGroup::AddConsumer(std::string_view name, int64_t now_ms) {
  auto consumer = std::make_unique<StreamConsumer>(name, now_ms);
  StreamConsumer* const added = consumer.get();
  consumers_.emplace(added->name(), std::move(consumer));
  bytes_ += BytesOf(*added);
  return added;
}

void StreamGroup::RemoveConsumer(StreamConsumer* consumer) {
  for (const StreamId& id : consumer->pending_) pending_.erase(id);
  bytes_ -= BytesOf(*consumer) + kPendingBytes * consumer->pending_.size();
  consumers_.erase(consumers_.find(consumer->name()));
}

const StreamDelivery* StreamGroup::FindPending(const StreamId& id) const {
  const auto found = pending_.find(id);
  return found == pending_.end() ? nullptr : &found->second;
}

void StreamGroup::Deliver(const StreamId& id, const StreamDelivery& delivery) {
  // Mostly what is delivered is newer than all that was before.
  const bool newest = pending_.empty() || pending_.rbegin()->first < id;
  const auto at = newest ? pending_.end() : pending_.lower_bound(id);
  if (at == pending_.end() || at->first != id) {
    pending_.emplace_hint(at, id, delivery);
    bytes_ += kPendingBytes;
  } else {
    StreamConsumer* const before = at->second.consumer;
    at->second = delivery;
    if (before == delivery.consumer) return;
    before->pending_.erase(id);
  }
  auto& ids = delivery.consumer->pending_;
  ids.insert(newest ? ids.end() : ids.lower_bound(id), id);
}

bool StreamGroup::Acknowledge(const StreamId& id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return false;
  found->second.consumer->pending_.erase(id);
  pending_.erase(found);
  bytes_ -= kPendingBytes;
  return true;
}

}  // namespace lapse
