#include "storage/persist/value_writer.h"

#include <algorithm>

#include "storage/persist/dump_payload.h"
#include "storage/persist/stream_format.h"
#include "storage/values/hash.h"
#include "storage/values/list.h"
#include "storage/values/set.h"
#include "storage/values/sorted_set.h"
#include "storage/values/stream.h"

namespace lapse {
namespace {

using rdb::Type;

template <typename T>
const T& ValueOf(const Entry& entry) {
  return static_cast<const T&>(*entry.collection());
}

// A node's elements with a packed list's header and terminator around them.
void WriteNode(const List& list, size_t node, RdbWriter& out) {
  constexpr size_t kHeaderBytes = 6;
  constexpr size_t kFrameBytes = kHeaderBytes + 1;
  // From here on Redis, too, keeps an element as it is.
  constexpr size_t kPlainBytes = size_t{1} << 30;
  const std::string_view elements = list.NodeElements(node);
  const size_t count = list.NodeSize(node);
  if (count == 1 && elements.size() > kPlainBytes) {
    out.Length(rdb::kPlainNode);
    return out.Bytes(packed::Decode(reinterpret_cast<const uint8_t*>(elements.data())).text);
  }
  const size_t bytes = elements.size() + kFrameBytes;
  out.Length(rdb::kPackedNode);
  out.Length(bytes);
  out.LittleEndian(bytes, 4);
  out.LittleEndian(std::min<size_t>(count, UINT16_MAX), 2);
  out.Raw(elements);
  out.Byte(0xFF);
}

void WriteList(const List& list, RdbWriter& out) {
  out.Length(list.node_count());
  for (size_t i = 0; i < list.node_count(); ++i) WriteNode(list, i, out);
}

void WriteSet(const Set& set, RdbWriter& out) {
  if (const Intset* const numbers = set.intset()) return out.Bytes(numbers->view());
  out.Length(set.size());
  set.ForEach([&out](std::string_view member) { out.Text(member); });
}

void WriteSortedSet(const SortedSet& set, RdbWriter& out) {
  if (const Listpack* const packed = set.packed()) return out.Bytes(packed->view());
  out.Length(set.size());
  set.Walk({0, set.size()}, true, [&out](std::string_view member, double score) {
    out.Text(member);
    out.Double(score);
  });
}

void WriteHash(const Hash& hash, Type type, RdbWriter& out) {
  const int64_t earliest = hash.earliest_deadline();
  if (type == Type::kHashDeadlines || type == Type::kHashListpackDeadlines) out.Millis(earliest);
  if (type == Type::kHashListpack || type == Type::kHashListpackDeadlines) {
    return out.Bytes(hash.packed()->view());
  }
  out.Length(hash.size());
  hash.Visit([&](const Hash::Text& name, const Hash::Text& value, int64_t deadline) {
    char digits[24];
    if (type == Type::kHashDeadlines) {
      const bool has_one = deadline != kNoDeadline;
      // Relative to the earliest, and 1 more, for 0 is none.
      out.Length(has_one ? static_cast<uint64_t>(deadline - earliest) + 1 : 0);
    }
    out.Text(name.Text(digits));
    out.Text(value.Text(digits));
  });
}

Type TypeOfHash(const Hash& hash) {
  const bool deadlines = hash.earliest_deadline() != kNoDeadline;
  switch (hash.encoding()) {
    case Encoding::kListpack:
      return Type::kHashListpack;
    case Encoding::kListpackEx:
      // Where all deadlines are gone again, Redis 7.0 can read the fields.
      return deadlines ? Type::kHashListpackDeadlines : Type::kHash;
    default:
      return deadlines ? Type::kHashDeadlines : Type::kHash;
  }
}

}  // namespace

Type TypeOfForm(const Entry& entry) {
  switch (entry.type()) {
    case ValueType::kString:
      return Type::kString;
    case ValueType::kList:
      return Type::kListNodes;
    case ValueType::kSet:
      return ValueOf<Set>(entry).intset() != nullptr ? Type::kIntset : Type::kSet;
    case ValueType::kSortedSet:
      return ValueOf<SortedSet>(entry).packed() != nullptr ? Type::kSortedSetListpack
                                                           : Type::kSortedSet;
    case ValueType::kHash:
      return TypeOfHash(ValueOf<Hash>(entry));
    case ValueType::kStream:
      break;
  }
  return Type::kStream2;
}

uint16_t VersionOfForm(Type type) {
  return type == Type::kHashDeadlines || type == Type::kHashListpackDeadlines
             ? rdb::kFieldDeadlineVersion
             : rdb::kVersion;
}

void WriteValue(const Entry& entry, RdbWriter& out) {
  switch (entry.type()) {
    case ValueType::kString:
      return out.Text(entry.value());
    case ValueType::kList:
      return WriteList(ValueOf<List>(entry), out);
    case ValueType::kSet:
      return WriteSet(ValueOf<Set>(entry), out);
    case ValueType::kSortedSet:
      return WriteSortedSet(ValueOf<SortedSet>(entry), out);
    case ValueType::kHash:
      return WriteHash(ValueOf<Hash>(entry), TypeOfForm(entry), out);
    case ValueType::kStream:
      return WriteStream(ValueOf<Stream>(entry), out);
  }
}

std::string DumpEntry(const Entry& entry) {
  std::string payload;
  RdbWriter out(payload);
  const Type type = TypeOfForm(entry);
  out.Tag(type);
  WriteValue(entry, out);
  SealDump(payload, VersionOfForm(type));
  return payload;
}

}  // namespace lapse
