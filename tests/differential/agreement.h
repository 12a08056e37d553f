// When two servers' replies to one request count as the same.
//
// Mostly when their bytes are. What a reply is allowed to differ in (a clock that was read twice,
// an order that nobody promises) is said for each request; differences that are there for a reason
// stand in a table, with the reason.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/differential/byte_client.h"

namespace lapse {

enum class Agreement : uint8_t {
  kExact,
  kSeconds,       // two integers that are times may differ a little, in the one unit ...
  kMilliseconds,  // ... or the other
  kAnyOrder,      // a collection's elements, whatever their order
  kAnyPairOrder,  // a map's or flat list's pairs, whatever their order
  kGreeting,      // HELLO's: but for the version and the client's id
  kKind,          // the type alone, and errors exactly
  kErrors,        // errors exactly; anything else agrees with anything else
};

bool Agree(Agreement agreement, const Answer& reference, const Answer& ours);

// Why this request is answered differently; empty if there is no reason.
std::string_view Explain(const Request& request, const Answer& reference, const Answer& ours);

}  // namespace lapse
