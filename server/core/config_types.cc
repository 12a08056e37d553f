// The directives of how values are packed, by type.

#include <limits>

#include "server/core/config_row_kinds.h"
#include "server/core/config_rows.h"

namespace lapse {
namespace {

// The row under a name that the directive had in older versions of Redis.
ConfigRow Formerly(std::string_view name, ConfigRow row) {
  row.now_called = row.name;
  row.name = name;
  row.doc = "The former name of the directive with `listpack` in its place.";
  return row;
}

}  // namespace

void AddSetRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(NumberRow("set-max-intset-entries", kAnyTime, &Config::set_max_intset_entries,
                           {0, kAnyInteger},
                           "Up to so many members, a set of integers is a sorted array."));
  rows.push_back(NumberRow("set-max-listpack-entries", kAnyTime, &Config::set_max_listpack_entries,
                           {0, kAnyInteger}, "Up to so many members, a set is a packed list."));
  rows.push_back(NumberRow("set-max-listpack-value", kAnyTime, &Config::set_max_listpack_value,
                           {0, kAnyInteger, "bytes"},
                           "The longest member of a set that is a packed list."));
  rows.push_back(MemoryRow("hll-sparse-max-bytes", kAnyTime, &Config::hll_sparse_max_bytes, 0,
                           "The longest HyperLogLog that is kept as runs of registers."));
}

void AddValueRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(NumberRow("hash-max-listpack-entries", kAnyTime,
                           &Config::hash_max_listpack_entries, {0, kAnyInteger},
                           "A hash of more fields becomes a table."));
  rows.push_back(Formerly("hash-max-ziplist-entries", rows.back()));
  rows.push_back(MemoryRow("hash-max-listpack-value", kAnyTime, &Config::hash_max_listpack_value, 0,
                           "A hash with a longer name or value becomes a table."));
  rows.push_back(Formerly("hash-max-ziplist-value", rows.back()));
}

void AddListRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(
      NumberRow("list-max-listpack-size", kAnyTime, &Config::list_max_listpack_size,
                {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()},
                "What a node of a list may hold: so many elements or, from -1 to -5, 4, 8, "
                "16, 32 or 64 KiB."));
}

void AddSortedSetRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(NumberRow("zset-max-listpack-entries", kAnyTime,
                           &Config::zset_max_listpack_entries, {0, kAnyInteger},
                           "Up to so many members, a sorted set is a packed list."));
  rows.push_back(MemoryRow("zset-max-listpack-value", kAnyTime, &Config::zset_max_listpack_value, 0,
                           "The longest member of a sorted set that is a packed list."));
}

void AddStreamRows(std::vector<ConfigRow>& rows) {
  using enum ConfigTime;
  rows.push_back(
      MemoryRow("stream-node-max-bytes", kAnyTime, &Config::stream_node_max_bytes, 0,
                "Entries of a stream are packed into blocks: of up to so many bytes, and "
                "0 for any number."));
  rows.push_back(NumberRow(
      "stream-node-max-entries", kAnyTime, &Config::stream_node_max_entries, {0, kAnyInteger},
      "Entries of a stream are packed into blocks: of up to so many, and 0 for "
      "any number."));
}

}  // namespace lapse
