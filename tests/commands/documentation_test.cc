// The pages of docs/ say what they show: their commands are run as they stand there.
//
// A line that begins with "    > " is a command (a backslash at its end joins the next line to it),
// and the line after it the reply, if that is OK, a text or an error. Other replies differ from
// time to time, so of those only that they are no errors. Each section has a connection of its own.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/db.h"

namespace lapse {
namespace {

constexpr std::string_view kPrompt = "    > ";
constexpr std::string_view kText = "    \"";
constexpr std::string_view kError = "    (error) ";

std::vector<std::string> LinesOf(const std::string& page) {
  std::ifstream file(std::filesystem::path(LAPSE_SOURCE_DIR) / "docs" / page);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// Runs the page's commands; returns how many there were.
int RunPage(const std::string& page) {
  const std::vector<std::string> lines = LinesOf(page);
  EXPECT_FALSE(lines.empty()) << page;
  Db db;
  auto client = std::make_unique<Db::Client>(db);
  int commands = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("## ")) client = std::make_unique<Db::Client>(db);
    if (!lines[i].starts_with(kPrompt)) continue;
    std::string command = lines[i].substr(kPrompt.size());
    while (command.ends_with('\\') && i + 1 < lines.size()) {
      command.pop_back();
      command += lines[++i];
    }
    const std::string shown = i + 1 < lines.size() ? lines[i + 1] : "";
    const Reply reply = client->Run(command);
    db.DriveExpiry();  // ends a run that the command has started
    ++commands;
    if (shown.starts_with(kError)) {
      EXPECT_EQ(reply, shown.substr(kError.size())) << page << ": " << command;
    } else if (shown == "    OK") {
      EXPECT_EQ(reply, "OK") << page << ": " << command;
    } else if (shown.starts_with(kText)) {
      EXPECT_EQ(reply, shown.substr(kText.size(), shown.size() - kText.size() - 1)) << command;
    } else {
      EXPECT_FALSE(reply.IsError()) << page << ": " << command << ": " << reply.text;
    }
  }
  return commands;
}

TEST(Documentation, OperationsPageRuns) { EXPECT_GE(RunPage("operations.md"), 15); }

TEST(Documentation, CommandsPageRuns) { EXPECT_GE(RunPage("commands.md"), 2); }

}  // namespace
}  // namespace lapse
