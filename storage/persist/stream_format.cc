#include "storage/persist/stream_format.h"

#include "absl/container/btree_map.h"

namespace lapse {
namespace {

constexpr size_t kIdBytes = 16;
constexpr size_t kLeastGroupBytes = 5;
constexpr size_t kLeastPendingBytes = kIdBytes + 8 + 1;
constexpr size_t kLeastConsumerBytes = 1 + 8 + 1;

void WriteId(const StreamId& id, RdbWriter& out) {
  out.Length(id.ms);
  out.Length(id.seq);
}

void WriteRawId(const StreamId& id, RdbWriter& out) {
  out.BigEndian(id.ms, 8);
  out.BigEndian(id.seq, 8);
}

void WriteGroup(const StreamGroup& group, RdbWriter& out) {
  out.Text(group.name());
  WriteId(group.last_id(), out);
  // An unknown count is written as the greatest one, which is what -1 is without a sign.
  out.Length(static_cast<uint64_t>(group.entries_read()));
  out.Length(group.pending().size());
  for (const auto& [id, delivery] : group.pending()) {
    WriteRawId(id, out);
    out.Millis(delivery.time_ms);
    out.Length(delivery.count);
  }
  out.Length(group.consumers().size());
  for (const auto& [name, consumer] : group.consumers()) {
    out.Text(name);
    out.Millis(consumer->seen_ms());
    out.Length(consumer->pending().size());
    for (const StreamId& id : consumer->pending()) WriteRawId(id, out);
  }
}

StreamId ReadId(RdbReader& in) {
  StreamId id;
  id.ms = in.Length();
  id.seq = in.Length();
  return id;
}

StreamId ReadRawId(RdbReader& in) {
  StreamId id;
  id.ms = in.BigEndian(8);
  id.seq = in.BigEndian(8);
  return id;
}

class StreamReader {
 public:
  StreamReader(RdbReader& in, rdb::Type type)
      : in_(in), counts_(type != rdb::Type::kStream), activity_(type == rdb::Type::kStream3) {}

  std::unique_ptr<Stream> Read() {
    for (uint64_t left = in_.Length(); in_.ok() && left > 0; --left) ReadBlock();
    ReadMemory();
    uint64_t groups = in_.Length();
    if (groups > 0) in_.Require(groups <= in_.left() / kLeastGroupBytes);
    for (; in_.ok() && groups > 0; --groups) ReadGroup();
    return in_.ok() ? std::move(stream_) : nullptr;
  }

 private:
  struct Delivered {
    int64_t time_ms;
    uint64_t count;
  };
  using Unclaimed = absl::btree_map<StreamId, Delivered>;

  void ReadBlock() {
    const std::string_view key = in_.Text();
    if (!in_.ok() || key.size() != kIdBytes) return in_.Fail();
    RdbReader key_in(key);
    const StreamId id = ReadRawId(key_in);
    const std::string_view text = in_.Text();
    if (!in_.ok() || id <= last_live_ || !Listpack::Validate(text)) return in_.Fail();
    if (!stream_->blocks().empty() && id <= stream_->blocks().rbegin()->first) return in_.Fail();
    Listpack pack(text);
    if (!StreamBlock::Validate(pack)) return in_.Fail();
    stream_->AddBlock(id, std::move(pack));
    in_.Require(EntriesAscend(id, stream_->blocks().rbegin()->second));
  }

  // Those that live, from the block's id and what came before it on. There is one at least.
  bool EntriesAscend(const StreamId& block_id, const StreamBlock& block) {
    if (block.live() == 0) return false;
    StreamEntry entry;
    for (auto at = block.begin(); at != block.end();) {
      at = block.Read(block_id, at, entry);
      if (StreamBlock::IsDeleted(entry)) continue;
      if (entry.id < block_id || entry.id <= last_live_) return false;
      last_live_ = entry.id;
    }
    return true;
  }

  void ReadMemory() {
    in_.Require(in_.Length() == stream_->size());
    const StreamId last_id = ReadId(in_);
    in_.Require(last_id >= last_live_);
    stream_->set_last_id(last_id);
    stream_->set_entries_added(stream_->size());
    if (!counts_) return;
    ReadId(in_);  // the first entry's, which is known
    stream_->set_max_deleted_id(ReadId(in_));
    const uint64_t added = in_.Length();
    in_.Require(added <= INT64_MAX);
    stream_->set_entries_added(added);
  }

  void ReadGroup() {
    const std::string name(in_.Text());
    const StreamId last_id = ReadId(in_);
    int64_t entries_read = counts_ ? static_cast<int64_t>(in_.Length()) : StreamGroup::kUnknown;
    if (!counts_ && (last_id.IsZero() || stream_->entries_added() == 0)) entries_read = 0;
    in_.Require(entries_read >= StreamGroup::kUnknown);
    if (!in_.ok()) return;
    const bool estimate = !counts_ && entries_read == StreamGroup::kUnknown;
    StreamGroup* const group =
        stream_->AddGroup(name, estimate ? StreamId{} : last_id, entries_read);
    if (group == nullptr) return in_.Fail();
    if (estimate) stream_->NoteRead(*group, last_id);

    Unclaimed unclaimed;
    uint64_t pending = in_.Length();
    in_.Require(pending <= in_.left() / kLeastPendingBytes);
    for (; in_.ok() && pending > 0; --pending) {
      const StreamId id = ReadRawId(in_);
      const int64_t time_ms = in_.Millis();
      const uint64_t count = in_.Length();
      in_.Require(time_ms >= 0 && unclaimed.try_emplace(id, Delivered{time_ms, count}).second);
    }
    uint64_t consumers = in_.Length();
    in_.Require(consumers <= in_.left() / kLeastConsumerBytes);
    for (; in_.ok() && consumers > 0; --consumers) ReadConsumer(*group, unclaimed);
    in_.Require(unclaimed.empty());
  }

  void ReadConsumer(StreamGroup& group, Unclaimed& unclaimed) {
    const std::string name(in_.Text());
    const int64_t seen_ms = in_.Millis();
    // Redis before 7.2 took no note of it.
    const int64_t active_ms = activity_ ? in_.Millis() : seen_ms;
    in_.Require(seen_ms >= 0 && active_ms >= -1 && group.FindConsumer(name) == nullptr);
    if (!in_.ok()) return;
    StreamConsumer* const consumer = group.AddConsumer(name, seen_ms);
    consumer->set_active_ms(active_ms);
    for (uint64_t left = in_.Length(); in_.ok() && left > 0; --left) {
      const auto found = unclaimed.find(ReadRawId(in_));
      // Each is one consumer's, and no more than one's.
      if (!in_.ok() || found == unclaimed.end()) return in_.Fail();
      group.Deliver(found->first, {consumer, found->second.time_ms, found->second.count});
      unclaimed.erase(found);
    }
  }

  RdbReader& in_;
  const bool counts_;    // of entries, and the greatest deleted id
  const bool activity_;  // of consumers
  std::unique_ptr<Stream> stream_ = std::make_unique<Stream>();
  StreamId last_live_;
};

}  // namespace

void WriteStream(const Stream& stream, RdbWriter& out) {
  out.Length(stream.blocks().size());
  for (const auto& [id, block] : stream.blocks()) {
    out.Length(kIdBytes);
    WriteRawId(id, out);
    out.Bytes(block.view());
  }
  out.Length(stream.size());
  WriteId(stream.last_id(), out);
  WriteId(stream.first_id(), out);
  WriteId(stream.max_deleted_id(), out);
  out.Length(stream.entries_added());
  out.Length(stream.groups().size());
  for (const auto& [name, group] : stream.groups()) WriteGroup(*group, out);
}

std::unique_ptr<Stream> ReadStream(RdbReader& in, rdb::Type type) {
  return StreamReader(in, type).Read();
}

}  // namespace lapse
