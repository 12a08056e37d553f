#include "server/supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/support/server_process.h"
#include "tests/support/wire_client.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A manager's end of the socket, in a scratch directory or, for a name with '@', in none.
class Manager {
 public:
  explicit Manager(bool abstract = false) {
    std::string pattern = (std::filesystem::temp_directory_path() / "lapse-sd-XXXXXX").string();
    dir_ = mkdtemp(pattern.data());
    name_ = abstract ? "@" + dir_ : dir_ + "/notify";
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    if (abstract) address.sun_path[0] = '\0';
    const size_t size = offsetof(sockaddr_un, sun_path) + name_.size() + (abstract ? 0 : 1);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    const timeval patience = {kPatience.count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~Manager() {
    close(fd_);
    std::filesystem::remove_all(dir_);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  const std::string& name() const { return name_; }
  // The next message; "" when none comes.
  std::string Receive() {
    char text[512];
    const ssize_t size = recv(fd_, text, sizeof(text), 0);
    return size < 0 ? "" : std::string(text, static_cast<size_t>(size));
  }

 private:
  std::string dir_;
  std::string name_;
  int fd_ = -1;
};

// An environment variable for as long as the object lives.
class Setting {
 public:
  Setting(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~Setting() { unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* const name_;
};

TEST(Supervisor, TellsASocketByPathAndByAbstractName) {
  for (const bool abstract : {false, true}) {
    Manager manager(abstract);
    const Supervisor service(manager.name());
    EXPECT_TRUE(service.Ready("serving"));
    EXPECT_EQ(manager.Receive(), "READY=1\nSTATUS=serving\n");
    EXPECT_TRUE(service.KeepAlive());
    EXPECT_EQ(manager.Receive(), "WATCHDOG=1\n");
    EXPECT_TRUE(service.Stopping("SIGTERM"));
    EXPECT_EQ(manager.Receive(), "STOPPING=1\nSTATUS=SIGTERM\n");
  }
}

TEST(Supervisor, IsSilentWithoutASocketThatListens) {
  EXPECT_FALSE(Supervisor("").Ready("serving"));
  EXPECT_FALSE(Supervisor("/nowhere/notify").Ready("serving"));
  EXPECT_FALSE(Supervisor(std::string(200, 'x')).Ready("serving"));
}

TEST(Supervisor, ReadsTheEnvironment) {
  EXPECT_FALSE(Supervisor::FromEnvironment().listens());
  const Setting socket("NOTIFY_SOCKET", "/run/notify");
  const Setting period("WATCHDOG_USEC", "30000000");
  EXPECT_TRUE(Supervisor::FromEnvironment().listens());
  EXPECT_EQ(Supervisor::FromEnvironment().watchdog_us(), 30'000'000);
  {
    const Setting mine("WATCHDOG_PID", std::to_string(getpid()));
    EXPECT_TRUE(Supervisor::FromEnvironment().wants_keep_alive());
  }
  const Setting others("WATCHDOG_PID", std::to_string(getpid() + 1));
  EXPECT_FALSE(Supervisor::FromEnvironment().wants_keep_alive());
  const Setting nonsense("WATCHDOG_USEC", "soon");
  EXPECT_EQ(Supervisor::FromEnvironment().watchdog_us(), 0);
}

TEST(Supervisor, HearsFromTheServerOverItsLife) {
  Manager manager;
  const Setting socket("NOTIFY_SOCKET", manager.name());
  const Setting period("WATCHDOG_USEC", "10000000");
  ServerProcess server;
  const std::string ready = manager.Receive();
  EXPECT_THAT(ready, StartsWith("READY=1\n"));
  EXPECT_THAT(ready, HasSubstr("127.0.0.1:" + std::to_string(server.port())));
  // Whoever is told so may connect.
  EXPECT_EQ(WireClient(server.port()).Call({"PING"}), "PONG");
  EXPECT_EQ(manager.Receive(), "WATCHDOG=1\n");
  server.Signal(SIGTERM);
  std::string last = manager.Receive();
  while (last == "WATCHDOG=1\n") last = manager.Receive();
  EXPECT_EQ(last, "STOPPING=1\nSTATUS=shutting down: SIGTERM\n");
  EXPECT_EQ(server.WaitForExit(), 0);
}

}  // namespace
}  // namespace lapse
