#include <numeric>
#include <vector>

#include "tests/differential/recipes.h"

namespace lapse {
namespace {

Shot Ping(Dice& dice) {
  Shot shot{{dice.AnyCase("PING")}};
  while (dice.Chance(40)) shot.request.push_back(dice.Value());
  return shot;
}

Shot Echo(Dice& dice) { return {{"ECHO", dice.Value()}}; }

Shot Select(Dice& dice) { return {{"SELECT", dice.Database()}}; }

// At most one thing is wrong with it: since Redis 7.2, as here, HELLO changes nothing unless all
// its options are good, while 7.0 obeys those that stand before a bad one.
Shot Hello(Dice& dice) {
  Shot shot{{"HELLO"}, Agreement::kGreeting, Spoiling::kNothing};
  Request& request = shot.request;
  if (dice.Chance(10)) return shot;
  request.push_back(std::to_string(dice.protocol()));
  switch (dice.Below(8)) {
    case 0:
      request[1] = dice.OneOf({"2", "3", "1", "4", "abc", "", "3.0", "-3"});
      break;
    case 1:
      request.push_back(dice.Junk());
      break;
    case 2:
      request.insert(request.end(), {"SETNAME", dice.OneOf({"me", "", "a b"})});
      break;
    case 3:
      request.insert(request.end(), {"AUTH", dice.OneOf({"default", "nobody"}), dice.Value()});
      break;
    case 4:
      request.insert(request.end(), {"auth", "default", "any", "setname", "you"});
      break;
    case 5:
      request.push_back(dice.OneOf({"AUTH", "SETNAME"}));
      break;
    default:
      break;
  }
  return shot;
}

Shot Auth(Dice& dice) {
  Shot shot{{"AUTH"}};
  if (dice.Chance(50)) shot.request.push_back(dice.OneOf({"default", "DEFAULT", "nobody", ""}));
  shot.request.push_back(dice.Value());
  return shot;
}

Shot ClientName(Dice& dice) {
  if (dice.Chance(40)) return {{"CLIENT", dice.AnyCase("GETNAME")}};
  return {{"CLIENT", dice.AnyCase("SETNAME"),
           dice.OneOf({"me", "you", "", "a b", "a\nb", "\x7f", "~!", "\xc3\xa9"})}};
}

// Forms that close no connection and leave every reply on.
Shot Client(Dice& dice) {
  static const std::vector<Request> kForms = {
      {"CLIENT", "INFO"},
      {"CLIENT", "LIST"},
      {"CLIENT", "LIST", "TYPE", "normal"},
      {"CLIENT", "LIST", "TYPE", "pubsub"},
      {"CLIENT", "LIST", "TYPE", "nonsense"},
      {"CLIENT", "LIST", "TYPE"},
      {"CLIENT", "LIST", "ID"},
      {"CLIENT", "LIST", "ID", "abc"},
      {"CLIENT", "LIST", "ID", "0"},
      {"CLIENT", "LIST", "ID", "-1", "2"},
      {"CLIENT", "LIST", "WHAT"},
      {"CLIENT", "LIST", "TYPE", "normal", "x"},
      {"CLIENT", "KILL", "1.2.3.4:5"},
      {"CLIENT", "KILL", "ID", "99999999"},
      {"CLIENT", "KILL", "ID", "0"},
      {"CLIENT", "KILL", "ID", "abc"},
      {"CLIENT", "KILL", "TYPE", "pubsub"},
      {"CLIENT", "KILL", "TYPE", "nonsense"},
      {"CLIENT", "KILL", "ADDR", "1.2.3.4:5", "SKIPME", "no"},
      {"CLIENT", "KILL", "LADDR", "1.2.3.4:5", "SKIPME", "maybe"},
      {"CLIENT", "KILL", "USER", "nobody"},
      {"CLIENT", "KILL", "ADDR", "1.2.3.4:5", "TYPE"},
      {"CLIENT", "KILL", "WHAT", "EVER"},
      {"CLIENT", "KILL"},
      {"CLIENT", "NO-EVICT", "on"},
      {"CLIENT", "NO-EVICT", "off"},
      {"CLIENT", "NO-EVICT", "what"},
      {"CLIENT", "NO-EVICT"},
      {"CLIENT", "REPLY", "ON"},
      {"CLIENT", "REPLY", "WHAT"},
      {"CLIENT", "REPLY"},
      {"CLIENT", "ID"},
      {"CLIENT", "ID", "x"},
      {"CLIENT"},
      {"CLIENT", "NONSENSE"},
      {"CLIENT", ""},
      {"CLIENT", "SETNAME"},
      {"CLIENT", "SETNAME", "a", "b"},
      {"CLIENT", "GETNAME", "a"},
  };
  return {kForms[dice.Below(kForms.size())], Agreement::kErrors, Spoiling::kNothing};
}

Shot Config(Dice& dice) {
  static const std::vector<Request> kForms = {
      {"CONFIG", "GET", "databases"},
      {"CONFIG", "GET", "DATABASES", "time*t"},
      {"CONFIG", "GET", "lazyfree-lazy-*"},
      {"CONFIG", "GET", "nonsense"},
      {"CONFIG", "GET"},
      {"CONFIG", "SET", "nonsense", "1"},
      {"CONFIG", "SET", "timeout"},
      {"CONFIG", "SET", "timeout", "0"},
      {"CONFIG", "SET", "timeout", "abc"},
      {"CONFIG", "SET", "timeout", "0", "TIMEOUT", "0"},
      {"CONFIG", "SET", "hz", "20"},
      {"CONFIG", "SET", "hz", "10", "lazyfree-lazy-expire", "yes"},
      {"CONFIG", "SET", "lazyfree-lazy-expire", "maybe"},
      {"CONFIG", "SET", "lazyfree-lazy-expire", "no"},
      {"CONFIG", "SET", "port"},
      {"CONFIG", "SET", "databases", "20"},
      {"CONFIG", "RESETSTAT"},
      {"CONFIG", "RESETSTAT", "x"},
      {"CONFIG", "REWRITE"},
      {"CONFIG", "NONSENSE"},
      {"CONFIG"},
  };
  return {kForms[dice.Below(kForms.size())], Agreement::kAnyPairOrder, Spoiling::kNothing};
}

Shot Server(Dice& dice) {
  static const std::vector<Request> kForms = {
      {"TIME"},
      {"TIME", "x"},
      {"MEMORY", "USAGE"},
      {"MEMORY", "USAGE", "k1", "SAMPLES"},
      {"MEMORY", "USAGE", "k1", "SAMPLES", "-1"},
      {"MEMORY", "USAGE", "k1", "SAMPLES", "abc"},
      {"MEMORY", "USAGE", "k1", "SAMPLES", "5"},
      {"MEMORY", "USAGE", "k1", "what"},
      {"MEMORY", "USAGE", "k1"},
      {"MEMORY", "NONSENSE"},
      {"MEMORY"},
      {"DEBUG", "SLEEP", "0"},
      {"DEBUG"},
      {"SHUTDOWN", "ABORT"},
      {"SHUTDOWN", "SAVE", "NOSAVE"},
      {"SHUTDOWN", "ABORT", "NOW"},
      {"SHUTDOWN", "WHAT"},
      {"COMMAND", "COUNT"},
      {"COMMAND", "COUNT", "x"},
      {"COMMAND", "NONSENSE"},
      {"COMMAND", "INFO", "nonsense"},
      {"COMMAND", "INFO", "nonsense", "get|x", "config|nonsense", ""},
      {"COMMAND", "DOCS", "nonsense"},
      {"COMMAND", "LIST", "FILTERBY"},
      {"COMMAND", "LIST", "FILTERBY", "WHAT", "x"},
      {"COMMAND", "LIST", "FILTERBY", "PATTERN", "nonsense*"},
      {"COMMAND", "LIST", "FILTERBY", "MODULE", "none"},
      {"COMMAND", "LIST", "FILTERBY", "ACLCAT", "nonsense"},
      {"COMMAND", "LIST", "x"},
      {"COMMAND", "GETKEYS"},
      {"OBJECT"},
      {"OBJECT", "NONSENSE"},
      {"OBJECT", "ENCODING"},
  };
  return {kForms[dice.Below(kForms.size())], Agreement::kErrors, Spoiling::kNothing};
}

// What a single node is asked about replication and clusters.
Shot SingleNode(Dice& dice) {
  static const std::vector<Request> kForms = {
      {"ROLE"},
      {"WAIT", "0", "0"},
      {"WAIT", "x", "0"},
      {"WAIT", "0", "x"},
      {"WAIT", "1", "-1"},
      {"REPLICAOF", "NO", "ONE"},
      {"REPLICAOF", "host", "port"},
      {"SLAVEOF", "no", "one"},
      {"REPLCONF"},
      {"REPLCONF", "capa"},
      {"REPLCONF", "capa", "eof"},
      {"REPLCONF", "nonsense", "1"},
      {"FAILOVER"},
      {"FAILOVER", "ABORT"},
      {"FAILOVER", "ABORT", "ABORT"},
      {"FAILOVER", "FORCE"},
      {"FAILOVER", "TO", "a"},
      {"FAILOVER", "TO", "a", "b"},
      {"FAILOVER", "TIMEOUT", "0"},
      {"FAILOVER", "TIMEOUT", "x"},
      {"FAILOVER", "TIMEOUT", "5", "TIMEOUT", "5"},
      {"FAILOVER", "NONSENSE"},
      {"CLUSTER", "INFO"},
      {"CLUSTER", "HELP"},
      {"CLUSTER", "KEYSLOT", "a"},
      {"CLUSTER", "KEYSLOT"},
      {"CLUSTER", "NONSENSE"},
      {"CLUSTER"},
      {"READONLY"},
      {"READWRITE"},
      {"ASKING"},
      {"MODULE", "LIST"},
      {"MODULE", "NONSENSE"},
      {"BGSAVE", "x"},
      {"MIGRATE", "h", "1", "nokey", "0", "x"},
      {"MIGRATE", "h", "1", "nokey", "0", "5"},
      {"MIGRATE", "h", "1", "nokey", "0", "5", "x"},
      {"MIGRATE", "h", "1", "nokey", "0", "5", "AUTH"},
      {"MIGRATE", "h", "1", "nokey", "0", "5", "COPY", "KEYS", "a"},
      {"MIGRATE", "h", "1", "", "0", "5", "REPLACE", "AUTH2", "a", "b", "KEYS", "nokey"},
  };
  return {kForms[dice.Below(kForms.size())], Agreement::kExact, Spoiling::kNothing};
}

// The keys of a request of any kind, good or bad, and what it does to them.
Shot GetKeys(Dice& dice) {
  Shot shot{{"COMMAND", dice.OneOf({"GETKEYS", "GETKEYSANDFLAGS"})}};
  const Shot other = RandomShot(dice);
  shot.request.insert(shot.request.end(), other.request.begin(), other.request.end());
  return shot;
}

Shot Unknown(Dice& dice) {
  Shot shot{{dice.OneOf({"NONSENSE", "GETX", "", "get ", "g\x00t", "\r\n", "SET\n", "HOST"})}};
  if (dice.Chance(20)) shot.request[0] = std::string(100 + dice.Below(60), 'c');
  while (dice.Chance(60)) shot.request.push_back(dice.Chance(50) ? dice.Value() : dice.Junk());
  return shot;
}

constexpr Recipe kRecipes[] = {{5, Ping},   {3, Echo},       {8, Select},  {2, Hello},
                               {2, Auth},   {4, ClientName}, {3, Client},  {3, Config},
                               {3, Server}, {2, SingleNode}, {4, GetKeys}, {4, Unknown}};

// Makes a request wrong, or merely odd.
void Spoil(Dice& dice, Shot& shot) {
  if (shot.spoiling == Spoiling::kNothing) return;
  Request& request = shot.request;
  const size_t at = dice.Below(request.size());
  switch (dice.Below(shot.spoiling == Spoiling::kLastWord ? 2 : 5)) {
    case 0:
      request.pop_back();
      if (request.empty()) request.emplace_back("GET");
      break;
    case 1:
      request.push_back(dice.Junk());
      break;
    case 2:
      if (at > 0) std::swap(request[at], request[1 + dice.Below(request.size() - 1)]);
      break;
    case 3:
      if (at > 0) request[at] = dice.Junk();
      break;
    default:
      request[0] = dice.AnyCase(request[0]);
  }
}

Shot RandomOf(Dice& dice, std::span<const Recipe> recipes) {
  const int total =
      std::accumulate(recipes.begin(), recipes.end(), 0,
                      [](int sum, const Recipe& recipe) { return sum + recipe.weight; });
  auto left = static_cast<int>(dice.Below(static_cast<size_t>(total)));
  for (const Recipe& recipe : recipes) {
    left -= recipe.weight;
    if (left < 0) return recipe.make(dice);
  }
  return recipes.front().make(dice);
}

}  // namespace

std::span<const Recipe> ServerRecipes() { return kRecipes; }

Shot RandomShot(Dice& dice) {
  static const std::vector<Recipe> kAll = [] {
    std::vector<Recipe> all;
    for (const auto recipes : {StringRecipes(), BitmapRecipes(), SetRecipes(), KeyRecipes(),
                               ExpiryRecipes(), ServerRecipes(), StreamRecipes(), HashRecipes(),
                               ListRecipes(), SortRecipes(), SortedSetRecipes(), GeoRecipes()}) {
      all.insert(all.end(), recipes.begin(), recipes.end());
    }
    return all;
  }();
  Shot shot = RandomOf(dice, kAll);
  if (dice.Chance(6)) Spoil(dice, shot);
  return shot;
}

}  // namespace lapse
