// Eviction: which key goes when memory is short.
//
// As Redis does, a few keys are sampled and the best of them goes; here they come from one segment,
// whose keys are a random sample of all, since their place is a hash. volatile-ttl needs no sample:
// the due hints of a whole segment, some 350 keys, are compared without reading an entry.
//
// How often and when a key was used is kept in the 24 bits of its entry's access clock: the second
// of the last access, or, under an LFU policy, the minute of the last change (16 bits) and a
// logarithmic counter (8 bits) that grows with a probability of 1 / (n * lfu-log-factor + 1) and
// loses one each lfu-decay-time minutes; Redis's scheme.
//
// Thread: any, inside the gate; one shard is locked at a time.
#pragma once

#include <cstdint>

#include "storage/eviction_policy.h"
#include "storage/keyspace.h"
#include "storage/locked_shard.h"

namespace lapse {

// Removes one key, or an expired one that it meets. Returns false when there is none that the
// policy allows to go.
bool EvictOne(Keyspace& keyspace, const EvictionSettings& settings, uint64_t random);

}  // namespace lapse
