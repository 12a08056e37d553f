// A stream as RDB files and DUMP have it.
//
//   blocks, each:     id, 16 bytes big endian, as a text | packed list
//   length | last id | first id | greatest deleted id | entries ever added
//   groups, each:     name | last id | entries read | pending | consumers
//     pending, each:    id, 16 bytes big endian | time of delivery | deliveries
//     consumers, each:  name | time it was seen | ids of its pending entries
//
// Written is Redis 7.0's form. The form before has no first id, greatest deleted id and counts of
// entries; the one after adds when a consumer was active last.
//
// Thread: as a value's.
#pragma once

#include <memory>

#include "storage/persist/rdb_reader.h"
#include "storage/persist/rdb_writer.h"
#include "storage/values/stream.h"

namespace lapse {

void WriteStream(const Stream& stream, RdbWriter& out);

// nullptr, and the reader has failed, when the bytes are no stream that holds all of Stream's
// invariants. Requires: one of the three types of streams.
std::unique_ptr<Stream> ReadStream(RdbReader& in, rdb::Type type);

}  // namespace lapse
