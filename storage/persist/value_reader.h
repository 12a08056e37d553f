// Reads a value as RDB files and DUMP have it, in any form of Redis 2.6 to 7.4 but those of
// modules and of zipmaps.
//
// What is read may be damaged, or made up to do damage: a value that comes out holds its type's
// invariants, whatever went in. Its representation follows the limits of here and now, not of where
// it was written.
//
// Thread: any; a value belongs to its reader until it is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "storage/persist/rdb_reader.h"
#include "storage/value.h"
#include "storage/values/hash.h"
#include "storage/values/set.h"
#include "storage/values/sorted_set.h"

namespace lapse {

// Up to where values are packed.
struct ValueLimits {
  Set::Limits set;
  Hash::Limits hash;
  SortedSet::Limits sorted_set;
  int64_t list_node_size = -2;
};

struct ReadResult {
  std::string_view text;              // of a string; good until the reader reads on
  std::unique_ptr<Value> collection;  // of anything else
};

// Nothing, and the reader has failed, when there is no such type or the bytes are no value of it.
// Requires: what follows the tag is next.
std::optional<ReadResult> ReadValue(RdbReader& in, uint8_t tag, const ValueLimits& limits);

}  // namespace lapse
