// Flush tasks of a real server: they outlive a kill, a file that is no use is set aside, and runs
// reach other servers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "fmt/format.h"
#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

Reply Field(const Reply& map, std::string_view name) {
  for (size_t i = 0; i + 1 < map.size(); i += 2) {
    if (map[i] == name) return map[i + 1];
  }
  return {};
}

// A directory of its own, gone with the test.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::absolute(fmt::format(
            "wire-{}", ::testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string text() const { return path_.string(); }
  std::filesystem::path File(const std::string& name) const { return path_ / name; }

 private:
  const std::filesystem::path path_;
};

TEST(FlushTaskOnTheWire, OutlivesAKill) {
  const Folder folder;
  {
    ServerProcess server({"--dir", folder.text()});
    WireClient client(server.port());
    EXPECT_EQ(client.Call({"FLUSHTASK", "CREATE", "t", "CRON", "0 4 * * *"}), "OK");
    EXPECT_EQ(client.Call({"FLUSHTASK", "TRIGGER", "t"}), 1);
    EXPECT_TRUE(Eventually([&] {
      std::ifstream file(folder.File("flush-tasks.json"));
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      return text.find("\"Success\"") != text.npos;
    }));
    server.Signal(SIGKILL);
    server.WaitForExit();
  }
  ServerProcess server({"--dir", folder.text()});
  WireClient client(server.port());
  const Reply task = client.Call({"FLUSHTASK", "SHOW", "t"});
  EXPECT_EQ(Field(task, "when"), "0 4 * * *");
  EXPECT_EQ(Field(task, "last-status"), "Success");
  EXPECT_EQ(Field(client.Call({"FLUSHTASK", "EXECUTION", "1"}), "status"), "Success");
}

TEST(FlushTaskOnTheWire, ACorruptFileStopsNoStart) {
  const Folder folder;
  std::ofstream(folder.File("flush-tasks.json")) << "{\"version\": 1, \"tasks\": [";
  ServerProcess server({"--dir", folder.text()});
  WireClient client(server.port());
  EXPECT_EQ(client.Call({"PING"}), "PONG");
  EXPECT_THAT(server.Output(), HasSubstr("cannot be read"));
  EXPECT_THAT(server.Output(), HasSubstr("flush-tasks.json.corrupt-"));
}

TEST(FlushTaskOnTheWire, EndsOfItselfOnSigtermWithWhatWasAskedForLast) {
  const Folder folder;
  {
    ServerProcess server({"--dir", folder.text()});
    WireClient client(server.port());
    for (int i = 0; i < 20; ++i) {
      client.Call({"FLUSHTASK", "CREATE", fmt::format("t{}", i), "EVERY", "1h"});
    }
    server.Signal(SIGTERM);
    EXPECT_EQ(server.WaitForExit(), 0);
  }
  ServerProcess server({"--dir", folder.text()});
  WireClient client(server.port());
  EXPECT_EQ(client.Call({"FLUSHTASK", "LIST"}).size(), 20u);
}

TEST(FlushTaskOnTheWire, FlushesOtherServersWithinItsTolerance) {
  ServerProcess other({"--requirepass", "s3cret", "--enable-debug-command", "yes"});
  WireClient there(other.port());
  there.Call({"AUTH", "s3cret"});
  there.Call({"DEBUG", "SET-ACTIVE-EXPIRE", "0"});
  for (int i = 0; i < 100; ++i) there.Call({"SET", fmt::format("k{}", i), "v", "PX", "1"});
  EXPECT_TRUE(Eventually([&] {
    const std::string info = there.Call({"INFO", "expiry"}).text;
    return info.find("expire_unreclaimed_keys:100\r") != info.npos;
  }));
  ServerProcess server;
  WireClient client(server.port());
  const std::string good = fmt::format("redis://:s3cret@127.0.0.1:{}", other.port());
  const std::string bad = fmt::format("redis://127.0.0.1:{}", FreePort());
  EXPECT_EQ(client.Call({"FLUSHTASK", "CREATE", "fleet", "EVERY", "1d", "ON", good, bad, "LOCAL",
                         "MAXERRORS", "1"}),
            "OK");
  EXPECT_EQ(client.Call({"FLUSHTASK", "TRIGGER", "fleet"}), 1);
  Reply execution;
  EXPECT_TRUE(Eventually([&] {
    execution = client.Call({"FLUSHTASK", "EXECUTION", "1"});
    return Field(execution, "status") == "Success" || Field(execution, "status") == "Failed";
  }));
  EXPECT_EQ(Field(execution, "status"), "Success") << execution.ToString();
  EXPECT_THAT(Field(execution, "reason").text, HasSubstr("1 of 3 targets failed"));
  const Reply targets = Field(execution, "targets");
  ASSERT_EQ(targets.size(), 3u);
  EXPECT_EQ(Field(targets[0], "target"), fmt::format("redis://:***@127.0.0.1:{}", other.port()));
  EXPECT_EQ(Field(targets[0], "status"), "Success");
  EXPECT_EQ(Field(targets[0], "reclaimed"), 100);
  EXPECT_GT(Field(targets[0], "memory-before").integer, 0);
  EXPECT_EQ(Field(targets[1], "status"), "Failed");
  EXPECT_EQ(Field(targets[2], "status"), "Success");
  const Reply there_run = there.Call({"FLUSHEXPIREKEYS", "STATUS"});
  EXPECT_EQ(Field(there_run, "state"), "succeeded") << "it was asked for its own flush";
}

TEST(FlushTaskOnTheWire, CancelsARunElsewhereAndEndsWithOneGoing) {
  // A server that listens and never answers.
  ServerProcess other;
  WireClient there(other.port());
  there.Call({"CLIENT", "PAUSE", "100000", "ALL"});
  ServerProcess server;
  WireClient client(server.port());
  const std::string target = fmt::format("redis://127.0.0.1:{}", other.port());
  client.Call({"FLUSHTASK", "CREATE", "t", "EVERY", "1d", "ON", target});
  EXPECT_EQ(client.Call({"FLUSHTASK", "TRIGGER", "t"}), 1);
  EXPECT_EQ(client.Call({"FLUSHTASK", "CANCEL", "1"}), "OK");
  EXPECT_TRUE(Eventually([&] {
    return Field(client.Call({"FLUSHTASK", "EXECUTION", "1"}), "status") == "Cancelled";
  }));
  EXPECT_EQ(client.Call({"FLUSHTASK", "TRIGGER", "t"}), 2);
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  other.Signal(SIGKILL);
}

}  // namespace
}  // namespace lapse
