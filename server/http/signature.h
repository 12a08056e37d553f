// The signatures of the managed service's RPC API: who made a request, proven with the secret of an
// access key, in both forms that its SDKs use.
//
//   1.0   HMAC-SHA1 over all parameters, in sorted order; the signature is a parameter itself.
//   ACS3  HMAC-SHA256 over method, path, query, chosen headers and the body's hash; the signature
//         is in the header Authorization.
//
// What is returned has been proven to come from a holder of the secret, to be of now, give or take
// kMaxSkewMs, and, by the NonceBook, not to have been seen before.
//
// Thread: pure functions; a NonceBook from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "server/core/config.h"
#include "server/http/message.h"
#include "server/http/target.h"
#include "storage/lock.h"

namespace lapse {

inline constexpr int64_t kMaxSkewMs = 15 * 60 * 1000;

// Remembers what was signed lately, so that a recorded request cannot be sent again.
//
// Only requests whose signature was right are noted, so nobody without a secret can fill it; when
// it is full all the same, requests are refused rather than nonces forgotten.
class NonceBook {
 public:
  static constexpr size_t kMaxNonces = 100'000;

  enum class Outcome : uint8_t { kNew, kSeen, kFull };
  // Requires: a time within kMaxSkewMs of the request's own.
  Outcome Note(std::string_view key_id, std::string_view nonce, int64_t now_ms);

 private:
  struct Entry {
    std::string key;
    int64_t forget_ms;
  };

  Mutex mu_;
  std::deque<Entry> entries_ ABSL_GUARDED_BY(mu_);  // in the order of forget_ms
  absl::flat_hash_set<std::string> seen_ ABSL_GUARDED_BY(mu_);
};

// An error in the managed service's words: its code, its status, and what is wrong in ours.
struct RpcProblem {
  HttpStatus status = HttpStatus::bad_request;
  std::string_view code;
  std::string message;
};

struct SignatureCheck {
  std::string user;  // the key's, when there is no problem
  std::optional<RpcProblem> problem;
  bool is_guess = false;  // the problem is that the key or the signature is wrong
};

// Whether the request bears a signature of either form, right or wrong.
bool IsSigned(const HttpRequest& request, std::span<const QueryParameter> parameters);
// The key that it claims to be signed with.
std::string ClaimedKey(const HttpRequest& request, std::span<const QueryParameter> parameters);

// `query` are the URL's parameters, `parameters` these and the form's. Requires: IsSigned.
SignatureCheck CheckSignature(const HttpRequest& request, std::span<const QueryParameter> query,
                              std::span<const QueryParameter> parameters,
                              std::span<const HttpAccessKey> keys, int64_t now_ms,
                              NonceBook& nonces);

// The parameter's value, or nullptr.
const std::string* FindParameter(std::span<const QueryParameter> parameters, std::string_view name);

// "2026-11-22T04:00:00Z" as Unix milliseconds; nullopt when it is none. And back.
std::optional<int64_t> ParseTimestamp(std::string_view text);
std::string FormatTimestamp(int64_t unix_ms);

// What both forms sign with, as bytes; for tests that make requests.
std::string HmacSha1(std::string_view secret, std::string_view text);
std::string HmacSha256(std::string_view secret, std::string_view text);
// "a=1&b=2", encoded, in the order of the names.
std::string CanonicalQuery(std::span<const QueryParameter> parameters);

}  // namespace lapse
