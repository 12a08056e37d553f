// The server as a process: how it starts, what it says when it cannot, how it stops.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

size_t Lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string Program() { return std::getenv("LAPSE_SERVER"); }

TEST(Process, AnswersAndEndsCleanlyOnSigterm) {
  ServerProcess server({"--threads", "2", "--maxclients", "100"});
  WireClient client(server.port());
  EXPECT_EQ(client.Call({"SET", "k", "v"}), "OK");
  EXPECT_EQ(client.Call({"GET", "k"}), "v");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_THAT(server.Output(), HasSubstr("ready to accept connections on 127.0.0.1:"));
  EXPECT_THAT(server.Output(), HasSubstr("2 io threads"));
  EXPECT_THAT(server.Output(), HasSubstr("shutting down: SIGTERM"));
  EXPECT_EQ(server.Errors(), "");
  EXPECT_EQ(Lines(server.Output()), 4u) << server.Output();
}

TEST(Process, EndsCleanlyOnSigintWithBusyClients) {
  ServerProcess server({"--threads", "2"});
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  std::string pipeline;
  for (int i = 0; i < 200; ++i) pipeline += WireClient::Encode({"INCR", "n"});
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      WireClient client(server.port());
      while (client.Send(pipeline)) {
        for (int n = 0; n < 200; ++n) {
          if (!client.Read()) return;
        }
        ++served;
      }
    });
  }
  EXPECT_TRUE(Eventually([&] { return served > 20; }));
  server.Signal(SIGINT);
  EXPECT_EQ(server.WaitForExit(), 0);
  for (std::thread& client : clients) client.join();
}

TEST(Process, EndsOnShutdown) {
  ServerProcess server;
  WireClient client(server.port());
  client.Send(WireClient::Encode({"SHUTDOWN", "NOSAVE"}));
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_THAT(server.Output(), HasSubstr("shutting down: SHUTDOWN"));
}

TEST(Process, SaysWhenThePortIsTaken) {
  ServerProcess first;
  ServerProcess second({}, first.port());
  EXPECT_EQ(second.WaitForExit(), 1);
  EXPECT_EQ(second.Errors(), "lapse-server: cannot listen on 127.0.0.1:" +
                                 std::to_string(first.port()) + ": Address already in use\n");
}

TEST(Process, SaysWhatIsWrongWithItsConfiguration) {
  ServerProcess unknown({"--no-such-directive", "1"});
  EXPECT_EQ(unknown.WaitForExit(), 1);
  EXPECT_THAT(unknown.Errors(), StartsWith("lapse-server: "));
  EXPECT_THAT(unknown.Errors(), HasSubstr("no-such-directive"));
  EXPECT_EQ(Lines(unknown.Errors()), 1u);

  ServerProcess wrong({"--maxclients", "many"});
  EXPECT_EQ(wrong.WaitForExit(), 1);
  EXPECT_THAT(wrong.Errors(), HasSubstr("maxclients"));
  EXPECT_EQ(Lines(wrong.Errors()), 1u);

  ServerProcess nowhere({"--dir", "/no/such/directory"});
  EXPECT_EQ(nowhere.WaitForExit(), 1);
  EXPECT_EQ(nowhere.Errors(),
            "lapse-server: cannot change to directory /no/such/directory: "
            "No such file or directory\n");
}

TEST(Process, SaysWhenAnAddressCannotBeHad) {
  ServerProcess server({"--bind", "192.0.2.1"});
  EXPECT_EQ(server.WaitForExit(), 1);
  EXPECT_THAT(server.Errors(), StartsWith("lapse-server: cannot listen on 192.0.2.1:"));

  ServerProcess optional({"--bind", "127.0.0.1", "-192.0.2.1"});
  EXPECT_TRUE(optional.running());
}

TEST(Process, ReadsAConfigurationFile) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("lapse-" + std::to_string(getpid()) + ".conf"))
          .string();
  std::ofstream(path) << "# a comment\nmaxclients 123\nrequirepass \"pass word\"\n";
  {
    ServerProcess server({path});
    WireClient client(server.port());
    EXPECT_EQ(client.Call({"AUTH", "pass word"}), "OK");
    EXPECT_EQ(client.Call({"CONFIG", "GET", "maxclients"})[1], "123");
  }
  std::ofstream(path) << "maxclients 123\nprot 1\n";
  {
    ServerProcess server({path});
    EXPECT_EQ(server.WaitForExit(), 1);
    EXPECT_THAT(server.Errors(), HasSubstr(":2: "));
  }
  std::filesystem::remove(path);
}

TEST(Process, DescribesItself) {
  int status = -1;
  EXPECT_THAT(RunShell(Program() + " --version", &status), StartsWith("lapse-server "));
  EXPECT_EQ(status, 0);
  EXPECT_THAT(RunShell(Program() + " --help", &status), HasSubstr("usage: lapse-server"));
  EXPECT_EQ(status, 0);
  EXPECT_THAT(RunShell(Program() + " --print-config-docs", &status), HasSubstr("maxclients"));
  EXPECT_EQ(status, 0);
}

TEST(Process, WritesItsLogToAFileAndItsPidToAnother) {
  ServerProcess server({"--logfile", "server.log", "--pidfile", "server.pid"});
  const std::string pidfile = server.dir() + "/server.pid";
  // It answers before it has written these.
  EXPECT_TRUE(Eventually([&] { return ReadFile(pidfile) == std::to_string(server.pid()) + "\n"; }));
  EXPECT_TRUE(Eventually([&] {
    return ReadFile(server.dir() + "/server.log").find("ready to accept") != std::string::npos;
  }));
  EXPECT_EQ(server.Output(), "");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_FALSE(std::filesystem::exists(pidfile));
}

TEST(Process, GoesIntoTheBackground) {
  const int port = FreePort();
  const std::string dir =
      std::filesystem::temp_directory_path() / ("lapse-daemon-" + std::to_string(getpid()));
  std::filesystem::create_directory(dir);
  int status = -1;
  const std::string flags = " --daemonize yes --pidfile pid --dir " + dir;
  EXPECT_EQ(RunShell(Program() + " --port " + std::to_string(port) + flags, &status), "");
  EXPECT_EQ(status, 0);
  // Its parent has ended only when it was ready.
  WireClient client(port);
  EXPECT_EQ(client.Call({"PING"}), "PONG");
  EXPECT_THAT(RunShell(Program() + " --port " + std::to_string(port) + flags, &status),
              HasSubstr("Address already in use"));
  EXPECT_EQ(status, 1);
  client.Send(WireClient::Encode({"SHUTDOWN"}));
  EXPECT_TRUE(client.ReadsEnd());
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(dir + "/pid"); }));
  std::filesystem::remove_all(dir);
}

TEST(Process, FollowsTheLogLevel) {
  ServerProcess server({"--loglevel", "warning"});
  EXPECT_EQ(server.Output(), "");
  WireClient client(server.port());
  EXPECT_EQ(client.Call({"CONFIG", "SET", "loglevel", "notice"}), "OK");
  server.Signal(SIGTERM);
  EXPECT_EQ(server.WaitForExit(), 0);
  EXPECT_THAT(server.Output(), HasSubstr("stopped"));
}

}  // namespace
}  // namespace lapse
