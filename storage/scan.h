// SCAN's walk, and picking a random key.
//
// A cursor is a place cut to its upper 53 bits (so that clients which keep numbers as doubles or in
// signed 64 bits carry it safely): the position in hash order to resume from. Splits and merges
// move entries between pages, never across a position, so every key that is present for the whole
// scan is returned; the walk has no other state.
//
// Thread: any, inside the gate; locks one shard at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"

namespace lapse {

using ScanVisitor = absl::FunctionRef<void(const Entry&)>;

// Visits the live entries from `cursor` on until at least `count` entries have been seen or 10
// times as many buckets passed, deleting expired ones it meets. Returns the next cursor, 0 at the
// end. `visit` runs under the shard's lock and must not keep the entry.
uint64_t ScanKeys(Keyspace& keyspace, const AccessView& view, uint64_t cursor, int64_t count,
                  ScanVisitor visit);

// Visits every live entry of the database, a shard at a time; expired ones are skipped, not
// deleted.
void VisitKeys(Keyspace& keyspace, const AccessView& view, ScanVisitor visit);

// A key chosen at random, about evenly; nullopt when there is none. Expired keys it meets are
// deleted, and it gives up on finding a live one after a bounded number of steps.
std::optional<std::string> RandomKey(Keyspace& keyspace, const AccessView& view, uint64_t random);

}  // namespace lapse
