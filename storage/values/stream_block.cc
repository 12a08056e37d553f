#include "storage/values/stream_block.h"

#include "absl/container/inlined_vector.h"

namespace lapse {
namespace {

constexpr int64_t kDeletedFlag = 1;
constexpr int64_t kSameFieldsFlag = 2;
// What an item has beside fields and values, its own last element aside.
constexpr size_t kHeadElements = 3;

// A walk over a list that may hold anything: each step says whether there was such an element.
class Checked {
 public:
  explicit Checked(const Listpack& pack) : pack_(pack), at_(pack.begin()) {}

  bool AtEnd() const { return at_ == pack_.end(); }
  bool Skip(uint64_t count) {
    for (; count > 0; --count) {
      if (AtEnd()) return false;
      at_ = pack_.Next(at_);
    }
    return true;
  }
  bool Number(int64_t& number) {
    if (AtEnd()) return false;
    const Listpack::Element element = pack_.Get(at_);
    number = element.number;
    at_ = pack_.Next(at_);
    return element.is_number;
  }
  bool Count(int64_t& number) { return Number(number) && number >= 0; }

 private:
  const Listpack& pack_;
  Listpack::Position at_;
};

// One item's form.
bool CheckItem(Checked& in, int64_t master_fields, bool& deleted) {
  int64_t flags, ms, seq, elements;
  if (!in.Count(flags) || !in.Number(ms) || !in.Number(seq)) return false;
  const bool same_fields = (flags & kSameFieldsFlag) != 0;
  int64_t fields = master_fields;
  if (!same_fields && !in.Count(fields)) return false;
  if (fields > INT64_MAX / 4) return false;
  const int64_t texts = same_fields ? fields : 2 * fields;
  if (!in.Skip(static_cast<uint64_t>(texts)) || !in.Number(elements)) return false;
  deleted = (flags & kDeletedFlag) != 0;
  return elements == texts + static_cast<int64_t>(kHeadElements) + (same_fields ? 0 : 1);
}

}  // namespace

StreamBlock::StreamBlock(StreamPairs pairs) {
  pack_.AppendNumber(0);
  pack_.AppendNumber(0);
  pack_.AppendNumber(static_cast<int64_t>(pairs.size() / 2));
  for (size_t i = 0; i < pairs.size(); i += 2) pack_.Append(pairs[i]);
  pack_.AppendNumber(0);
}

bool StreamBlock::Validate(const Listpack& pack) {
  Checked in(pack);
  int64_t live, deleted, fields, zero;
  if (!in.Count(live) || !in.Count(deleted) || !in.Count(fields)) return false;
  if (!in.Skip(static_cast<uint64_t>(fields)) || !in.Number(zero) || zero != 0) return false;
  if (in.AtEnd()) return false;
  while (!in.AtEnd()) {
    bool is_deleted;
    if (!CheckItem(in, fields, is_deleted)) return false;
    --(is_deleted ? deleted : live);
  }
  return live == 0 && deleted == 0;
}

StreamBlock::Master StreamBlock::ReadMaster() const {
  const Position count = pack_.Next(pack_.Next(pack_.begin()));
  Master master{Number(count), pack_.Next(count), 0};
  Position at = master.first_field;
  for (size_t i = 0; i <= master.fields; ++i) at = pack_.Next(at);
  master.items = at;
  return master;
}

bool StreamBlock::HasFields(const Master& master, StreamPairs pairs) const {
  if (master.fields != pairs.size() / 2) return false;
  Position at = master.first_field;
  for (size_t i = 0; i < pairs.size(); i += 2, at = pack_.Next(at)) {
    if (!pack_.Get(at).Equals(pairs[i])) return false;
  }
  return true;
}

void StreamBlock::Append(const StreamId& block, const StreamId& id, StreamPairs pairs) {
  const bool same_fields = HasFields(ReadMaster(), pairs);
  absl::InlinedVector<Listpack::Element, 16> item;
  const auto number = [&item](uint64_t value) {
    item.push_back({{}, static_cast<int64_t>(value), true});
  };
  number(same_fields ? kSameFieldsFlag : 0);
  number(id.ms - block.ms);
  number(id.seq - block.seq);
  if (!same_fields) number(pairs.size() / 2);
  for (size_t i = 0; i < pairs.size(); i += 2) {
    if (!same_fields) item.push_back({pairs[i], 0, false});
    item.push_back({pairs[i + 1], 0, false});
  }
  number(item.size());
  pack_.ReplaceNumber(pack_.begin(), static_cast<int64_t>(live() + 1));
  pack_.AppendAll(item);
}

StreamBlock::Position StreamBlock::begin() const { return ReadMaster().items; }

StreamBlock::Position StreamBlock::Read(const StreamId& block, Position item,
                                        StreamEntry& entry) const {
  Position at = item;
  const auto next = [&] {
    const int64_t number = pack_.Get(at).number;
    at = pack_.Next(at);
    return number;
  };
  const int64_t flags = next();
  entry.pack_ = &pack_;
  entry.item_ = item;
  entry.deleted_ = (flags & kDeletedFlag) != 0;
  entry.same_fields_ = (flags & kSameFieldsFlag) != 0;
  entry.id.ms = block.ms + static_cast<uint64_t>(next());
  entry.id.seq = block.seq + static_cast<uint64_t>(next());
  if (entry.same_fields_) {
    const Position count = pack_.Next(pack_.Next(pack_.begin()));
    entry.fields = Number(count);
    entry.master_field_ = pack_.Next(count);
  } else {
    entry.fields = static_cast<size_t>(next());
  }
  entry.values_ = at;
  const size_t texts = entry.same_fields_ ? entry.fields : 2 * entry.fields;
  for (size_t i = 0; i <= texts; ++i) at = pack_.Next(at);
  return at;
}

StreamBlock::Position StreamBlock::Before(Position past) const {
  Position at = pack_.Prev(past);
  for (size_t elements = Number(at); elements > 0; --elements) at = pack_.Prev(at);
  return at;
}

StreamId StreamBlock::LastId(const StreamId& block) const {
  StreamEntry entry;
  Read(block, Before(end()), entry);
  return entry.id;
}

void StreamBlock::Delete(const StreamEntry& entry) {
  pack_.ReplaceNumber(entry.item_, kDeletedFlag | (entry.same_fields_ ? kSameFieldsFlag : 0));
  pack_.ReplaceNumber(pack_.begin(), static_cast<int64_t>(live() - 1));
  pack_.ReplaceNumber(pack_.Next(pack_.begin()), static_cast<int64_t>(deleted() + 1));
}

}  // namespace lapse
