#include "server/http/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "server/services/acl_user.h"

namespace lapse {
namespace {

constexpr std::string_view kAcs3 = "ACS3-HMAC-SHA256";
constexpr size_t kMaxNonceBytes = 256;
// A request may change its meaning by these, so a signature that leaves one out proves nothing.
constexpr std::string_view kHeadersToSign[] = {
    "host",       "x-acs-action",          "x-acs-content-sha256",
    "x-acs-date", "x-acs-signature-nonce", "x-acs-version"};

absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }

RpcProblem Bad(std::string_view code, std::string message) {
  return {HttpStatus::bad_request, code, std::move(message)};
}

std::string Hmac(const EVP_MD* digest, std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

// Takes equally long wherever they differ.
bool SameSecret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

const HttpAccessKey* FindKey(std::span<const HttpAccessKey> keys, std::string_view id) {
  const auto found = std::ranges::find(keys, id, &HttpAccessKey::id);
  return found == keys.end() ? nullptr : &*found;
}

bool HasTwice(std::span<const QueryParameter> parameters) {
  std::vector<std::string_view> names;
  for (const QueryParameter& parameter : parameters) names.push_back(parameter.name);
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) != names.end();
}

// What a signature of either form says and signs.
struct Claim {
  std::string key_id;
  std::string signature;       // as it was given
  std::string string_to_sign;  // what it should be of
  std::string nonce;
  std::string timestamp;
  std::optional<RpcProblem> problem;
};

std::string ValueOf(std::span<const QueryParameter> parameters, std::string_view name) {
  const std::string* const value = FindParameter(parameters, name);
  return value == nullptr ? std::string() : *value;
}

Claim ClaimOfVersion1(const HttpRequest& request, std::span<const QueryParameter> parameters) {
  Claim claim;
  claim.key_id = ValueOf(parameters, "AccessKeyId");
  claim.signature = ValueOf(parameters, "Signature");
  claim.nonce = ValueOf(parameters, "SignatureNonce");
  claim.timestamp = ValueOf(parameters, "Timestamp");
  if (HasTwice(parameters)) {
    claim.problem = Bad("InvalidParameter", "A parameter is given twice.");
  } else if (claim.key_id.empty()) {
    claim.problem = Bad("MissingAccessKeyId", "The parameter AccessKeyId is missing.");
  } else if (ValueOf(parameters, "SignatureMethod") != "HMAC-SHA1" ||
             ValueOf(parameters, "SignatureVersion") != "1.0") {
    claim.problem = Bad("InvalidParameter.SignatureMethod",
                        "Signatures are HMAC-SHA1 of version 1.0, or ACS3-HMAC-SHA256.");
  }
  std::vector<QueryParameter> signed_ones;
  for (const QueryParameter& parameter : parameters) {
    if (parameter.name != "Signature") signed_ones.push_back(parameter);
  }
  claim.string_to_sign = absl::StrCat(AbslView(View(request.method_string())), "&%2F&",
                                      PercentEncode(CanonicalQuery(signed_ones)));
  return claim;
}

// The value of "name=..." in "Credential=...,SignedHeaders=...,Signature=...".
std::string PartOf(std::string_view header, std::string_view name) {
  for (const absl::string_view raw : absl::StrSplit(AbslView(header), ',')) {
    const absl::string_view part = absl::StripAsciiWhitespace(raw);
    if (part.size() <= name.size() || part[name.size()] != '=') continue;
    if (part.substr(0, name.size()) == AbslView(name)) {
      return std::string(part.substr(name.size() + 1));
    }
  }
  return {};
}

// "name:value\n" for each header that is signed; a header that occurs twice has both values.
std::string CanonicalHeaders(const HttpRequest& request, std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    std::vector<std::string> values;
    const auto [begin, end] = request.equal_range(name);
    for (auto at = begin; at != end; ++at) {
      values.emplace_back(absl::StripAsciiWhitespace(AbslView(View(at->value()))));
    }
    std::ranges::sort(values);
    absl::StrAppend(&text, name, ":", absl::StrJoin(values, ","), "\n");
  }
  return text;
}

Claim ClaimOfAcs3(const HttpRequest& request, std::span<const QueryParameter> query) {
  const std::string_view header = HeaderOf(request, HttpField::authorization).substr(kAcs3.size());
  Claim claim;
  claim.key_id = PartOf(header, "Credential");
  claim.signature = PartOf(header, "Signature");
  claim.nonce = HeaderOf(request, "x-acs-signature-nonce");
  claim.timestamp = HeaderOf(request, "x-acs-date");
  const std::vector<std::string> names =
      absl::StrSplit(absl::AsciiStrToLower(PartOf(header, "SignedHeaders")), ';');
  const std::string_view body_hash = HeaderOf(request, "x-acs-content-sha256");
  const bool all_signed = std::ranges::all_of(kHeadersToSign, [&](std::string_view needed) {
    return std::ranges::find(names, needed) != names.end();
  });
  if (claim.key_id.empty()) {
    claim.problem = Bad("MissingAccessKeyId", "The Authorization header has no Credential.");
  } else if (HasTwice(query)) {
    claim.problem = Bad("InvalidParameter", "A parameter is given twice.");
  } else if (!all_signed) {
    claim.problem = Bad("IncompleteSignature", fmt::format("These headers have to be signed: {}.",
                                                           fmt::join(kHeadersToSign, ", ")));
  } else if (body_hash != Sha256Hex(request.body())) {
    claim.problem = Bad("InvalidContentSha256", "x-acs-content-sha256 is not the body's hash.");
  }
  const std::string canonical = absl::StrCat(
      AbslView(View(request.method_string())), "\n/\n", CanonicalQuery(query), "\n",
      CanonicalHeaders(request, names), "\n", absl::StrJoin(names, ";"), "\n", AbslView(body_hash));
  claim.string_to_sign = absl::StrCat(AbslView(kAcs3), "\n", Sha256Hex(canonical));
  return claim;
}

bool IsAcs3(const HttpRequest& request) {
  return HeaderOf(request, HttpField::authorization).starts_with(kAcs3);
}

}  // namespace

NonceBook::Outcome NonceBook::Note(std::string_view key_id, std::string_view nonce,
                                   int64_t now_ms) {
  std::string key = absl::StrCat(AbslView(key_id), " ", AbslView(nonce));
  MutexGuard guard(mu_);
  while (!entries_.empty() && entries_.front().forget_ms < now_ms) {
    seen_.erase(entries_.front().key);
    entries_.pop_front();
  }
  if (seen_.contains(key)) return Outcome::kSeen;
  if (entries_.size() >= kMaxNonces) return Outcome::kFull;
  seen_.insert(key);
  // One that is of tomorrow by kMaxSkewMs stays acceptable for twice as long.
  entries_.push_back({std::move(key), now_ms + 2 * kMaxSkewMs});
  return Outcome::kNew;
}

bool IsSigned(const HttpRequest& request, std::span<const QueryParameter> parameters) {
  return IsAcs3(request) || FindParameter(parameters, "Signature") != nullptr ||
         FindParameter(parameters, "AccessKeyId") != nullptr;
}

std::string ClaimedKey(const HttpRequest& request, std::span<const QueryParameter> parameters) {
  if (!IsAcs3(request)) return ValueOf(parameters, "AccessKeyId");
  const std::string_view header = HeaderOf(request, HttpField::authorization);
  return PartOf(header.substr(kAcs3.size()), "Credential");
}

SignatureCheck CheckSignature(const HttpRequest& request, std::span<const QueryParameter> query,
                              std::span<const QueryParameter> parameters,
                              std::span<const HttpAccessKey> keys, int64_t now_ms,
                              NonceBook& nonces) {
  const bool acs3 = IsAcs3(request);
  const Claim claim = acs3 ? ClaimOfAcs3(request, query) : ClaimOfVersion1(request, parameters);
  SignatureCheck check;
  check.problem = claim.problem;
  if (check.problem) return check;

  const HttpAccessKey* const key = FindKey(keys, claim.key_id);
  if (key == nullptr) {
    check.problem = {HttpStatus::not_found, "InvalidAccessKeyId.NotFound",
                     "No such access key is known here."};
    check.is_guess = true;
    return check;
  }
  const std::string expected =
      acs3 ? absl::BytesToHexString(HmacSha256(key->secret, claim.string_to_sign))
           : absl::Base64Escape(HmacSha1(key->secret + "&", claim.string_to_sign));
  if (!SameSecret(expected, claim.signature)) {
    check.problem = Bad("SignatureDoesNotMatch",
                        "The signature is not that of this request with the key's secret.");
    check.is_guess = true;
    return check;
  }
  const std::optional<int64_t> timestamp = ParseTimestamp(claim.timestamp);
  if (!timestamp) {
    check.problem = Bad("InvalidTimeStamp.Format", "The time is not like 2026-11-22T04:00:00Z.");
  } else if (now_ms - *timestamp > kMaxSkewMs || *timestamp - now_ms > kMaxSkewMs) {
    check.problem =
        Bad("InvalidTimeStamp.Expired", "The time is more than 15 minutes away from the server's.");
  } else if (claim.nonce.empty() || claim.nonce.size() > kMaxNonceBytes) {
    check.problem = Bad("MissingParameter", "A nonce of up to 256 bytes is needed.");
  }
  if (check.problem) return check;
  switch (nonces.Note(claim.key_id, claim.nonce, now_ms)) {
    case NonceBook::Outcome::kSeen:
      check.problem = Bad("SignatureNonceUsed", "The nonce has been used before.");
      break;
    case NonceBook::Outcome::kFull:
      check.problem = {HttpStatus::service_unavailable, "Throttling",
                       "Too many signed requests within half an hour."};
      break;
    case NonceBook::Outcome::kNew:
      check.user = key->user;
      break;
  }
  return check;
}

const std::string* FindParameter(std::span<const QueryParameter> parameters,
                                 std::string_view name) {
  const auto found = std::ranges::find(parameters, name, &QueryParameter::name);
  return found == parameters.end() ? nullptr : &found->value;
}

std::optional<int64_t> ParseTimestamp(std::string_view text) {
  constexpr size_t kLength = std::string_view("2026-11-22T04:00:00Z").size();
  absl::Time time;
  std::string error;
  if (text.size() != kLength ||
      !absl::ParseTime("%Y-%m-%dT%H:%M:%SZ", AbslView(text), &time, &error)) {
    return std::nullopt;
  }
  return absl::ToUnixMillis(time);
}

std::string FormatTimestamp(int64_t unix_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(unix_ms), absl::UTCTimeZone());
}

std::string HmacSha1(std::string_view secret, std::string_view text) {
  return Hmac(EVP_sha1(), secret, text);
}

std::string HmacSha256(std::string_view secret, std::string_view text) {
  return Hmac(EVP_sha256(), secret, text);
}

std::string CanonicalQuery(std::span<const QueryParameter> parameters) {
  std::vector<const QueryParameter*> sorted;
  for (const QueryParameter& parameter : parameters) sorted.push_back(&parameter);
  std::ranges::sort(sorted, {},
                    [](const QueryParameter* one) -> const std::string& { return one->name; });
  return absl::StrJoin(sorted, "&", [](std::string* out, const QueryParameter* parameter) {
    absl::StrAppend(out, PercentEncode(parameter->name), "=", PercentEncode(parameter->value));
  });
}

}  // namespace lapse
