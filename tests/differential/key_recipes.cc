#include "tests/differential/recipes.h"

namespace lapse {
namespace {

Shot ManyKeys(Dice& dice) {
  Shot shot{{dice.OneOf({"DEL", "UNLINK", "EXISTS", "EXISTS", "TOUCH"})}};
  for (size_t i = 1 + dice.Below(3); i > 0; --i) shot.request.push_back(dice.Key());
  return shot;
}

Shot Type(Dice& dice) { return {{"TYPE", dice.Key()}}; }

Shot Rename(Dice& dice) { return {{dice.OneOf({"RENAME", "RENAMENX"}), dice.Key(), dice.Key()}}; }

Shot Copy(Dice& dice) {
  Shot shot{{"COPY", dice.Key(), dice.Key()}};
  while (dice.Chance(35)) {
    if (dice.Chance(50)) {
      shot.request.push_back(dice.AnyCase("REPLACE"));
    } else {
      shot.request.insert(shot.request.end(), {dice.AnyCase("DB"), dice.Database()});
    }
  }
  return shot;
}

Shot Move(Dice& dice) { return {{"MOVE", dice.Key(), dice.Database()}}; }

Shot Keys(Dice& dice) { return {{"KEYS", dice.Pattern()}, Agreement::kAnyOrder}; }

// Cursors differ; errors do not. Whole scans are compared separately.
Shot Scan(Dice& dice) {
  Shot shot{{"SCAN", "0"}, Agreement::kKind};
  if (dice.Chance(50)) {
    shot.request[1] =
        dice.OneOf({"0", "1", "-1", "+5", " 1", "1 ", "abc", "", "1.5", "18446744073709551615",
                    "18446744073709551616", "-0", "0x1", "99999999999999999999",
                    "-18446744073709551615", "-18446744073709551616", "+", "-", "+-1"});
  }
  while (dice.Chance(60)) {
    Request& request = shot.request;
    switch (dice.Below(4)) {
      case 0:
        request.insert(request.end(), {dice.AnyCase("MATCH"), dice.Pattern()});
        break;
      case 1:
        request.insert(request.end(), {dice.AnyCase("COUNT"), dice.Integer()});
        break;
      case 2:
        request.insert(request.end(),
                       {dice.AnyCase("TYPE"), dice.OneOf({"string", "STRING", "hash", "", "x"})});
        break;
      default:
        request.push_back(dice.Junk());
    }
  }
  return shot;
}

Shot RandomKey(Dice&) { return {{"RANDOMKEY"}, Agreement::kErrors}; }

Shot Object(Dice& dice) {
  Shot shot{
      {"OBJECT",
       dice.AnyCase(dice.OneOf({"ENCODING", "ENCODING", "FREQ", "IDLETIME", "REFCOUNT", "WHAT"})),
       dice.Key()}};
  const char first = static_cast<char>(shot.request[1][0] & ~0x20);
  if (first == 'I') shot.agreement = Agreement::kSeconds;
  return shot;
}

// Keys that are expired and not yet removed are counted, so only an inspection compares numbers.
Shot DbSize(Dice&) { return {{"DBSIZE"}, Agreement::kKind}; }

Shot Flush(Dice& dice) {
  Shot shot{{dice.AnyCase(dice.Chance(70) ? "FLUSHDB" : "FLUSHALL")}};
  if (dice.Chance(40)) shot.request.push_back(dice.AnyCase(dice.OneOf({"SYNC", "ASYNC"})));
  if (dice.Chance(10)) shot.request.push_back(dice.Junk());
  return shot;
}

Shot SwapDb(Dice& dice) { return {{"SWAPDB", dice.Database(), dice.Database()}}; }

constexpr Recipe kRecipes[] = {
    {14, ManyKeys}, {4, Type},      {7, Rename}, {6, Copy},   {5, Move},  {4, Keys},
    {4, Scan},      {2, RandomKey}, {6, Object}, {2, DbSize}, {1, Flush}, {2, SwapDb},
};

// --- Times. ---

Shot Expire(Dice& dice) {
  Shot shot;
  shot.spoiling = Spoiling::kLastWord;
  switch (dice.Below(4)) {
    case 0:
      shot.request = {"EXPIRE", dice.Key(), dice.Seconds()};
      break;
    case 1:
      shot.request = {"PEXPIRE", dice.Key(), dice.Milliseconds()};
      break;
    case 2:
      shot.request = {"EXPIREAT", dice.Key(), dice.UnixSeconds()};
      break;
    default:
      shot.request = {"PEXPIREAT", dice.Key(), dice.UnixMilliseconds()};
  }
  while (dice.Chance(35)) {
    shot.request.push_back(dice.Chance(95) ? dice.AnyCase(dice.OneOf({"NX", "XX", "GT", "LT"}))
                                           : dice.Junk());
  }
  return shot;
}

Shot Ttl(Dice& dice) {
  return {{dice.OneOf({"TTL", "EXPIRETIME"}), dice.Key()}, Agreement::kSeconds};
}

Shot PTtl(Dice& dice) {
  return {{dice.OneOf({"PTTL", "PEXPIRETIME"}), dice.Key()}, Agreement::kMilliseconds};
}

Shot Persist(Dice& dice) { return {{"PERSIST", dice.Key()}}; }

constexpr Recipe kExpiryRecipes[] = {{20, Expire}, {8, Ttl}, {8, PTtl}, {5, Persist}};

}  // namespace

std::span<const Recipe> KeyRecipes() { return kRecipes; }

std::span<const Recipe> ExpiryRecipes() { return kExpiryRecipes; }

}  // namespace lapse
