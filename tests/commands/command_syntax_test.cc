#include "server/commands/command_syntax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "name:type", then TOKEN, ? for optional, * for multiple, and what it holds in parentheses.
std::string Shown(const std::vector<SyntaxArgument>& arguments) {
  std::string text;
  for (const SyntaxArgument& argument : arguments) {
    if (!text.empty()) text += ' ';
    text += argument.name + ':' + std::string(SyntaxTypeName(argument.type));
    if (!argument.token.empty()) text += '=' + argument.token;
    if (argument.optional) text += '?';
    if (argument.multiple) text += '*';
    if (!argument.arguments.empty()) text += '(' + Shown(argument.arguments) + ')';
  }
  return text;
}

std::string Parsed(std::string_view syntax) { return Shown(ParseSyntax(syntax)); }

TEST(CommandSyntax, Words) {
  EXPECT_THAT(ParseSyntax(""), IsEmpty());
  EXPECT_EQ(Parsed("key value"), "key:key value:string");
  EXPECT_EQ(Parsed("key seconds"), "key:key seconds:integer");
  EXPECT_EQ(Parsed("[username] password"), "username:string? password:string");
}

TEST(CommandSyntax, Tokens) {
  EXPECT_EQ(Parsed("[NOW]"), "now:pure-token=NOW?");
  EXPECT_EQ(Parsed("[MATCH pattern]"), "pattern:pattern=MATCH?");
  EXPECT_EQ(Parsed("ABSTTL key"), "key:key=ABSTTL");
  EXPECT_EQ(Parsed("NOW FORCE"), "now:pure-token=NOW force:pure-token=FORCE");
  EXPECT_EQ(Parsed("[AUTH username password]"),
            "username_password:block=AUTH?(username:string password:string)");
}

TEST(CommandSyntax, Alternatives) {
  EXPECT_EQ(Parsed("<ON | OFF>"), "on_off:oneof(on:pure-token=ON off:pure-token=OFF)");
  EXPECT_EQ(Parsed("[EX seconds | KEEPTTL]"),
            "seconds_keepttl:oneof?(seconds:integer=EX keepttl:pure-token=KEEPTTL)");
  EXPECT_EQ(Parsed("[TYPE <A | B>]"), "a_b:oneof=TYPE?(a:pure-token=A b:pure-token=B)");
  EXPECT_EQ(Parsed("<start end | count>"),
            "start_end_count:oneof(start_end:block(start:integer end:integer) count:integer)");
}

TEST(CommandSyntax, Repetition) {
  EXPECT_EQ(Parsed("key [key ...]"), "key:key*");
  EXPECT_EQ(Parsed("key value [key value ...]"), "key_value:block*(key:key value:string)");
  EXPECT_EQ(Parsed("[section [section ...]]"), "section:string?*");
  EXPECT_EQ(Parsed("[ID client-id [client-id ...]]"), "client-id:integer=ID?*");
  EXPECT_EQ(Parsed("a [b ...]"), "a:string b:string?*") << "not the same again";
  EXPECT_EQ(Parsed("<a | b> ..."), "a_b:oneof*(a:string b:string)");
}

TEST(CommandSyntax, UnbalancedBracketsEnd) {
  EXPECT_EQ(Parsed("[a"), "a:string?");
  EXPECT_EQ(Parsed("a ]"), "a:string");
}

TEST(CommandSyntax, EqualTreesAreEqual) {
  EXPECT_EQ(ParseSyntax("key [NX | XX]"), ParseSyntax(" key  [ NX|XX ] "));
  EXPECT_FALSE(ParseSyntax("key [NX | XX]") == ParseSyntax("key <NX | XX>"));
}

}  // namespace
}  // namespace lapse
