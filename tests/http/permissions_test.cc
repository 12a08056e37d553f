// Least privilege: a user can do over HTTP what it can do over RESP, and nothing else.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "server/http/routes.h"
#include "tests/http/bed.h"

namespace lapse {
namespace {

// A request for a route, with something in the place of its variable parts.
Ask AskFor(const Route& route, std::string_view login) {
  std::string target;
  std::string_view path = route.path;
  while (!path.empty()) {
    const size_t open = std::min(path.find('{'), path.size());
    target += path.substr(0, open);
    path.remove_prefix(open);
    if (path.empty()) break;
    target += "1";
    path.remove_prefix(path.find('}') + 1);
  }
  static const std::map<std::string_view, std::string> kBodies = {
      {"setConfig", R"({"active_expire_effort": 2})"},
      {"createTask", R"({"name": "t", "kind": "every", "when": "6h"})"},
      {"updateTask", R"({"maxcpu": 50})"},
      {"modifyMaintenanceWindow", R"({"start": "01:00Z", "end": "02:00Z"})"},
  };
  const auto body = kBodies.find(route.operation);
  return {route.method, target, body == kBodies.end() ? "" : body->second, std::string(login)};
}

// The operations that are not denied to the user.
std::set<std::string> Allowed(HttpBed& bed, std::string_view login) {
  std::set<std::string> allowed;
  for (const Route& route : Routes()) {
    if (route.command.empty()) continue;
    const HttpResponse response = bed.Send(AskFor(route, login));
    EXPECT_NE(StatusOf(response), 401) << route.operation;
    if (StatusOf(response) == 403) {
      EXPECT_EQ(CodeOf(response), "NOPERM") << route.operation << ": " << response.body();
    } else if (StatusOf(response) != 501) {
      allowed.emplace(route.operation);
    }
  }
  return allowed;
}

// The routes whose commands the server has.
std::set<std::string> Operations(HttpBed& bed, std::set<std::string> names) {
  std::set<std::string> there;
  for (const Route& route : Routes()) {
    const std::string container(route.command.substr(0, route.command.find('|')));
    if (bed.db().instance().registry.Find(container) == nullptr) continue;
    for (const std::string& name : names) {
      if (name == route.operation) there.insert(name);
    }
  }
  return there;
}

TEST(HttpPermissionsTest, TheRoleThatFlushesAndLooks) {
  HttpBed bed;
  bed.Run("ACL SETUSER robot on >pw +flushexpirekeys +describeinstances");
  EXPECT_EQ(Allowed(bed, "robot:pw"), Operations(bed, {"listFlushes", "startFlush", "getFlush",
                                                       "cancelFlush", "describeInstances"}));

  Db::Client robot(bed.db());
  robot.Run("AUTH robot pw");
  EXPECT_FALSE(robot.Run("FLUSHEXPIREKEYS HISTORY").IsError());
  EXPECT_FALSE(robot.Run("DESCRIBEINSTANCES").IsError());
  for (const char* const line :
       {"PING", "GET k", "SET k v", "CONFIG GET *", "INFO", "DESCRIBEHISTORYTASKS", "ACL LIST",
        "MODIFYINSTANCEMAINTAINTIME 01:00Z 02:00Z", "KEYS *", "FLUSHALL"}) {
    const Reply reply = robot.Run(line);
    ASSERT_TRUE(reply.IsError()) << line;
    EXPECT_TRUE(reply.text.starts_with("NOPERM")) << line << ": " << reply.text;
  }
}

TEST(HttpPermissionsTest, EachCategoryOpensItsRoutesAlone) {
  HttpBed bed;
  const std::map<std::string, std::set<std::string>> kRoles = {
      {"taskread", {"listTasks", "getTask"}},
      {"taskwrite", {"createTask", "updateTask", "deleteTask", "pauseTask", "resumeTask"}},
      {"tasktrigger", {"triggerTask", "cancelExecution"}},
      {"taskhistory",
       {"listTaskExecutions", "listExecutions", "getExecution", "describeHistoryTasks"}},
  };
  for (const auto& [category, operations] : kRoles) {
    const Reply made = bed.db().Run(fmt::format("ACL SETUSER {} on >pw +@{}", category, category));
    if (made.IsError()) GTEST_SKIP() << "no such category yet: " << category;
    EXPECT_EQ(Allowed(bed, category + ":pw"), Operations(bed, operations)) << category;
  }
}

TEST(HttpPermissionsTest, NothingIsOpenToWhoMayDoNothing) {
  HttpBed bed;
  bed.Run("ACL SETUSER nobody on >pw");
  EXPECT_TRUE(Allowed(bed, "nobody:pw").empty());
}

TEST(HttpPermissionsTest, TheSessionSaysTheSame) {
  HttpBed bed;
  bed.Run("ACL SETUSER robot on >pw +flushexpirekeys +describeinstances");
  const std::set<std::string> allowed = Allowed(bed, "robot:pw");
  const boost::json::value session = JsonOf(bed.Get("/api/v1/session", "robot:pw"));
  for (const Route& route : Routes()) {
    if (route.command.empty()) continue;
    EXPECT_EQ(session.at("may").at(route.operation).as_bool(),
              allowed.contains(std::string(route.operation)))
        << route.operation;
  }
}

}  // namespace
}  // namespace lapse
