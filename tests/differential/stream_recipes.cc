// Streams, in few keys of their own and ids that are close together. No id is made from a clock.

#include "tests/differential/recipes.h"

namespace lapse {
namespace {

std::string StreamKey(Dice& dice) {
  return dice.Chance(95) ? "x" + std::to_string(dice.Below(3)) : dice.Key();
}

std::string PlainId(Dice& dice) {
  return std::to_string(dice.Below(40)) + "-" + std::to_string(dice.Below(4));
}

std::string OddId(Dice& dice) {
  return dice.OneOf({"-", "+", "0", "0-0", "5-*", "18446744073709551615", "18446744073709551616",
                     "1-", "-1", "1-1-1", " 5", "007-01", "5--1", "$", ">",
                     "9223372036854775808-1"});
}

std::string Id(Dice& dice) {
  if (dice.Chance(85)) return PlainId(dice);
  return dice.Chance(50) ? std::to_string(dice.Below(40)) : OddId(dice);
}

// XREAD takes it, as later versions of Redis do.
std::string IdToRead(Dice& dice) {
  const std::string id = Id(dice);
  return id == "+" ? "0" : id;
}

std::string End(Dice& dice, std::string_view all) {
  if (dice.Chance(40)) return std::string(all);
  return (dice.Chance(20) ? "(" : "") + Id(dice);
}

std::string Group(Dice& dice) { return dice.OneOf({"g1", "g1", "g1", "g2"}); }
std::string Consumer(Dice& dice) {
  return dice.OneOf({"ada", "bob", "a consumer with a long name"});
}

std::string Count(Dice& dice) {
  return dice.Chance(85) ? std::to_string(dice.Below(12)) : dice.Integer();
}

void AddCount(Dice& dice, Request& request, int percent = 40) {
  if (!dice.Chance(percent)) return;
  request.insert(request.end(), {dice.AnyCase("COUNT"), Count(dice)});
}

void AddTrim(Dice& dice, Request& request) {
  const bool by_length = dice.Chance(50);
  request.push_back(dice.AnyCase(by_length ? "MAXLEN" : "MINID"));
  if (dice.Chance(60)) request.push_back(dice.OneOf({"~", "="}));
  request.push_back(by_length ? Count(dice) : Id(dice));
  if (dice.Chance(20)) request.insert(request.end(), {dice.AnyCase("LIMIT"), Count(dice)});
}

Shot XAdd(Dice& dice) {
  Shot shot{{"XADD", StreamKey(dice)}, Agreement::kExact, Spoiling::kLastWord};
  if (dice.Chance(10)) shot.request.push_back(dice.AnyCase("NOMKSTREAM"));
  if (dice.Chance(15)) AddTrim(dice, shot.request);
  shot.request.push_back(dice.Chance(40) ? std::to_string(dice.Below(40)) + "-*" : Id(dice));
  for (size_t i = dice.Chance(70) ? 1 : dice.Below(4); i > 0; --i) {
    shot.request.push_back(dice.OneOf({"field", "f", "12"}));
    shot.request.push_back(dice.Value());
  }
  return shot;
}

Shot XRange(Dice& dice) {
  const bool back = dice.Chance(40);
  Shot shot{{back ? "XREVRANGE" : "XRANGE", StreamKey(dice), End(dice, back ? "+" : "-"),
             End(dice, back ? "-" : "+")}};
  AddCount(dice, shot.request);
  return shot;
}

Shot XLen(Dice& dice) { return {{"XLEN", StreamKey(dice)}}; }

Shot XDel(Dice& dice) {
  Shot shot{{"XDEL", StreamKey(dice)}};
  for (size_t i = dice.Below(4); i > 0; --i) shot.request.push_back(Id(dice));
  return shot;
}

Shot XTrim(Dice& dice) {
  Shot shot{{"XTRIM", StreamKey(dice)}};
  AddTrim(dice, shot.request);
  return shot;
}

Shot XSetId(Dice& dice) {
  Shot shot{{"XSETID", StreamKey(dice), dice.OneOf({"40-1", "41", "39-5"})}};
  if (dice.Chance(30)) shot.request.insert(shot.request.end(), {"ENTRIESADDED", Count(dice)});
  if (dice.Chance(30)) shot.request.insert(shot.request.end(), {"MAXDELETEDID", Id(dice)});
  return shot;
}

void AddStreams(Dice& dice, Request& request, std::string_view news) {
  const size_t count = 1 + dice.Below(2);
  request.push_back(dice.AnyCase("STREAMS"));
  for (size_t i = 0; i < count; ++i) request.push_back(StreamKey(dice));
  for (size_t i = 0; i < count; ++i) {
    request.push_back(dice.Chance(60) ? std::string(news) : IdToRead(dice));
  }
  if (dice.Chance(2)) request.push_back("0");
}

Shot XRead(Dice& dice) {
  Shot shot{{"XREAD"}};
  AddCount(dice, shot.request);
  AddStreams(dice, shot.request, "0");
  return shot;
}

Shot XReadGroup(Dice& dice) {
  Shot shot{{"XREADGROUP", dice.AnyCase("GROUP"), Group(dice), Consumer(dice)}};
  AddCount(dice, shot.request);
  if (dice.Chance(15)) shot.request.push_back(dice.AnyCase("NOACK"));
  AddStreams(dice, shot.request, ">");
  return shot;
}

Shot XGroup(Dice& dice) {
  const std::string subcommand = dice.OneOf(
      {"CREATE", "CREATE", "CREATE", "SETID", "DESTROY", "CREATECONSUMER", "DELCONSUMER"});
  Shot shot{{"XGROUP", dice.AnyCase(subcommand), StreamKey(dice), Group(dice)}};
  if (subcommand.ends_with("CONSUMER")) {
    shot.request.push_back(Consumer(dice));
  } else if (subcommand != "DESTROY") {
    shot.request.push_back(dice.Chance(70) ? dice.OneOf({"0", "$"}) : Id(dice));
    if (dice.Chance(40)) shot.request.push_back(dice.AnyCase("MKSTREAM"));
    if (dice.Chance(20)) shot.request.insert(shot.request.end(), {"ENTRIESREAD", Count(dice)});
  }
  return shot;
}

Shot XAck(Dice& dice) {
  Shot shot{{"XACK", StreamKey(dice), Group(dice)}};
  for (size_t i = dice.Below(4); i > 0; --i) shot.request.push_back(Id(dice));
  return shot;
}

Shot XPending(Dice& dice) {
  Shot shot{{"XPENDING", StreamKey(dice), Group(dice)}};
  if (dice.Chance(30)) return shot;
  shot.agreement = Agreement::kKind;  // it tells times
  if (dice.Chance(20)) shot.request.insert(shot.request.end(), {dice.AnyCase("IDLE"), "3600000"});
  shot.request.insert(shot.request.end(), {End(dice, "-"), End(dice, "+"), Count(dice)});
  if (dice.Chance(30)) shot.request.push_back(Consumer(dice));
  return shot;
}

Shot XClaim(Dice& dice) {
  Shot shot{{"XCLAIM", StreamKey(dice), Group(dice), Consumer(dice),
             dice.OneOf({"0", "0", "0", "3600000", "-1"})}};
  for (size_t i = 1 + dice.Below(3); i > 0; --i) shot.request.push_back(Id(dice));
  if (dice.Chance(20)) shot.request.push_back(dice.AnyCase("FORCE"));
  if (dice.Chance(20)) shot.request.push_back(dice.AnyCase("JUSTID"));
  if (dice.Chance(10)) shot.request.insert(shot.request.end(), {"RETRYCOUNT", Count(dice)});
  if (dice.Chance(10)) shot.request.insert(shot.request.end(), {"LASTID", Id(dice)});
  if (dice.Chance(10)) shot.request.insert(shot.request.end(), {"TIME", "5"});
  if (dice.Chance(10)) shot.request.insert(shot.request.end(), {"IDLE", "7200000"});
  return shot;
}

Shot XAutoClaim(Dice& dice) {
  Shot shot{{"XAUTOCLAIM", StreamKey(dice), Group(dice), Consumer(dice),
             dice.OneOf({"0", "0", "3600000", "-1"}), End(dice, "0")}};
  AddCount(dice, shot.request);
  if (dice.Chance(30)) shot.request.push_back(dice.AnyCase("JUSTID"));
  return shot;
}

Shot XInfo(Dice& dice) {
  switch (dice.Below(4)) {
    case 0:
      return {{"XINFO", dice.AnyCase("GROUPS"), StreamKey(dice)}};
    case 1:
      return {{"XINFO", "CONSUMERS", StreamKey(dice), Group(dice)}, Agreement::kKind};
    case 2: {
      Shot shot{{"XINFO", "STREAM", StreamKey(dice), dice.AnyCase("FULL")}, Agreement::kKind};
      AddCount(dice, shot.request);
      return shot;
    }
    default:
      return {{"XINFO", "STREAM", StreamKey(dice)}};
  }
}

constexpr Recipe kRecipes[] = {
    {10, XAdd},    {5, XRange}, {1, XLen},       {3, XDel},   {2, XTrim},
    {1, XSetId},   {4, XRead},  {7, XReadGroup}, {4, XGroup}, {3, XAck},
    {3, XPending}, {4, XClaim}, {3, XAutoClaim}, {5, XInfo},
};

}  // namespace

std::span<const Recipe> StreamRecipes() { return kRecipes; }

}  // namespace lapse
