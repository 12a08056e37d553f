#include "remote/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RemoteTarget Parse(std::string_view url) {
  const absl::StatusOr<RemoteTarget> target = ParseRemoteUrl(url);
  EXPECT_TRUE(target.ok()) << url << ": " << target.status();
  return target.value_or(RemoteTarget{});
}

std::string WhyNot(std::string_view url) {
  const absl::StatusOr<RemoteTarget> target = ParseRemoteUrl(url);
  EXPECT_FALSE(target.ok()) << url;
  return std::string(target.status().message());
}

RemoteAddress At(std::string host, int port) { return {.host = std::move(host), .port = port}; }

TEST(RemoteTarget, OneServer) {
  const RemoteTarget plain = Parse("redis://cache.example");
  EXPECT_EQ(plain.kind, RemoteKind::kServer);
  EXPECT_FALSE(plain.tls);
  EXPECT_THAT(plain.seeds, ElementsAre(At("cache.example", 6379)));
  EXPECT_EQ(plain.user, "");
  EXPECT_EQ(plain.db, std::nullopt);

  const RemoteTarget full = Parse("rediss://ops:se%40cret@[2001:db8::1]:7000/12");
  EXPECT_TRUE(full.tls);
  EXPECT_THAT(full.seeds, ElementsAre(At("2001:db8::1", 7000)));
  EXPECT_EQ(full.user, "ops");
  EXPECT_EQ(full.password, "se@cret");
  EXPECT_EQ(full.db, 12);
}

TEST(RemoteTarget, UserAndPassword) {
  const RemoteTarget password = Parse("redis://:secret@host");
  EXPECT_EQ(password.user, "");
  EXPECT_EQ(password.password, "secret");
  const RemoteTarget user = Parse("redis://ops@host");
  EXPECT_EQ(user.user, "ops");
  EXPECT_EQ(user.password, "");
  // Nobody encodes these, so they are taken as they are meant.
  EXPECT_EQ(Parse("redis://u:a@b@host").password, "a@b");
  EXPECT_EQ(Parse("redis://u:a:b@host").password, "a:b");
}

TEST(RemoteTarget, Sockets) {
  const RemoteTarget target = Parse("unix:///run/redis/a%20b.sock?db=3");
  EXPECT_EQ(target.seeds.front().path, "/run/redis/a b.sock");
  EXPECT_EQ(target.db, 3);
  EXPECT_EQ(target.Text(), "unix:///run/redis/a%20b.sock?db=3");
  EXPECT_EQ(Parse("unix://u:p@/tmp/s").password, "p");
  EXPECT_THAT(WhyNot("unix://tmp/s"), HasSubstr("absolute path"));
  EXPECT_THAT(WhyNot("unix://"), HasSubstr("absolute path"));
}

TEST(RemoteTarget, Clusters) {
  const RemoteTarget target = Parse("redis-cluster://u:p@10.0.0.1:7000,10.0.0.2,[::1]:7002");
  EXPECT_EQ(target.kind, RemoteKind::kCluster);
  EXPECT_THAT(target.seeds,
              ElementsAre(At("10.0.0.1", 7000), At("10.0.0.2", 6379), At("::1", 7002)));
  EXPECT_TRUE(Parse("rediss-cluster://host/0").tls);
  EXPECT_THAT(WhyNot("redis-cluster://host/1"), HasSubstr("database 0"));
  EXPECT_THAT(WhyNot("redis://a,b"), HasSubstr("several hosts"));
}

TEST(RemoteTarget, Sentinels) {
  const RemoteTarget path = Parse(
      "redis-sentinel://u:p@h1,h2:5000/mymaster/4?sentinel-user=s&"
      "sentinel-password=t%26");
  EXPECT_EQ(path.kind, RemoteKind::kSentinel);
  EXPECT_THAT(path.seeds, ElementsAre(At("h1", 26379), At("h2", 5000)));
  EXPECT_EQ(path.master_name, "mymaster");
  EXPECT_EQ(path.user, "u");
  EXPECT_EQ(path.db, 4);
  EXPECT_EQ(path.sentinel_user, "s");
  EXPECT_EQ(path.sentinel_password, "t&");

  const RemoteTarget front = Parse("redis-sentinel://mymaster@h1:26379,h2/2");
  EXPECT_EQ(front.master_name, "mymaster");
  EXPECT_EQ(front.user, "");
  EXPECT_EQ(front.db, 2);
  // A name may look like a number where it cannot be a database.
  EXPECT_EQ(Parse("redis-sentinel://h/7").master_name, "7");
  // A user without a password, whose password comes from elsewhere.
  EXPECT_EQ(Parse("redis-sentinel://ops@h/name").user, "ops");
  EXPECT_THAT(WhyNot("redis-sentinel://h1"), HasSubstr("no master's name"));
  EXPECT_THAT(WhyNot("redis-sentinel://u:p@h1"), HasSubstr("no master's name"));
}

TEST(RemoteTarget, WhatIsNoUrlIsSaidWithoutItsPassword) {
  EXPECT_THAT(WhyNot("localhost:6379"), HasSubstr("no scheme"));
  EXPECT_THAT(WhyNot("http://u:secret@host"), HasSubstr("scheme is none of"));
  EXPECT_THAT(WhyNot("redis://"), HasSubstr("no host"));
  EXPECT_THAT(WhyNot("redis://h:"), HasSubstr("no port"));
  EXPECT_THAT(WhyNot("redis://h:0"), HasSubstr("no port"));
  EXPECT_THAT(WhyNot("redis://h:65536"), HasSubstr("no port"));
  EXPECT_THAT(WhyNot("redis://h/-1"), HasSubstr("database"));
  EXPECT_THAT(WhyNot("redis://h/99999999999999999999"), HasSubstr("database"));
  EXPECT_THAT(WhyNot("redis://[::1"), HasSubstr("]"));
  EXPECT_THAT(WhyNot("redis://h?what=1"), HasSubstr("unknown parameter what"));
  EXPECT_THAT(WhyNot("redis://u:%zz@h"), HasSubstr("password"));
  EXPECT_THAT(WhyNot("redis://" + std::string(10'000, 'a')), HasSubstr("too long"));
  for (const std::string url : {"http://u:secret@h", "redis://u:secret@h:x", "redis://u:secret@h/x",
                                "redis://u:secret@a,b", "redis://u:secret%@h"}) {
    EXPECT_THAT(WhyNot(url), Not(HasSubstr("secret"))) << url;
  }
}

TEST(RemoteTarget, ItsTextIsTheUrlWithoutPasswords) {
  const auto round = [](std::string_view url) { return Parse(url).Text(); };
  EXPECT_EQ(round("redis://host"), "redis://host:6379");
  EXPECT_EQ(round("rediss://ops:secret@[::1]:1/2"), "rediss://ops:***@[::1]:1/2");
  EXPECT_EQ(round("redis://:secret@h"), "redis://:***@h:6379");
  EXPECT_EQ(round("redis-cluster://a,b:1"), "redis-cluster://a:6379,b:1");
  EXPECT_EQ(round("redis-sentinel://m@h/1?sentinel-password=x"),
            "redis-sentinel://h:26379/m/1?sentinel-password=***");
  EXPECT_EQ(round("redis-sentinel://h/m?sentinel-user=u&sentinel-password=x"),
            "redis-sentinel://h:26379/m?sentinel-user=u&sentinel-password=***");
  // And reads as the same target again.
  EXPECT_EQ(Parse(round("redis-sentinel://o%20p:x@h/m")).user, "o p");
}

}  // namespace
}  // namespace lapse
