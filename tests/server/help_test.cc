#include "server/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "server/core/config.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Help, HasEachDirectiveThatDoesSomething) {
  const std::string text = HelpText();
  for (const ConfigRow& row : ConfigTable()) {
    const std::string line = "\n  --" + std::string(row.name) + " [";
    if (row.effect == ConfigEffect::kWorks && row.now_called.empty()) {
      EXPECT_THAT(text, HasSubstr(line));
    } else {
      EXPECT_THAT(text, Not(HasSubstr(line)));
    }
  }
  EXPECT_THAT(text, HasSubstr("\n  --port [6379]\n      The TCP port to listen on. 0: no TCP.\n"));
}

TEST(Help, FitsATerminal) {
  std::istringstream lines(HelpText());
  for (std::string line; std::getline(lines, line);) {
    // A directive's name with its default cannot be broken.
    if (!line.starts_with("  --")) {
      EXPECT_LE(line.size(), 86u) << line;
    }
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

}  // namespace
}  // namespace lapse
