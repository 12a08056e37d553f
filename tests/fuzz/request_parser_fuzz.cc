// Any stream of bytes, cut anywhere: the request parser must agree with a plain second reading of
// it, and requests written out again must parse to themselves.
//
// Input: 1 byte of options, 8 bytes that seed the cuts, then the stream.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>

#include "protocol/limits.h"
#include "protocol/request_parser.h"
#include "tests/protocol/request_model.h"

namespace {

constexpr size_t kOptionBytes = 9;

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kOptionBytes) return 0;
  const uint8_t options = data[0];
  uint64_t seed;
  std::memcpy(&seed, data + 1, sizeof(seed));
  const std::string_view stream(reinterpret_cast<const char*>(data) + kOptionBytes,
                                size - kOptionBytes);

  // Tight limits make their errors reachable with short inputs.
  lapse::ProtocolLimits limits;
  if ((options & 1) != 0) {
    limits = {.max_bulk_bytes = 100,
              .max_args = 12,
              .max_inline_bytes = 32,
              .unauthenticated_max_args = 3,
              .unauthenticated_max_bulk_bytes = 10};
  }
  const bool authenticated = (options & 2) == 0;
  const size_t max_requests = 1 + (options >> 2) % 8;

  const lapse::ParsedRequests expected = lapse::RequestModel(stream, limits, authenticated).Run();

  lapse::RequestParser whole(limits);
  whole.set_authenticated(authenticated);
  Require(lapse::Feed(whole, stream, max_requests, [&] { return stream.size(); }) == expected);

  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(seed));
  const size_t largest = 1 + seed % 64;
  lapse::RequestParser pieces(limits);
  pieces.set_authenticated(authenticated);
  Require(lapse::Feed(pieces, stream, max_requests, [&] { return 1 + random() % largest; }) ==
          expected);

  std::string encoded;
  for (const lapse::Request& request : expected.requests) encoded += lapse::EncodeRequest(request);
  lapse::RequestParser again{lapse::ProtocolLimits{}};
  const lapse::ParsedRequests parsed =
      lapse::Feed(again, encoded, max_requests, [&] { return encoded.size(); });
  Require(parsed.requests == expected.requests && parsed.error.empty());
  return 0;
}
