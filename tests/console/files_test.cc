// The page within the program: all its files, as they are in the tree, and nothing from elsewhere.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include "server/console/console.h"

namespace lapse {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

std::map<std::string, ConsoleFile> ByPath() {
  std::map<std::string, ConsoleFile> files;
  for (const ConsoleFile& file : ConsoleFiles()) files.emplace(file.path, file);
  return files;
}

TEST(ConsoleFiles, AreThoseOfTheTree) {
  const auto files = ByPath();
  size_t found = 0;
  for (const auto& entry : fs::directory_iterator(LAPSE_SOURCE_DIR "/server/console/page")) {
    ++found;
    const std::string path = "/" + entry.path().filename().string();
    ASSERT_TRUE(files.contains(path)) << path;
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(files.at(path).bytes, bytes) << path;
  }
  EXPECT_EQ(files.size(), found);
  EXPECT_EQ(files.size(), ConsoleFiles().size());
}

TEST(ConsoleFiles, HaveTheirTypes) {
  const auto files = ByPath();
  EXPECT_EQ(files.at("/index.html").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(files.at("/base.css").content_type, "text/css; charset=utf-8");
  EXPECT_EQ(files.at("/app.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(files.at("/favicon.svg").content_type, "image/svg+xml");
}

// A policy of "own files only" holds: nothing is inline, nothing comes from elsewhere, and what is
// referred to is there.
TEST(ConsoleFiles, ReferToEachOtherAlone) {
  const auto files = ByPath();
  const std::regex reference(R"re((?:src|href)="([^"#]+)"|from '\./([^']+)')re");
  for (const auto& [path, file] : files) {
    const std::string text(file.bytes);
    if (!path.ends_with(".svg")) {
      EXPECT_FALSE(std::regex_search(text, std::regex(R"re(["'(]https?://(?!www\.w3\.org))re")))
          << path;
    }
    EXPECT_THAT(text, Not(HasSubstr("innerHTML"))) << path;
    EXPECT_THAT(text, Not(HasSubstr("eval("))) << path;
    if (path.ends_with(".html")) {
      EXPECT_FALSE(std::regex_search(text, std::regex(R"re(<style|style=|\son\w+=|<script>)re")));
    }
    for (auto match = std::sregex_iterator(text.begin(), text.end(), reference);
         match != std::sregex_iterator(); ++match) {
      const std::string name = (*match)[1].matched ? (*match)[1] : (*match)[2];
      EXPECT_TRUE(files.contains("/" + name)) << path << " refers to " << name;
    }
  }
}

}  // namespace
}  // namespace lapse
