// An audit of the whole keyspace: does every hint, due and mirror say what the deadlines say?
//
// For tests and DEBUG. It reads every entry and holds each shard's lock while it reads that shard,
// so it stalls whoever wants one: milliseconds with millions of keys.
//
// Thread: any, inside the gate.
#pragma once

#include <cstdint>

#include "storage/keyspace.h"

namespace lapse {

// Violations of the invariants that storage/segment.h and storage/shard.h number; 0 if all is well.
int64_t AuditKeyspace(Keyspace& keyspace);

}  // namespace lapse
