// The managed service's API as its clients see it: actions, signatures, errors in its words.
#include "server/http/rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "fmt/format.h"
#include "tests/http/bed.h"

namespace lapse {
namespace {

class RpcTest : public testing::Test {
 protected:
  static Config WithKeys() {
    Config config;
    config.requirepass = "secret";
    config.http_access_keys = {{"id-robot", "s3cret", "robot"},
                               {"id-reader", "t4cret", "reader"},
                               {"id-gone", "x", "gone"}};
    return config;
  }

  RpcTest() : bed(WithKeys()) {
    bed.db().Run("AUTH secret");
    bed.Run("ACL SETUSER robot on >pw +flushexpirekeys +describeinstances");
    bed.Run("ACL SETUSER reader on >pw +describeinstances +describehistorytasks");
  }

  // A request as the older form of signature has it.
  Ask Signed(std::string action, std::vector<QueryParameter> parameters,
             std::string key = "id-robot", std::string secret = "s3cret") {
    parameters.push_back({"Action", std::move(action)});
    parameters.push_back({"Version", "2015-01-01"});
    parameters.push_back({"Format", "JSON"});
    parameters.push_back({"AccessKeyId", std::move(key)});
    parameters.push_back({"SignatureMethod", "HMAC-SHA1"});
    parameters.push_back({"SignatureVersion", "1.0"});
    parameters.push_back({"SignatureNonce", std::to_string(++nonce_)});
    parameters.push_back({"Timestamp", FormatTimestamp(bed.db().instance().clock.NowMs())});
    const std::string canonical = CanonicalQuery(parameters);
    const std::string mac = HmacSha1(secret + "&", "POST&%2F&" + PercentEncode(canonical));
    return {HttpVerb::post,
            fmt::format("/?{}&Signature={}", canonical, PercentEncode(absl::Base64Escape(mac)))};
  }
  HttpResponse Call(std::string action, std::vector<QueryParameter> parameters = {},
                    std::string key = "id-robot", std::string secret = "s3cret") {
    return bed.Send(
        Signed(std::move(action), std::move(parameters), std::move(key), std::move(secret)));
  }
  std::string Code(const HttpResponse& response) {
    return std::string(View(JsonOf(response).at("Code").as_string()));
  }

  HttpBed bed;

 private:
  int nonce_ = 0;
};

TEST_F(RpcTest, FlushesAndLooks) {
  const HttpResponse flush = Call("FlushExpireKeys", {{"InstanceId", "lapse"}});
  ASSERT_EQ(StatusOf(flush), 200) << flush.body();
  const boost::json::value answer = JsonOf(flush);
  EXPECT_EQ(answer.at("InstanceId").as_string(), "lapse");
  EXPECT_FALSE(answer.at("TaskId").as_string().empty());
  EXPECT_EQ(answer.at("RequestId").as_string().size(), 36u);

  const boost::json::value instances = JsonOf(Call("DescribeInstances"));
  EXPECT_EQ(instances.at("TotalCount").as_int64(), 1);
  const boost::json::value& instance = instances.at("Instances").at("KVStoreInstance").at(0);
  EXPECT_EQ(instance.at("InstanceId").as_string(), "lapse");
  EXPECT_EQ(instance.at("InstanceType").as_string(), "Lapse");
  EXPECT_TRUE(instance.at("QPS").is_int64());
  EXPECT_EQ(instance.at("CreateTime").as_string(), "2023-11-14T22:13:20Z");
}

TEST_F(RpcTest, HistoryOfWhatWasRun) {
  const std::string id(
      View(JsonOf(Call("FlushExpireKeys", {{"InstanceId", "lapse"}})).at("TaskId").as_string()));
  const auto history = [&](std::vector<QueryParameter> parameters) {
    return JsonOf(Call("DescribeHistoryTasks", std::move(parameters), "id-reader", "t4cret"));
  };
  const boost::json::value all = history({{"InstanceId", "lapse"}, {"PageSize", "10"}});
  EXPECT_EQ(all.at("TotalCount").as_int64(), 1);
  EXPECT_EQ(all.at("Items").at(0).at("TaskId").as_string(), id);
  EXPECT_EQ(all.at("Items").at(0).at("TaskType").as_string(), "FlushExpireKeys");
  EXPECT_EQ(history({{"TaskId", id}}).at("TotalCount").as_int64(), 1);
  EXPECT_EQ(history({{"TaskId", "777"}}).at("TotalCount").as_int64(), 0);
  EXPECT_EQ(history({{"Status", "Failed"}}).at("TotalCount").as_int64(), 0);
  EXPECT_EQ(history({{"PageNumber", "2"}}).at("Items").as_array().size(), 0u);
  EXPECT_EQ(history({{"FromStartTime", "2030-01-01T00:00Z"}}).at("TotalCount").as_int64(), 0);
}

TEST_F(RpcTest, TheMaintenanceWindow) {
  bed.Run("ACL SETUSER robot +modifyinstancemaintaintime");
  const auto modify = [&](std::string start, std::string end) {
    return Call("ModifyInstanceMaintainTime", {{"InstanceId", "lapse"},
                                               {"MaintainStartTime", std::move(start)},
                                               {"MaintainEndTime", std::move(end)}});
  };
  EXPECT_EQ(StatusOf(modify("03:00Z", "04:00Z")), 200);
  EXPECT_EQ(bed.Run("CONFIG GET maintenance-window")[1], "03:00Z-04:00Z");
  EXPECT_EQ(Code(modify("03:00", "04:00Z")), "InvalidParameter");
  EXPECT_EQ(Code(modify("03:00Z", "")), "MissingParameter");
}

TEST_F(RpcTest, ErrorsHaveTheServicesCodes) {
  const auto expect = [&](const HttpResponse& response, int status, std::string_view code) {
    EXPECT_EQ(StatusOf(response), status) << response.body();
    EXPECT_EQ(Code(response), code);
    EXPECT_FALSE(JsonOf(response).at("RequestId").as_string().empty());
  };
  expect(Call("FlushAll"), 404, "InvalidAction.NotFound");
  expect(Call("FlushExpireKeys"), 400, "MissingParameter");
  expect(Call("FlushExpireKeys", {{"InstanceId", "other"}}), 404, "InvalidInstanceId.NotFound");
  expect(Call("FlushExpireKeys", {{"InstanceId", "lapse"}, {"EffectiveTime", "Later"}}), 400,
         "InvalidEffectiveTime.Malformed");
  expect(Call("DescribeInstances", {}, "id-none", "x"), 404, "InvalidAccessKeyId.NotFound");
  expect(Call("DescribeInstances", {}, "id-robot", "wrong"), 400, "SignatureDoesNotMatch");
  expect(Call("DescribeHistoryTasks"), 403, "Forbidden.RAM");
  expect(Call("FlushExpireKeys", {{"InstanceId", "lapse"}}, "id-reader", "t4cret"), 403,
         "Forbidden.RAM");
  expect(Call("DescribeInstances", {}, "id-gone", "x"), 403, "InvalidAccessKeyId.Inactive");
  expect(Call("DescribeInstances", {{"PageSize", "0"}}), 400, "InvalidParameter");
  expect(bed.Post("/"), 400, "MissingParameter");
  expect(bed.Post("/?Action=DescribeInstances&Version=2014-01-01"), 400, "InvalidVersion");
  EXPECT_TRUE(bed.db().Run("FLUSHEXPIREKEYS STATUS").IsError());
}

TEST_F(RpcTest, ARequestWorksOnce) {
  const Ask ask = Signed("FlushExpireKeys", {{"InstanceId", "lapse"}});
  EXPECT_EQ(StatusOf(bed.Send(ask)), 200);
  EXPECT_EQ(Code(bed.Send(ask)), "SignatureNonceUsed");
  const Ask old = Signed("DescribeInstances", {});
  bed.db().AdvanceMs(kMaxSkewMs + 1000);
  EXPECT_EQ(Code(bed.Send(old)), "InvalidTimeStamp.Expired");
}

TEST_F(RpcTest, GuessingSecretsEnds) {
  for (int i = 0; i < LoginThrottle::kMostOfOneName; ++i) {
    EXPECT_EQ(StatusOf(Call("DescribeInstances", {}, "id-robot", "wrong")), 400);
  }
  EXPECT_EQ(StatusOf(Call("DescribeInstances")), 429);
  EXPECT_EQ(StatusOf(Call("DescribeInstances", {}, "id-reader", "t4cret")), 200);
}

TEST_F(RpcTest, AnUnsignedRequestLogsInAsElsewhere) {
  constexpr std::string_view kDescribe = "/?Action=DescribeInstances&Version=2015-01-01";
  constexpr std::string_view kFlush =
      "/?Action=FlushExpireKeys&Version=2015-01-01&InstanceId=lapse";
  EXPECT_EQ(StatusOf(bed.Get(std::string(kDescribe))), 401);
  EXPECT_EQ(StatusOf(bed.Get(std::string(kDescribe), "robot:pw")), 200);
  // What a page could have a browser send with the user's login is no way in.
  EXPECT_EQ(StatusOf(bed.Get(std::string(kFlush), "robot:pw")), 405);
  Ask form{HttpVerb::post,
           std::string(kFlush),
           "",
           "robot:pw",
           {{"Content-Type", "application/x-www-form-urlencoded"}}};
  EXPECT_EQ(StatusOf(bed.Send(form)), 415);
  Ask cross{
      HttpVerb::post, std::string(kFlush), "", "robot:pw", {{"Origin", "https://evil.example"}}};
  EXPECT_EQ(StatusOf(bed.Send(cross)), 403);
  EXPECT_TRUE(bed.db().Run("FLUSHEXPIREKEYS STATUS").IsError());
  EXPECT_EQ(StatusOf(bed.Post(std::string(kFlush), "", "robot:pw")), 200);
}

TEST_F(RpcTest, OtherMethodsAreRefused) {
  HttpResponse response = bed.Send({HttpVerb::put, "/?Action=DescribeInstances"});
  EXPECT_EQ(StatusOf(response), 405);
  EXPECT_EQ(Code(response), "UnsupportedHTTPMethod");
}

}  // namespace
}  // namespace lapse
