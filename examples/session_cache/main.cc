// A session cache: logins that are forgotten after a while without use, in the program's own
// memory.
#include <lapse/lapse.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <thread>

namespace {

using std::chrono::milliseconds;
constexpr milliseconds kIdleTime{200};

// Returns who is logged in, and lets the session live on.
std::optional<std::string> UserOf(lapse::Engine& cache, const std::string& token) {
  std::optional<std::string> user = cache.Get("session:" + token);
  if (user) cache.Expire("session:" + token, kIdleTime);
  return user;
}

}  // namespace

int main() {
  auto opened = lapse::Engine::Open();
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().c_str());
    return 1;
  }
  lapse::Engine& cache = **opened;
  const lapse::Subscription log = cache.OnExpired([](const lapse::ExpiredKey& expired) {
    std::printf("%s has expired\n", expired.key.c_str());
  });

  cache.Set("session:7f3a", "alice", {.ttl = kIdleTime});
  std::printf("logged in: %s\n", UserOf(cache, "7f3a").value_or("nobody").c_str());

  std::this_thread::sleep_for(2 * kIdleTime);
  std::printf("logged in: %s\n", UserOf(cache, "7f3a").value_or("nobody").c_str());
  std::printf("sessions held: %lld\n", static_cast<long long>(cache.Size()));
}
