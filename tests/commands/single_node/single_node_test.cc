// What a server answers that is a master without replicas, no part of a cluster, keeps nothing on
// disk and takes no modules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kNoCluster[] = "ERR This instance has cluster support disabled";

TEST(Persistence, RefusesToPretend) {
  Db db;
  EXPECT_EQ(db.Run("LASTSAVE").integer, 1'700'000'000);
  for (const char* command : {"SAVE", "BGSAVE", "BGSAVE SCHEDULE", "BGREWRITEAOF"}) {
    EXPECT_THAT(db.Run(command).text, StartsWith("ERR persistence is not available")) << command;
  }
  EXPECT_EQ(db.Run("BGSAVE foo"), "ERR syntax error");
}

TEST(Role, IsAMastersWithoutReplicas) {
  Db db;
  const Reply role = db.Run("ROLE");
  ASSERT_EQ(role.size(), 3u);
  EXPECT_EQ(role[0], "master");
  EXPECT_EQ(role[1].integer, 0);
  EXPECT_EQ(role[2].size(), 0u);
}

TEST(ReplicaOf, OnlyOfNone) {
  Db db;
  EXPECT_EQ(db.Run("REPLICAOF no one"), "OK");
  EXPECT_EQ(db.Run("SLAVEOF NO ONE"), "OK");
  EXPECT_EQ(db.Run("REPLICAOF host x"), "ERR Invalid master port");
  EXPECT_THAT(db.Run("REPLICAOF host 6379").text, StartsWith("ERR replication is not available"));
  EXPECT_THAT(db.Run("PSYNC ? -1").text, StartsWith("ERR replication is not available"));
  EXPECT_THAT(db.Run("SYNC").text, StartsWith("ERR replication is not available"));
}

TEST(ReplConf, IsTakenAndForgotten) {
  Db db;
  EXPECT_EQ(db.Run("REPLCONF"), "OK");
  EXPECT_EQ(db.Run("REPLCONF listening-port 1 capa eof"), "OK");
  EXPECT_EQ(db.Run("REPLCONF capa"), "ERR syntax error");
  EXPECT_EQ(db.Run("REPLCONF foo bar"), "ERR Unrecognized REPLCONF option: foo");
  EXPECT_EQ(db.client().CallRaw({"REPLCONF", "ACK", "1"}), "");
}

TEST(Wait, IsAnsweredAtOnceWhenNobodyIsWaitedFor) {
  Db db;
  EXPECT_EQ(db.Run("WAIT 0 0").integer, 0);
  EXPECT_EQ(db.Run("WAIT -1 0").integer, 0);
  EXPECT_EQ(db.Run("WAIT x 0"), "ERR value is not an integer or out of range");
  EXPECT_EQ(db.Run("WAIT 0 x"), "ERR timeout is not an integer or out of range");
  EXPECT_EQ(db.Run("WAIT 1 -1"), "ERR timeout is negative");
}

TEST(Wait, InATransactionDoesNotWait) {
  Db db;
  db.Run("MULTI");
  db.Run("WAIT 1 0");
  const Reply replies = db.Run("EXEC");
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].integer, 0);
}

TEST(Wait, WaitsForReplicasThatNeverCome) {
  Db db;
  Db::Client other(db);
  const int64_t id = other.Run("CLIENT ID").integer;
  other.Send("WAIT 1 0");
  EXPECT_TRUE(other.blocked());
  EXPECT_EQ(db.Run("CLIENT UNBLOCK " + std::to_string(id)).integer, 1);
  EXPECT_EQ(other.TakeReplies(), ":0\r\n");
  other.Send("WAIT 1 100");
  EXPECT_EQ(other.TakeReplies(), "");
  db.AdvanceMs(100);
  db.DriveExpiry();
  EXPECT_EQ(other.TakeReplies(), ":0\r\n");
}

TEST(Failover, NeedsReplicas) {
  Db db;
  EXPECT_EQ(db.Run("FAILOVER"), "ERR FAILOVER requires connected replicas.");
  EXPECT_EQ(db.Run("FAILOVER ABORT"), "ERR No failover in progress.");
  EXPECT_EQ(db.Run("FAILOVER ABORT ABORT"), "ERR syntax error");
  EXPECT_EQ(db.Run("FAILOVER TIMEOUT 0"), "ERR FAILOVER timeout must be greater than 0");
  EXPECT_EQ(db.Run("FAILOVER TO a"), "ERR syntax error");
}

TEST(Cluster, IsDisabled) {
  Db db;
  for (const char* command : {"CLUSTER INFO", "CLUSTER HELP", "CLUSTER KEYSLOT a", "READONLY",
                              "READWRITE", "ASKING", "CLUSTER SLOTS"}) {
    EXPECT_EQ(db.Run(command), kNoCluster) << command;
  }
  EXPECT_EQ(db.Run("CLUSTER foo"), "ERR unknown subcommand 'foo'. Try CLUSTER HELP.");
}

TEST(Module, ThereAreNone) {
  Db db;
  EXPECT_EQ(db.Run("MODULE LIST").size(), 0u);
  EXPECT_THAT(db.Run("MODULE LOAD x").text, StartsWith("ERR Error loading the extension"));
  EXPECT_EQ(db.Run("MODULE UNLOAD x"), "ERR Error unloading module: no such module with that name");
}

TEST(Migrate, SaysWhenThereIsNothingToSend) {
  Db db;
  EXPECT_EQ(db.Run("MIGRATE h 1 k 0 10"), "NOKEY");
  EXPECT_EQ(db.Call({"MIGRATE", "h", "1", "", "0", "10", "KEYS", "k", "l"}), "NOKEY");
  EXPECT_THAT(db.Run("MIGRATE h 1 k 0 10 KEYS a").text, HasSubstr("must be set to the empty"));
  EXPECT_EQ(db.Run("MIGRATE h 1 k 0 10 AUTH"), "ERR syntax error");
  db.Run("SET k v");
  EXPECT_THAT(db.Run("MIGRATE h 1 k 0 10").text, StartsWith("ERR MIGRATE is not available"));
  EXPECT_EQ(db.Run("GET k"), "v");
  EXPECT_THAT(Texts(db.Call({"COMMAND", "GETKEYS", "MIGRATE", "h", "1", "", "0", "9", "COPY",
                             "KEYS", "a", "b"})),
              ElementsAre("a", "b"));
}

TEST(MemoryDoctor, HasAReport) {
  Db db;
  EXPECT_THAT(db.Run("MEMORY DOCTOR").text, HasSubstr("memory"));
  EXPECT_THAT(db.Run("MEMORY MALLOC-STATS").text, HasSubstr("table:"));
}

}  // namespace
}  // namespace lapse
