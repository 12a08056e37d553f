#include "server/http/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "boost/json/parse.hpp"
#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/core/config.h"
#include "server/core/registry.h"

namespace lapse {
namespace {

// "GET /api/v1/tasks" -> the operationId.
std::map<std::string, std::string> DescribedRoutes() {
  std::map<std::string, std::string> routes;
  const boost::json::value file = boost::json::parse(OpenApiText());
  for (const auto& [path, operations] : file.at("paths").as_object()) {
    for (const auto& [method, operation] : operations.as_object()) {
      std::string verb(View(method));
      for (char& c : verb) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      routes[fmt::format("{} {}", verb, View(path))] =
          std::string(View(operation.at("operationId").as_string()));
    }
  }
  return routes;
}

TEST(RoutesTest, TheOpenApiFileHasJustTheRoutes) {
  std::map<std::string, std::string> routes;
  for (const Route& route : Routes()) {
    routes[fmt::format("{} {}", View(boost::beast::http::to_string(route.method)), route.path)] =
        route.operation;
  }
  EXPECT_EQ(routes, DescribedRoutes());
}

// Every {...} of a path is a parameter of each of its operations, and no other is.
TEST(RoutesTest, TheOpenApiFileHasThePathsParameters) {
  const boost::json::value file = boost::json::parse(OpenApiText());
  for (const auto& [path, operations] : file.at("paths").as_object()) {
    std::set<std::string> expected;
    const std::string_view text = View(path);
    for (size_t at = 0; (at = text.find('{', at)) != text.npos; ++at) {
      expected.emplace(text.substr(at + 1, text.find('}', at) - at - 1));
    }
    for (const auto& [method, operation] : operations.as_object()) {
      std::set<std::string> given;
      if (const auto* const parameters = operation.as_object().if_contains("parameters")) {
        for (const boost::json::value& parameter : parameters->as_array()) {
          if (parameter.at("in").as_string() != "path") continue;
          given.emplace(View(parameter.at("name").as_string()));
        }
      }
      EXPECT_EQ(given, expected) << View(method) << " " << text;
    }
  }
}

// Whatever the file refers to is in it.
TEST(RoutesTest, TheOpenApiFilesReferencesLead) {
  const std::string_view text = OpenApiText();
  const boost::json::value file = boost::json::parse(text);
  constexpr std::string_view kRef = "\"#/";
  size_t found = 0;
  for (size_t at = 0; (at = text.find(kRef, at)) != text.npos; ++at) {
    const std::string pointer(text.substr(at + 2, text.find('"', at + 1) - at - 2));
    boost::system::error_code error;
    EXPECT_NE(file.find_pointer(pointer, error), nullptr) << pointer;
    ++found;
  }
  EXPECT_GT(found, 10u);
}

TEST(RoutesTest, PathsAreMatchedAsAWhole) {
  const auto operation = [](HttpVerb method, const std::vector<std::string>& segments) {
    const RouteMatch match = FindRoute(method, segments);
    return match.route == nullptr ? "" : std::string(match.route->operation);
  };
  EXPECT_EQ(operation(HttpVerb::get, {"api", "v1", "tasks"}), "listTasks");
  EXPECT_EQ(operation(HttpVerb::head, {"api", "v1", "tasks"}), "listTasks");
  EXPECT_EQ(operation(HttpVerb::get, {"api", "v1", "tasks", "x"}), "getTask");
  EXPECT_EQ(operation(HttpVerb::get, {"api", "v1"}), "");
  EXPECT_EQ(operation(HttpVerb::get, {"api", "v1", "tasks", "x", "pause"}), "");
  EXPECT_EQ(operation(HttpVerb::post, {"api", "v1", "tasks", "x", "pause"}), "pauseTask");
  EXPECT_EQ(operation(HttpVerb::post, {"api", "v1", "tasks", "x", "pause", "y"}), "");
  EXPECT_EQ(FindRoute(HttpVerb::get, std::vector<std::string>{"api", "v1", "tasks", "pause"}).path,
            std::vector<std::string>{"pause"});
  EXPECT_EQ(FindRoute(HttpVerb::put, std::vector<std::string>{"api", "v1", "config"}).allow,
            "OPTIONS, GET, HEAD, PATCH");
}

}  // namespace
}  // namespace lapse
