#include "server/http/login_throttle.h"

#include <gtest/gtest.h>

namespace lapse {
namespace {

TEST(LoginThrottleTest, TheTenthFailureIsTheLastWithinAMinute) {
  LoginThrottle throttle;
  for (int i = 0; i < LoginThrottle::kMostOfOneName; ++i) {
    EXPECT_EQ(throttle.RetryAfterMs("::1", "alice", 1000 + i), 0);
    throttle.NoteFailure("::1", "alice", 1000 + i);
  }
  EXPECT_GT(throttle.RetryAfterMs("::1", "alice", 2000), 0);
  EXPECT_EQ(throttle.RetryAfterMs("::1", "bob", 2000), 0);
  EXPECT_EQ(throttle.RetryAfterMs("::2", "alice", 2000), 0);
  EXPECT_EQ(throttle.RetryAfterMs("::1", "alice", 1000 + LoginThrottle::kWindowMs), 0);
}

TEST(LoginThrottleTest, ManyNamesFromOneAddressEndAsWell) {
  LoginThrottle throttle;
  for (int i = 0; i < LoginThrottle::kMostOfOneAddress; ++i) {
    const std::string name = "user" + std::to_string(i);
    EXPECT_EQ(throttle.RetryAfterMs("::1", name, 0), 0);
    throttle.NoteFailure("::1", name, 0);
  }
  EXPECT_GT(throttle.RetryAfterMs("::1", "another", 0), 0);
}

TEST(LoginThrottleTest, AClockSetBackLocksNobodyOutForLong) {
  LoginThrottle throttle;
  for (int i = 0; i < LoginThrottle::kMostOfOneName; ++i) {
    throttle.NoteFailure("::1", "alice", 1'000'000'000);
  }
  EXPECT_LE(throttle.RetryAfterMs("::1", "alice", 0), LoginThrottle::kWindowMs);
}

TEST(LoginThrottleTest, RemembersABoundedNumber) {
  LoginThrottle throttle;
  for (size_t i = 0; i < 2 * LoginThrottle::kMaxEntries; ++i) {
    throttle.NoteFailure(std::to_string(i), "x", 0);
  }
  EXPECT_EQ(throttle.RetryAfterMs("0", "x", 0), 0);
}

}  // namespace
}  // namespace lapse
