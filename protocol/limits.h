// What a client may ask the request parser to hold. Each bound exists so that the memory which a
// connection can claim follows from the configuration, and not from what a stranger announces.
#pragma once

#include <cstddef>

namespace lapse {

struct ProtocolLimits {
  // The longest single argument: Redis's proto-max-bulk-len.
  size_t max_bulk_bytes = size_t{512} << 20;
  // The most arguments of one request. Redis 7.0 lets a client announce 2^31; at this bound, which
  // Redis had before, their bookkeeping takes 32 MB.
  size_t max_args = 1048576;
  // The longest inline request, and the longest header line ("*3", "$5") of any other. Requires: no
  // less than 32, so that a header with a plain number always passes.
  size_t max_inline_bytes = size_t{64} << 10;
  // The two that apply until a client has authenticated, enough for AUTH and HELLO.
  size_t unauthenticated_max_args = 10;
  size_t unauthenticated_max_bulk_bytes = 16384;
};

}  // namespace lapse
