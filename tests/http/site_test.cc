// What the site answers, asked in the process: routes and their commands, methods, logins, what
// browsers may do, and bodies that are none.
#include "server/http/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/http/bed.h"

namespace lapse {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr ConsoleFile kFiles[] = {{"/index.html", "text/html; charset=utf-8", "<!doctype html>"},
                                  {"/app.js", "text/javascript", "1;"}};

Config WithPassword() {
  Config config;
  config.requirepass = "secret";
  return config;
}

std::string Header(const HttpResponse& response, std::string_view name) {
  const auto found = response.find(std::string(name));
  return found == response.end() ? "" : std::string(View(found->value()));
}

TEST(SiteTest, HealthNeedsNoLogin) {
  HttpBed bed(WithPassword());
  const HttpResponse response = bed.Get("/healthz");
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_EQ(response.body(), "ok\n");
}

TEST(SiteTest, EveryResponseSaysWhatABrowserMayDo) {
  HttpBed bed({}, kFiles);
  for (const char* const path :
       {"/healthz", "/", "/nothing", "/api/v1/config", "/api/v1/tasks/%"}) {
    const HttpResponse response = bed.Get(path);
    EXPECT_THAT(Header(response, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_THAT(Header(response, "Content-Security-Policy"), HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(Header(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(Header(response, "X-Frame-Options"), "DENY");
    EXPECT_EQ(Header(response, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(Header(response, "Access-Control-Allow-Origin"), "");
  }
  EXPECT_EQ(Header(bed.Get("/api/v1/config"), "Cache-Control"), "no-store");
}

TEST(SiteTest, ServesTheConsolesFiles) {
  HttpBed bed(WithPassword(), kFiles);
  const HttpResponse index = bed.Get("/");
  EXPECT_EQ(StatusOf(index), 200);
  EXPECT_EQ(index.body(), "<!doctype html>");
  EXPECT_EQ(Header(index, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(bed.Get("/index.html").body(), index.body());
  EXPECT_EQ(bed.Get("/app.js").body(), "1;");
  EXPECT_EQ(StatusOf(bed.Get("/app.css")), 404);
  const HttpResponse again =
      bed.Send({.target = "/", .headers = {{"If-None-Match", Header(index, "ETag")}}});
  EXPECT_EQ(StatusOf(again), 304);
  EXPECT_EQ(again.body(), "");
  const HttpResponse post = bed.Post("/app.js");
  EXPECT_EQ(StatusOf(post), 405);
  EXPECT_EQ(Header(post, "Allow"), "OPTIONS, GET, HEAD");
}

TEST(SiteTest, WithoutAConsoleThereIsNone) {
  HttpBed bed;
  EXPECT_EQ(StatusOf(bed.Get("/")), 404);
}

TEST(SiteTest, HeadIsGetWithoutABody) {
  HttpBed bed({}, kFiles);
  for (const char* const path : {"/", "/healthz", "/api/v1/config"}) {
    const HttpResponse get = bed.Get(path);
    const HttpResponse head = bed.Send({HttpVerb::head, path});
    EXPECT_EQ(StatusOf(head), 200) << path;
    EXPECT_EQ(head.body(), "") << path;
    EXPECT_EQ(Header(head, "Content-Length"), std::to_string(get.body().size())) << path;
  }
}

TEST(SiteTest, OtherMethodsAreRefusedWithThoseThatAreNot) {
  HttpBed bed;
  const HttpResponse wrong = bed.Send({HttpVerb::put, "/api/v1/tasks"});
  EXPECT_EQ(StatusOf(wrong), 405);
  EXPECT_EQ(Header(wrong, "Allow"), "OPTIONS, GET, HEAD, POST");
  const HttpResponse options = bed.Send({HttpVerb::options, "/api/v1/tasks"});
  EXPECT_EQ(StatusOf(options), 204);
  EXPECT_EQ(Header(options, "Allow"), "OPTIONS, GET, HEAD, POST");
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::options, "*"})), 204);
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::trace, "/"})), 501);
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::connect, "/"})), 501);
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::delete_, "/"})), 405);
}

TEST(SiteTest, ThereHasToBeOneHost) {
  HttpBed bed;
  EXPECT_EQ(StatusOf(bed.Send({.target = "/healthz", .headers = {{"Host", ""}}})), 400);
  HttpRequest two = RequestOf({.target = "/healthz"});
  two.insert(HttpField::host, "other");
  EXPECT_EQ(StatusOf(bed.site().Handle(two, bed.peer)), 400);
}

// --- logins ---

TEST(SiteTest, APasswordIsAskedForWhereThereIsOne) {
  HttpBed bed(WithPassword());
  const HttpResponse none = bed.Get("/api/v1/config");
  EXPECT_EQ(StatusOf(none), 401);
  EXPECT_THAT(Header(none, "WWW-Authenticate"), StartsWith("Basic "));
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "default:wrong")), 401);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "nobody:secret")), 401);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "default:secret")), 200);
  EXPECT_EQ(
      StatusOf(bed.Send({.target = "/api/v1/config", .headers = {{"Authorization", "Bearer x"}}})),
      401);
  EXPECT_EQ(
      StatusOf(bed.Send({.target = "/api/v1/config", .headers = {{"Authorization", "Basic !!"}}})),
      401);
}

// A browser would put its own question in front of the console's.
TEST(SiteTest, TheConsolesRequestsMakeNoBrowserAsk) {
  HttpBed bed(WithPassword());
  const HttpResponse response =
      bed.Send({.target = "/api/v1/config",
                .headers = {{"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Site", "same-origin"}}});
  EXPECT_EQ(StatusOf(response), 401);
  EXPECT_THAT(Header(response, "WWW-Authenticate"), StartsWith("X-Basic "));
}

TEST(SiteTest, AUserThatIsOffIsNobody) {
  HttpBed bed;
  bed.Run("ACL SETUSER bob off >pw +@all ~*");
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "bob:pw")), 401);
  bed.Run("ACL SETUSER bob on");
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "bob:pw")), 200);
}

TEST(SiteTest, GuessingPasswordsEnds) {
  HttpBed bed(WithPassword());
  for (int i = 0; i < LoginThrottle::kMostOfOneName; ++i) {
    EXPECT_EQ(StatusOf(bed.Get("/metrics", "default:wrong")), 401);
  }
  const HttpResponse refused = bed.Get("/metrics", "default:secret");
  EXPECT_EQ(StatusOf(refused), 429);
  EXPECT_EQ(Header(refused, "Retry-After"), "60");
  bed.peer.host = "127.0.0.2";
  EXPECT_NE(StatusOf(bed.Get("/api/v1/config", "default:secret")), 429);
  bed.peer.host = "127.0.0.1";
  bed.db().AdvanceMs(LoginThrottle::kWindowMs);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "default:secret")), 200);
}

TEST(SiteTest, FailedLoginsAreInTheAclsLog) {
  HttpBed bed(WithPassword());
  bed.Get("/metrics", "mallory:x");
  bed.db().Run("AUTH secret");
  const Reply log = bed.Run("ACL LOG");
  EXPECT_THAT(log.ToString(), HasSubstr("mallory"));
  EXPECT_THAT(log.ToString(), HasSubstr("127.0.0.1:50012"));
}

TEST(SiteTest, ANameThatIsNoAddressMayBeBentToThisMachine) {
  HttpBed bed;
  const auto status = [&](const std::string& host) {
    return StatusOf(bed.Send({.target = "/api/v1/config", .headers = {{"Host", host}}}));
  };
  EXPECT_EQ(status("rebound.example:8080"), 403);
  EXPECT_EQ(status("127.0.0.1.example:8080"), 403);
  EXPECT_EQ(status("localhost:8080"), 200);
  EXPECT_EQ(status("192.168.1.7"), 200);
  EXPECT_EQ(status("[::1]:8080"), 200);
  bed.Run("ACL SETUSER bob on >pw +@all ~*");
  EXPECT_EQ(
      StatusOf(bed.Send(
          {.target = "/api/v1/config", .login = "bob:pw", .headers = {{"Host", "lapse.example"}}})),
      200);
}

TEST(SiteTest, ProtectedModeIsForThisMachineAlone) {
  HttpBed bed;
  bed.peer = {"10.0.0.7", "10.0.0.7:5000", "10.0.0.1:8080", false, false};
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config")), 403);
  bed.Run("CONFIG SET protected-mode no");
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config")), 200);
  bed.Run("CONFIG SET protected-mode yes requirepass pw");
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/config", "default:pw")), 200);
}

// --- what browsers are made to send ---

TEST(SiteTest, ChangesFromOtherPagesAreRefused) {
  HttpBed bed;
  const auto patch = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return StatusOf(bed.Send({HttpVerb::patch, "/api/v1/config", R"({"active_expire_effort": 3})",
                              "", std::move(headers)}));
  };
  for (const char* const site : {"cross-site", "same-site", "anything"}) {
    EXPECT_EQ(patch({{"Sec-Fetch-Site", site}}), 403) << site;
  }
  for (const char* const origin :
       {"https://evil.example", "null", "http://127.0.0.1:8081", "https://127.0.0.1:8080",
        "http://127.0.0.1:8080.evil.example", "http://127.0.0.1"}) {
    EXPECT_EQ(patch({{"Origin", origin}}), 403) << origin;
  }
  for (const char* const type : {"text/plain", "application/x-www-form-urlencoded",
                                 "multipart/form-data", "application/jsonp", ""}) {
    EXPECT_EQ(patch({{"Content-Type", type}}), 415) << type;
  }
  EXPECT_EQ(bed.Run("CONFIG GET active-expire-effort")[1], "1");
  EXPECT_EQ(patch({{"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://127.0.0.1:8080"}}), 204);
  EXPECT_EQ(patch({{"Content-Type", "application/json; charset=utf-8"}}), 204);
  bed.peer.secure = true;
  EXPECT_EQ(patch({{"Origin", "https://127.0.0.1:8080"}}), 204);
  EXPECT_EQ(bed.Run("CONFIG GET active-expire-effort")[1], "3");
}

TEST(SiteTest, AnEmptyPostNeedsItsTypeToo) {
  HttpBed bed;
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::post,
                               "/api/v1/flushes",
                               "",
                               "",
                               {{"Content-Type", "application/x-www-form-urlencoded"}}})),
            415);
  EXPECT_EQ(StatusOf(bed.Post("/api/v1/flushes")), 202);
}

// --- bodies ---

TEST(SiteTest, BodiesThatAreNoJsonObjectAreRefused) {
  HttpBed bed;
  const auto status = [&](std::string body) {
    return StatusOf(bed.Send({HttpVerb::patch, "/api/v1/config", std::move(body)}));
  };
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("1"), std::string("null"),
        std::string("\"x\""), std::string("{\"a\":1}x"), std::string("{'a':1}"),
        std::string("{\"a\":\"\xFF\"}"), std::string("\0", 1), deep,
        R"({"active_expire_effort": )" + deep + "}"}) {
    EXPECT_EQ(status(body), 400) << body;
  }
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::get, "/api/v1/config", "{}"})), 400);
  EXPECT_EQ(bed.Run("CONFIG GET active-expire-effort")[1], "1");
}

// --- routes ---

TEST(SiteTest, ConfigurationOfExpiryAlone) {
  HttpBed bed;
  const auto patch = [&](std::string body) {
    return bed.Send({HttpVerb::patch, "/api/v1/config", std::move(body)});
  };
  EXPECT_EQ(StatusOf(patch(R"({"active_expire_strategy": "sampled", "hz": 20})")), 204);
  const boost::json::value config = JsonOf(bed.Get("/api/v1/config"));
  EXPECT_EQ(config.at("active_expire_strategy").as_string(), "sampled");
  EXPECT_EQ(config.at("hz").as_string(), "20");
  EXPECT_EQ(config.at("maintenance_window").as_string(), "02:00Z-06:00Z");
  for (const char* const body :
       {R"({"requirepass": "x"})", R"({"maxmemory": 1})", R"({"dir": "/"})", "{}",
        R"({"active_expire_effort": [1]})", R"({"active_expire_effort": 1.5})",
        R"({"active_expire_effort": 11})", R"({"active_expire_no_such": 1})",
        R"({"hz": 30, "requirepass": "x"})"}) {
    EXPECT_EQ(StatusOf(patch(body)), 400) << body;
  }
  EXPECT_EQ(bed.Run("CONFIG GET requirepass")[1], "");
  EXPECT_EQ(bed.Run("CONFIG GET hz")[1], "20");
}

TEST(SiteTest, RunsFromStartToEnd) {
  HttpBed bed;
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/flushes/latest")), 404);
  bed.Run("SET k v PX 10");
  bed.db().AdvanceMs(20);
  const HttpResponse started = bed.Post("/api/v1/flushes", R"({"maxcpu": 50, "scan": "hinted"})");
  ASSERT_EQ(StatusOf(started), 202) << started.body();
  const boost::json::value run = JsonOf(started);
  EXPECT_EQ(run.at("state").as_string(), "running");
  EXPECT_EQ(run.at("maxcpu").as_int64(), 50);
  EXPECT_EQ(run.at("scan").as_string(), "hinted");
  const std::string path = "/api/v1/flushes/" + std::to_string(run.at("run_id").as_int64());
  EXPECT_EQ(StatusOf(bed.Post("/api/v1/flushes")), 409);
  bed.db().DriveExpiry();
  bed.db().AdvanceMs(1000);
  bed.db().DriveExpiry();
  EXPECT_EQ(JsonOf(bed.Get(path)).at("state").as_string(), "succeeded");
  EXPECT_EQ(StatusOf(bed.Post(path + "/cancel")), 409);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/flushes/999")), 404);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/flushes/x")), 400);
  EXPECT_EQ(JsonOf(bed.Get("/api/v1/flushes?count=5")).as_array().size(), 1u);
  for (const char* const bad : {"?count=x", "?count=-1", "?count=0", "?limit=1"}) {
    EXPECT_EQ(StatusOf(bed.Get(std::string("/api/v1/flushes") + bad)), 400) << bad;
  }
}

TEST(SiteTest, RunsAreNotStartedByHalfUnderstoodRequests) {
  HttpBed bed;
  for (const char* const body :
       {R"({"maxcpu": 0})", R"({"maxcpu": "50"})", R"({"max_cpu": 50})", R"({"db": 99})",
        R"({"scan": "quick"})", R"({"dry_run": 1})", R"({"scan": "hinted ASYNC"})"}) {
    EXPECT_EQ(StatusOf(bed.Post("/api/v1/flushes", body)), 400) << body;
  }
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/flushes/latest")), 404);
}

TEST(SiteTest, InfoHasNumbers) {
  HttpBed bed;
  const boost::json::value info = JsonOf(bed.Get("/api/v1/info?section=memory"));
  EXPECT_TRUE(info.at("memory").at("used_memory").is_int64());
  EXPECT_EQ(info.as_object().size(), 1u);
}

TEST(SiteTest, SaysWhoIsLoggedInAndWhatTheyMayDo) {
  HttpBed bed;
  bed.Run("ACL SETUSER viewer on >pw +config|get +info");
  const boost::json::value session = JsonOf(bed.Get("/api/v1/session", "viewer:pw"));
  EXPECT_EQ(session.at("user").as_string(), "viewer");
  EXPECT_TRUE(session.at("may").at("getConfig").as_bool());
  EXPECT_TRUE(session.at("may").at("info").as_bool());
  EXPECT_FALSE(session.at("may").at("setConfig").as_bool());
  EXPECT_FALSE(session.at("may").at("startFlush").as_bool());
  EXPECT_TRUE(JsonOf(bed.Get("/api/v1/session")).at("may").at("startFlush").as_bool());
}

TEST(SiteTest, ServesItsOwnDescription) {
  HttpBed bed;
  EXPECT_EQ(JsonOf(bed.Get("/api/v1/openapi.json")).at("openapi").as_string(), "3.0.3");
}

TEST(SiteTest, TheMaintenanceWindowIsSet) {
  HttpBed bed;
  const auto put = [&](std::string body) {
    return StatusOf(bed.Send({HttpVerb::put, "/api/v1/maintenance-window", std::move(body)}));
  };
  EXPECT_EQ(put(R"({"start": "22:00Z", "end": "04:30Z"})"), 204);
  EXPECT_EQ(bed.Run("CONFIG GET maintenance-window")[1], "22:00Z-04:30Z");
  for (const char* const body :
       {R"({"start": "22:00Z"})", R"({"start": "24:00Z", "end": "04:30Z"})",
        R"({"start": "04:30Z", "end": "04:30Z"})", R"({"start": 1, "end": 2})",
        R"({"start": "01:00Z", "end": "02:00Z", "zone": "UTC"})"}) {
    EXPECT_EQ(put(body), 400) << body;
  }
  const boost::json::value instance = JsonOf(bed.Get("/api/v1/instances")).at(0);
  EXPECT_EQ(instance.at("maintain_start_time").as_string(), "22:00Z");
  EXPECT_EQ(instance.at("maintain_end_time").as_string(), "04:30Z");
}

TEST(SiteTest, CommandsRunAsTheUserAndShowWhere) {
  HttpBed bed;
  bed.Run("ACL SETUSER bob on >pw +info");
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/info", "bob:pw")), 200);
  const HttpResponse denied = bed.Get("/api/v1/config", "bob:pw");
  EXPECT_EQ(StatusOf(denied), 403);
  EXPECT_EQ(CodeOf(denied), "NOPERM");
  const std::string log = bed.Run("ACL LOG").ToString();
  EXPECT_THAT(log, HasSubstr("config|get"));
  EXPECT_THAT(log, HasSubstr("lib-name=http"));
}

}  // namespace
}  // namespace lapse
