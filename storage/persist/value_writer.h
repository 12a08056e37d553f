// Writes an entry's value as RDB files and DUMP have it.
//
//   string            text
//   list              nodes, a packed list each
//   set               intset; or members one by one, for packed ones are Redis 7.2's alone
//   sorted set        packed list; or members with binary scores, from the greatest down, which is
//                     the order that Redis reads fastest
//   hash              packed list; or fields and values; with deadlines in Redis 7.4's forms
//   stream            blocks, what the stream remembers, groups (stream_format.h)
//
// Whatever Redis 7.0 can hold is written as Redis 7.0 reads it.
//
// Thread: the holder of the shard's lock.
#pragma once

#include <cstdint>
#include <string>

#include "storage/entry.h"
#include "storage/persist/rdb_writer.h"

namespace lapse {

// The form that WriteValue takes; its tag precedes the value (in files, the key comes between).
rdb::Type TypeOfForm(const Entry& entry);
// The oldest version of the format that knows the form.
uint16_t VersionOfForm(rdb::Type type);

void WriteValue(const Entry& entry, RdbWriter& out);

// DUMP's payload: tag, value and footer.
std::string DumpEntry(const Entry& entry);

}  // namespace lapse
