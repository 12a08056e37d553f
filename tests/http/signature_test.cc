#include "server/http/signature.h"

#include <gtest/gtest.h>

#include "server/services/acl_user.h"
#include "tests/http/bed.h"

namespace lapse {
namespace {

constexpr int64_t kNow = 1'795'320'000'000;  // 2026-11-22T04:00:00Z
constexpr std::string_view kTimestamp = "2026-11-22T04:00:00Z";
// Made by the service's own SDK for Node.js, of a query with every kind of character.
constexpr std::string_view kAcs3 =
    "ACS3-HMAC-SHA256 Credential=key-1,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
    "x-acs-date;x-acs-signature-nonce;x-acs-version,"
    "Signature=d136ad81687501d8290526cf33d5eed8cca79cb2e075590446393ac93d7798f7";
constexpr std::string_view kVersion1 = "ySsTuQWXM3rLvQD852J1qgtHboM=";
constexpr std::string_view kNote = "a b*c~d'(e)/+\xC3\xBC";

class SignatureTest : public testing::Test {
 protected:
  SignatureCheck Check(int64_t now_ms = kNow) {
    HttpRequest request = RequestOf(ask);
    return CheckSignature(request, query, query, keys, now_ms, nonces);
  }
  // The code of the problem, or "".
  std::string Problem(int64_t now_ms = kNow) {
    const SignatureCheck check = Check(now_ms);
    EXPECT_EQ(check.problem.has_value(), check.user.empty());
    return check.problem ? std::string(check.problem->code) : "";
  }

  void BeAcs3() {
    ask = {HttpVerb::post,
           "/",
           "",
           "",
           {{"x-acs-version", "2015-01-01"},
            {"x-acs-action", "FlushExpireKeys"},
            {"x-acs-date", std::string(kTimestamp)},
            {"x-acs-signature-nonce", "nonce-1"},
            {"x-acs-content-sha256", Sha256Hex("")},
            {"Authorization", std::string(kAcs3)}}};
    query = {
        {"InstanceId", "lapse"}, {"EffectiveTime", "Immediately"}, {"Note", std::string(kNote)}};
  }
  void BeVersion1() {
    ask = {HttpVerb::get, "/"};
    query = {{"Action", "FlushExpireKeys"}, {"Format", "json"},
             {"Version", "2015-01-01"},     {"Timestamp", std::string(kTimestamp)},
             {"SignatureNonce", "nonce-1"}, {"SignatureMethod", "HMAC-SHA1"},
             {"SignatureVersion", "1.0"},   {"AccessKeyId", "key-1"},
             {"InstanceId", "lapse"},       {"EffectiveTime", "Immediately"},
             {"Note", std::string(kNote)},  {"Signature", std::string(kVersion1)}};
  }
  void Set(std::string_view name, std::string value) {
    for (auto& [key, old] : ask.headers) {
      if (key == name) old = value;
    }
    for (QueryParameter& parameter : query) {
      if (parameter.name == name) parameter.value = value;
    }
  }

  Ask ask;
  std::vector<QueryParameter> query;
  std::vector<HttpAccessKey> keys = {{"key-1", "secret-1", "robot"}};
  NonceBook nonces;
};

TEST_F(SignatureTest, TakesWhatTheSdkSigns) {
  BeAcs3();
  const SignatureCheck check = Check();
  EXPECT_FALSE(check.problem.has_value()) << check.problem->message;
  EXPECT_EQ(check.user, "robot");
}

TEST_F(SignatureTest, TakesTheOlderForm) {
  BeVersion1();
  const SignatureCheck check = Check();
  EXPECT_FALSE(check.problem.has_value()) << check.problem->message;
  EXPECT_EQ(check.user, "robot");
}

TEST_F(SignatureTest, EveryPartIsSigned) {
  for (const char* const name : {"InstanceId", "EffectiveTime", "Note"}) {
    BeAcs3();
    Set(name, "other");
    EXPECT_EQ(Problem(), "SignatureDoesNotMatch") << name;
    BeVersion1();
    Set(name, "other");
    EXPECT_EQ(Problem(), "SignatureDoesNotMatch") << name;
  }
  BeAcs3();
  Set("x-acs-action", "DescribeInstances");
  EXPECT_EQ(Problem(), "SignatureDoesNotMatch");
  BeAcs3();
  ask.headers.emplace_back("Host", "127.0.0.1:9");
  EXPECT_EQ(Problem(), "SignatureDoesNotMatch");
  BeAcs3();
  ask.body = "x";
  EXPECT_EQ(Problem(), "InvalidContentSha256");
  BeVersion1();
  ask.method = HttpVerb::post;
  EXPECT_EQ(Problem(), "SignatureDoesNotMatch");
  BeVersion1();
  query.push_back({"Extra", "1"});
  EXPECT_EQ(Problem(), "SignatureDoesNotMatch");
}

TEST_F(SignatureTest, AHeaderThatMattersMayNotBeLeftOut) {
  BeAcs3();
  Set("Authorization",
      "ACS3-HMAC-SHA256 Credential=key-1,SignedHeaders=host;x-acs-date,Signature=00");
  EXPECT_EQ(Problem(), "IncompleteSignature");
}

TEST_F(SignatureTest, AnotherSecretOrKeyIsRefused) {
  BeAcs3();
  keys[0].secret = "secret-2";
  SignatureCheck check = Check();
  EXPECT_EQ(check.problem->code, "SignatureDoesNotMatch");
  EXPECT_TRUE(check.is_guess);
  keys.clear();
  check = Check();
  EXPECT_EQ(check.problem->code, "InvalidAccessKeyId.NotFound");
  EXPECT_EQ(check.problem->status, HttpStatus::not_found);
  EXPECT_TRUE(check.is_guess);
}

TEST_F(SignatureTest, ARecordedRequestIsRefused) {
  for (const bool acs3 : {true, false}) {
    NonceBook fresh;
    acs3 ? BeAcs3() : BeVersion1();
    HttpRequest request = RequestOf(ask);
    const auto code = [&](int64_t now_ms) {
      const auto check = CheckSignature(request, query, query, keys, now_ms, fresh);
      return check.problem ? std::string(check.problem->code) : "";
    };
    EXPECT_EQ(code(kNow), "");
    EXPECT_EQ(code(kNow), "SignatureNonceUsed");
    EXPECT_EQ(code(kNow + kMaxSkewMs), "SignatureNonceUsed");
    EXPECT_EQ(code(kNow + kMaxSkewMs + 1), "InvalidTimeStamp.Expired");
    EXPECT_EQ(code(kNow - kMaxSkewMs - 1), "InvalidTimeStamp.Expired");
  }
}

// One that is dated ahead may be sent again for longer, and is remembered for as long.
TEST_F(SignatureTest, ANonceIsRememberedWhileItsRequestIsGood) {
  BeAcs3();
  EXPECT_EQ(Problem(kNow - kMaxSkewMs), "");
  EXPECT_EQ(Problem(kNow + kMaxSkewMs), "SignatureNonceUsed");
}

TEST_F(SignatureTest, ParametersThatAreGivenTwiceAreRefused) {
  BeVersion1();
  query.push_back({"InstanceId", "other"});
  EXPECT_EQ(Problem(), "InvalidParameter");
  BeAcs3();
  query.push_back({"InstanceId", "other"});
  EXPECT_EQ(Problem(), "InvalidParameter");
}

TEST_F(SignatureTest, OtherMethodsOfSigningAreRefused) {
  BeVersion1();
  Set("SignatureMethod", "HMAC-SHA256");
  EXPECT_EQ(Problem(), "InvalidParameter.SignatureMethod");
  BeVersion1();
  Set("AccessKeyId", "");
  EXPECT_EQ(Problem(), "MissingAccessKeyId");
}

TEST(NonceBookTest, IsBoundedByRefusing) {
  NonceBook book;
  for (size_t i = 0; i < NonceBook::kMaxNonces; ++i) {
    ASSERT_EQ(book.Note("key", std::to_string(i), 0), NonceBook::Outcome::kNew);
  }
  EXPECT_EQ(book.Note("key", "one more", 0), NonceBook::Outcome::kFull);
  EXPECT_EQ(book.Note("key", "7", 0), NonceBook::Outcome::kSeen);
  EXPECT_EQ(book.Note("key", "one more", 2 * kMaxSkewMs + 1), NonceBook::Outcome::kNew);
}

TEST(TimestampTest, ReadsOneFormAlone) {
  EXPECT_EQ(ParseTimestamp(kTimestamp), kNow);
  EXPECT_EQ(FormatTimestamp(kNow), kTimestamp);
  for (const char* const bad : {"", "2026-11-22", "2026-11-22T04:00:00", "2026-13-22T04:00:00Z",
                                "2026-11-22 04:00:00Z", "infinite-future    Z"}) {
    EXPECT_FALSE(ParseTimestamp(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace lapse
