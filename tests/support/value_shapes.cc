#include "tests/support/value_shapes.h"

#include <functional>
#include <utility>

namespace lapse {
namespace {

using Words = std::vector<std::string>;

std::string Text(int i) { return "member:" + std::to_string(i); }

// One request of so many elements, each given as words by `element`.
Words Many(Words words, int count, const std::function<Words(int)>& element) {
  for (int i = 0; i < count; ++i) {
    for (std::string& word : element(i)) words.push_back(std::move(word));
  }
  return words;
}

std::string Bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

void AddStrings(std::vector<ValueShape>& shapes) {
  const Words texts = {"",
                       "0",
                       "-1",
                       "127",
                       "128",
                       "-129",
                       "32767",
                       "32768",
                       "-32769",
                       "2147483647",
                       "2147483648",
                       "-2147483648",
                       "-2147483649",
                       "9223372036854775807",
                       "-9223372036854775808",
                       "9223372036854775808",
                       "007",
                       "-0",
                       "3.5",
                       std::string(20, 'a'),
                       std::string(21, 'a'),
                       std::string(63, 'b'),
                       std::string(64, 'b'),
                       std::string(16383, 'c'),
                       std::string(16384, 'c'),
                       Bytes(),
                       std::string(100'000, 'd') + Bytes()};
  for (const std::string& text : texts) {
    shapes.push_back({"string of " + std::to_string(text.size()) + " bytes " + text.substr(0, 20),
                      {{"SET", "k", text}}});
  }
  shapes.push_back({"raw number", {{"SET", "k", "1"}, {"APPEND", "k", "2"}}});
  shapes.push_back({"HyperLogLog", {{"PFADD", "k", "a", "b", "c"}}});
}

void AddLists(std::vector<ValueShape>& shapes) {
  const auto text = [](int i) { return Words{Text(i)}; };
  const auto number = [](int i) { return Words{std::to_string(i * 77'777 - 300)}; };
  shapes.push_back({"list", {{"RPUSH", "k", "a", "", "12", "-4096", Bytes()}}});
  shapes.push_back({"list of many nodes", {Many({"RPUSH", "k"}, 5000, text)}});
  shapes.push_back({"list of numbers", {Many({"RPUSH", "k"}, 3000, number)}});
  shapes.push_back({"list with a large element",
                    {{"RPUSH", "k", "a", std::string(50'000, 'x'), "b", std::string(9000, 'y')}}});
}

void AddSets(std::vector<ValueShape>& shapes) {
  const auto text = [](int i) { return Words{Text(i)}; };
  const auto number = [](int i) { return Words{std::to_string(i * 7 - 100)}; };
  shapes.push_back({"intset of 16 bits", {{"SADD", "k", "1", "-2", "3000"}}});
  shapes.push_back({"intset of 32 bits", {{"SADD", "k", "1", "-2", "300000"}}});
  shapes.push_back({"intset of 64 bits", {{"SADD", "k", "1", "-2", "9223372036854775807"}}});
  shapes.push_back({"set of many numbers", {Many({"SADD", "k"}, 2000, number)}});
  shapes.push_back({"small set", {{"SADD", "k", "a", "", "12", "007", Bytes()}}});
  shapes.push_back({"packed set", {{"SADD", "k", "a", "", "12", "007"}}});
  shapes.push_back({"large set", {Many({"SADD", "k"}, 1000, text)}});
}

void AddSortedSets(std::vector<ValueShape>& shapes) {
  const auto text = [](int i) { return Words{std::to_string(i % 17) + ".25", Text(i)}; };
  shapes.push_back({"sorted set",
                    {{"ZADD", "k", "1", "a", "1", "b", "-inf", "c", "inf", "d", "3.1", "", "1e300",
                      "12", "-0", "zero", "0.1", "tenth"}}});
  shapes.push_back({"sorted set with a long member", {{"ZADD", "k", "1", Bytes(), "inf", "x"}}});
  shapes.push_back({"large sorted set", {Many({"ZADD", "k"}, 1000, text)}});
}

void AddHashes(std::vector<ValueShape>& shapes) {
  const auto pair = [](int i) { return Words{Text(i), std::to_string(i * i)}; };
  shapes.push_back({"hash", {{"HSET", "k", "a", "1", "", "", "12", "x", "b", "-70000"}}});
  shapes.push_back({"hash with a long value", {{"HSET", "k", "a", Bytes(), "b", "2"}}});
  shapes.push_back({"large hash", {Many({"HSET", "k"}, 1000, pair)}});
  // As Db's clock stands near 0 and a server's does not, deadlines are far off by either.
  const std::string far = "30000000000000";
  const std::string farther = "40000000000000";
  shapes.push_back({"hash with deadlines",
                    {{"HSET", "k", "a", "1", "b", "2", "c", "3"},
                     {"HPEXPIREAT", "k", far, "FIELDS", "1", "b"},
                     {"HPEXPIREAT", "k", farther, "FIELDS", "1", "c"}},
                    false});
  shapes.push_back({"large hash with deadlines",
                    {Many({"HSET", "k"}, 1000, pair),
                     {"HPEXPIREAT", "k", farther, "FIELDS", "2", Text(3), Text(999)},
                     {"HPEXPIREAT", "k", far, "FIELDS", "1", Text(500)}},
                    false});
  shapes.push_back({"hash whose deadlines are gone",
                    {{"HSET", "k", "a", "1", "b", "2"},
                     {"HPEXPIREAT", "k", far, "FIELDS", "1", "b"},
                     {"HPERSIST", "k", "FIELDS", "1", "b"}},
                    false});
}

void AddStreams(std::vector<ValueShape>& shapes) {
  std::vector<Words> many;
  for (int i = 1; i <= 350; ++i) {
    many.push_back({"XADD", "k", std::to_string(i) + "-" + std::to_string(i % 3 + 1), "name",
                    Text(i), i % 50 == 0 ? "other" : "number", std::to_string(i)});
  }
  many.push_back({"XDEL", "k", "7-2", "100-2", "200-3"});
  shapes.push_back({"stream", {{"XADD", "k", "5-1", "a", "1"}, {"XADD", "k", "6-0", "b", "2"}}});
  shapes.push_back({"stream of many blocks", many});
  shapes.push_back(
      {"stream without entries", {{"XADD", "k", "5-1", "a", "1"}, {"XDEL", "k", "5-1"}}});
  shapes.push_back(
      {"stream that never had entries", {{"XGROUP", "CREATE", "k", "g", "$", "MKSTREAM"}}});
  many.push_back({"XGROUP", "CREATE", "k", "first", "0"});
  many.push_back({"XGROUP", "CREATE", "k", "second", "$"});
  many.push_back({"XGROUP", "CREATE", "k", "third", "50-0"});
  many.push_back({"XGROUP", "CREATECONSUMER", "k", "first", "idle one"});
  many.push_back({"XREADGROUP", "GROUP", "first", "Ada", "COUNT", "20", "STREAMS", "k", ">"});
  many.push_back({"XREADGROUP", "GROUP", "first", "Bob", "COUNT", "3", "STREAMS", "k", ">"});
  many.push_back({"XREADGROUP", "GROUP", "third", "Ada", "COUNT", "2", "STREAMS", "k", ">"});
  many.push_back({"XACK", "k", "first", "2-3", "3-1"});
  many.push_back({"XTRIM", "k", "MINID", "20"});
  shapes.push_back({"stream with groups", many});
}

}  // namespace

std::vector<ValueShape> ValueShapes() {
  std::vector<ValueShape> shapes;
  AddStrings(shapes);
  AddLists(shapes);
  AddSets(shapes);
  AddSortedSets(shapes);
  AddHashes(shapes);
  AddStreams(shapes);
  return shapes;
}

}  // namespace lapse
