// Tasks and their executions over HTTP, and the managed service's runs in its window, on a clock
// that moves when told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/services/services.h"
#include "tests/http/bed.h"

namespace lapse {
namespace {

using testing::HasSubstr;

class HttpTasksTest : public testing::Test {
 protected:
  // Lets so much time pass, with the operations thread's and expiry's steps in it.
  void Pass(int64_t ms, int64_t step_ms = 1000) {
    for (int64_t passed = 0; passed < ms; passed += step_ms) {
      bed.db().AdvanceMs(step_ms);
      Services::Of(bed.db().instance()).Operate();
      bed.db().DriveExpiry();
    }
    Services::Of(bed.db().instance()).Operate();
  }
  int Create(std::string body) { return StatusOf(bed.Post("/api/v1/tasks", std::move(body))); }
  boost::json::value Task(const std::string& name) {
    return JsonOf(bed.Get("/api/v1/tasks/" + name));
  }
  int Change(const std::string& name, std::string body) {
    return StatusOf(bed.Send({HttpVerb::patch, "/api/v1/tasks/" + name, std::move(body)}));
  }

  HttpBed bed;
};

TEST_F(HttpTasksTest, ATaskFromItsMakingToItsEnd) {
  const HttpResponse created = bed.Post(
      "/api/v1/tasks",
      R"({"name": "nightly", "kind": "cron", "when": "0 4,16 * * *", "timezone": "Europe/Berlin",
          "until": "2030-01-01T00:00:00Z", "maxcpu": 50, "offpeak_cpu": 30, "offpeak_within": "2h",
          "cooldown": "10m", "timeout": "30m", "missed": "skip", "db": [0, 2],
          "targets": ["local"]})");
  ASSERT_EQ(StatusOf(created), 201) << created.body();
  EXPECT_EQ(View(created.at(HttpField::location)), "/api/v1/tasks/nightly");
  const boost::json::value task = Task("nightly");
  EXPECT_EQ(task.at("status").as_string(), "Active");
  EXPECT_EQ(task.at("kind").as_string(), "cron");
  EXPECT_EQ(task.at("when").as_string(), "0 4,16 * * *");
  EXPECT_EQ(task.at("timezone").as_string(), "Europe/Berlin");
  EXPECT_EQ(task.at("maxcpu").as_int64(), 50);
  EXPECT_EQ(task.at("offpeak_cpu").as_int64(), 30);
  EXPECT_EQ(task.at("offpeak_within_ms").as_int64(), 7'200'000);
  EXPECT_EQ(task.at("cooldown_ms").as_int64(), 600'000);
  EXPECT_EQ(task.at("missed").as_string(), "skip");
  EXPECT_EQ(task.at("db").as_array().size(), 2u);
  EXPECT_EQ(task.at("next_runs").as_array().size(), 5u);
  EXPECT_EQ(task.at("created_by").as_string(), "default");
  EXPECT_EQ(Create(R"({"name": "nightly", "kind": "every", "when": "6h"})"), 409);

  EXPECT_EQ(Change("nightly", R"({"maxcpu": 20, "offpeak_cpu": null, "db": [], "until": null})"),
            204);
  EXPECT_EQ(Task("nightly").at("maxcpu").as_int64(), 20);
  EXPECT_EQ(Task("nightly").at("offpeak_cpu").as_int64(), 0);
  EXPECT_EQ(Task("nightly").at("db").as_array().size(), 0u);
  EXPECT_EQ(Task("nightly").at("until").as_int64(), 0);
  EXPECT_EQ(StatusOf(bed.Post("/api/v1/tasks/nightly/pause")), 204);
  EXPECT_EQ(Task("nightly").at("status").as_string(), "Paused");
  EXPECT_EQ(StatusOf(bed.Post("/api/v1/tasks/nightly/resume")), 204);
  EXPECT_EQ(JsonOf(bed.Get("/api/v1/tasks")).as_array().size(), 1u);
  EXPECT_EQ(StatusOf(bed.Send({HttpVerb::delete_, "/api/v1/tasks/nightly"})), 204);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/tasks/nightly")), 404);
  EXPECT_EQ(StatusOf(bed.Post("/api/v1/tasks/nightly/pause")), 404);
}

TEST_F(HttpTasksTest, AFiringAndItsHistory) {
  ASSERT_EQ(Create(R"({"name": "often", "kind": "every", "when": "1h"})"), 201);
  bed.Run("ACL SETUSER night on >pw +@tasktrigger");
  const HttpResponse triggered = bed.Post("/api/v1/tasks/often/trigger", "", "night:pw");
  ASSERT_EQ(StatusOf(triggered), 202) << triggered.body();
  const std::string id = std::to_string(JsonOf(triggered).at("execution").as_int64());
  Pass(5000);
  const boost::json::value execution = JsonOf(bed.Get("/api/v1/executions/" + id));
  EXPECT_EQ(execution.at("task").as_string(), "often");
  EXPECT_EQ(execution.at("trigger").as_string(), "manual");
  EXPECT_EQ(execution.at("requested_by").as_string(), "night");
  EXPECT_EQ(execution.at("status").as_string(), "Success");
  EXPECT_EQ(execution.at("targets").at(0).at("target").as_string(), "local");
  EXPECT_EQ(StatusOf(bed.Post("/api/v1/executions/" + id + "/cancel")), 409);
  const boost::json::value page = JsonOf(bed.Get("/api/v1/tasks/often/executions?page=1&count=5"));
  EXPECT_EQ(page.at("total").as_int64(), 1);
  EXPECT_EQ(page.at("page_size").as_int64(), 5);
  EXPECT_EQ(JsonOf(bed.Get("/api/v1/executions")).at("executions").as_array().size(), 1u);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/executions/999")), 404);
  EXPECT_EQ(StatusOf(bed.Get("/api/v1/executions?page=0")), 400);
}

TEST_F(HttpTasksTest, ATaskThatIsHalfUnderstoodIsNotMade) {
  for (const char* const body :
       {R"({"kind": "every", "when": "6h"})", R"({"name": "t"})", R"({"name": 5, "kind": "every"})",
        R"({"name": "t", "kind": "every"})", R"({"name": "t", "kind": "weekly", "when": "1"})",
        R"({"name": "t", "kind": "every", "when": "6h", "max_cpu": 5})",
        R"({"name": "t", "kind": "every", "when": "6h", "maxcpu": 500})",
        R"({"name": "t", "kind": "every", "when": "6h", "maxcpu": "5 DB 3"})",
        R"({"name": "t", "kind": "every", "when": ["6h"]})",
        R"({"name": "t", "kind": "every", "when": "6h", "targets": ["MAXCPU", "5"]})",
        R"({"name": "t", "kind": "every", "when": "6h", "targets": []})",
        R"({"name": "t", "kind": "every", "when": "6h", "db": ["ON"]})",
        R"({"name": "t", "kind": "every", "when": "6h", "db": 3})",
        R"({"name": "t", "kind": "every", "when": "6h", "offpeak_within": "2h"})",
        R"({"name": "a b", "kind": "every", "when": "6h"})",
        R"({"name": "t", "kind": "cron", "when": "0 4 * *"})"}) {
    EXPECT_EQ(Create(body), 400) << body;
  }
  EXPECT_EQ(JsonOf(bed.Get("/api/v1/tasks")).as_array().size(), 0u);
}

// What the managed service's clients start is an execution like any other.
TEST_F(HttpTasksTest, ARunInTheMaintenanceWindowWaitsForIt) {
  // 2023-11-14T22:13:20Z; the window opens at 02:00Z.
  const HttpResponse answer = bed.Post(
      "/?Action=FlushExpireKeys&Version=2015-01-01&InstanceId=lapse&EffectiveTime=MaintainTime");
  ASSERT_EQ(StatusOf(answer), 200) << answer.body();
  const std::string id(View(JsonOf(answer).at("TaskId").as_string()));
  const auto item = [&] {
    const HttpResponse history =
        bed.Get("/?Action=DescribeHistoryTasks&Version=2015-01-01&TaskId=" + id);
    return JsonOf(history).at("Items").at(0);
  };
  Pass(3'600'000, 60'000);
  EXPECT_EQ(item().at("Status").as_string(), "Waiting");
  EXPECT_EQ(item().at("EndTime").as_string(), "");
  Pass(4 * 3'600'000, 60'000);
  EXPECT_EQ(item().at("Status").as_string(), "Succeed");
  EXPECT_EQ(item().at("Progress").to_number<double>(), 100);
  EXPECT_THAT(std::string(View(item().at("EndTime").as_string())), HasSubstr("2023-11-15T02:"));
  EXPECT_EQ(item().at("CallerSource").as_string(), "User");
}

TEST_F(HttpTasksTest, ARunAtOnceComesFirst) {
  const HttpResponse answer =
      bed.Post("/?Action=FlushExpireKeys&Version=2015-01-01&InstanceId=lapse");
  ASSERT_EQ(StatusOf(answer), 200) << answer.body();
  Pass(5000);
  const boost::json::value tasks = JsonOf(bed.Get("/api/v1/history-tasks"));
  EXPECT_EQ(tasks.at("items").at(0).at("status").as_string(), "Succeed");
  EXPECT_EQ(tasks.at("items").at(0).at("reason_code").as_string(), "api");
}

}  // namespace
}  // namespace lapse
