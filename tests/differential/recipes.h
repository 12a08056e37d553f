// Random requests, one recipe for each command that is compared, and how its two replies must
// agree.
//
// Recipes make requests that are mostly right; Spoil makes some of them wrong.
//
// Thread: pure functions of the dice.
#pragma once

#include <cstdint>
#include <span>

#include "tests/differential/agreement.h"
#include "tests/differential/byte_client.h"
#include "tests/differential/dice.h"

namespace lapse {

// What may be made wrong about a request. Not everything everywhere: another word might do harm, or
// make a TTL that runs out during the test.
enum class Spoiling : uint8_t { kAnyWord, kLastWord, kNothing };

struct Shot {
  Request request;
  Agreement agreement = Agreement::kExact;
  Spoiling spoiling = Spoiling::kAnyWord;
};

struct Recipe {
  int weight;
  Shot (*make)(Dice& dice);
};

std::span<const Recipe> StringRecipes();
std::span<const Recipe> BitmapRecipes();
std::span<const Recipe> SetRecipes();
std::span<const Recipe> HashRecipes();
std::span<const Recipe> ListRecipes();
std::span<const Recipe> SortRecipes();
std::span<const Recipe> KeyRecipes();
std::span<const Recipe> SortedSetRecipes();
std::span<const Recipe> GeoRecipes();
std::span<const Recipe> ExpiryRecipes();
std::span<const Recipe> ServerRecipes();  // connection, client, configuration, introspection
std::span<const Recipe> StreamRecipes();

// A request of any recipe, by weight, and every now and then a spoiled one.
Shot RandomShot(Dice& dice);

}  // namespace lapse
