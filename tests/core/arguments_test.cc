#include "server/core/arguments.h"

#include <gtest/gtest.h>

#include <vector>

namespace lapse {
namespace {

using Args = std::vector<std::string_view>;

TEST(ArgumentReader, ReadsInOrder) {
  const Args args = {"SET", "k", "v", "eX", "10", "nx", "1.5"};
  ArgumentReader in(args, 3);
  EXPECT_EQ(in.left(), 4u);
  EXPECT_FALSE(in.Match("PX"));
  EXPECT_TRUE(in.Match("EX"));
  EXPECT_EQ(in.Integer(), 10);
  EXPECT_TRUE(in.Match("NX"));
  EXPECT_EQ(in.Float(), 1.5);
  EXPECT_FALSE(in.More());
  EXPECT_TRUE(in.ok());
}

TEST(ArgumentReader, KeepsTheFirstError) {
  const Args args = {"x", "5", "abc"};
  ArgumentReader in(args, 0);
  EXPECT_EQ(in.Integer(), 0);
  EXPECT_EQ(in.error(), errors::kNotInteger);
  EXPECT_FALSE(in.More()) << "nothing is left after a failure";
  EXPECT_EQ(in.Integer(), 0);
  EXPECT_EQ(in.Next(), "");
  in.Fail("another");
  EXPECT_EQ(in.error(), errors::kNotInteger);
}

TEST(ArgumentReader, AMissingArgumentIsASyntaxError) {
  const Args args = {"GET"};
  ArgumentReader in(args, 1);
  EXPECT_FALSE(in.Match("EX"));
  EXPECT_TRUE(in.ok()) << "an option that is not there is no error";
  EXPECT_EQ(in.Integer("ERR other"), 0);
  EXPECT_EQ(in.error(), errors::kSyntax);
}

TEST(ArgumentReader, Bounds) {
  const Args args = {"1", "10", "0", "11"};
  ArgumentReader in(args, 0);
  EXPECT_EQ(in.IntegerIn(1, 10), 1);
  EXPECT_EQ(in.IntegerIn(1, 10), 10);
  EXPECT_EQ(in.IntegerIn(1, 10, "ERR bounds"), 0);
  EXPECT_EQ(in.error(), "ERR bounds");
}

TEST(ArgumentReader, OwnsItsError) {
  const Args args = {"x"};
  ArgumentReader in(args, 0);
  in.Fail(std::string(40, 'x'));  // gone by the next line
  EXPECT_EQ(in.error(), std::string(40, 'x'));
}

TEST(EqualsIgnoreCase, AsciiLettersOnly) {
  EXPECT_TRUE(EqualsIgnoreCase("", ""));
  EXPECT_TRUE(EqualsIgnoreCase("GeT-9", "gEt-9"));
  EXPECT_FALSE(EqualsIgnoreCase("get", "gets"));
  EXPECT_FALSE(EqualsIgnoreCase("@", "`")) << "differ by the bit that letters differ by";
  EXPECT_FALSE(EqualsIgnoreCase("[", "{"));
}

}  // namespace
}  // namespace lapse
