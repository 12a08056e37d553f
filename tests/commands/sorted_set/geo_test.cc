// Places: their scores, distances and surroundings.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/db.h"
#include "tests/support/texts.h"

namespace lapse {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Geo : public testing::Test {
 protected:
  Geo() { db_.Run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania"); }
  std::vector<std::string> Run(std::string_view line) { return Texts(db_.Run(line)); }
  Db db_;
};

TEST_F(Geo, Members) {
  EXPECT_EQ(db_.Run("ZSCORE g Palermo"), "3479099956230698");
  EXPECT_EQ(db_.Run("GEODIST g Palermo Catania"), "166274.1516");
  EXPECT_EQ(db_.Run("GEODIST g Palermo Catania km"), "166.2742");
  EXPECT_EQ(db_.Run("GEODIST g Palermo Catania MI"), "103.3182");
  EXPECT_TRUE(db_.Run("GEODIST g Palermo none").IsNull());
  EXPECT_THAT(Run("GEOHASH g Palermo Catania none"),
              ElementsAre("sqc8b49rny0", "sqdtr74hyu0", "(nil)"));
  const Reply places = db_.Run("GEOPOS g Palermo none");
  EXPECT_THAT(Texts(places[0]), ElementsAre("13.36138933897018433", "38.11555639549629859"));
  EXPECT_TRUE(places[1].IsNull());
}

TEST_F(Geo, AddOptionsAndErrors) {
  EXPECT_EQ(db_.Run("GEOADD g CH 14 38 Palermo 1 1 Other"), 2);
  EXPECT_EQ(db_.Run("GEOADD g NX 15 38 Palermo"), 0);
  EXPECT_EQ(db_.Run("GEOADD g NX XX 15 38 Palermo"), "ERR syntax error");
  EXPECT_EQ(db_.Run("GEOADD g 15 38 a 16"), "ERR syntax error");
  EXPECT_EQ(db_.Run("GEOADD g 181 38 a"),
            "ERR invalid longitude,latitude pair 181.000000,38.000000");
  EXPECT_EQ(db_.Run("GEOADD g x 38 a"), "ERR value is not a valid float");
  EXPECT_EQ(db_.Run("GEODIST g a b parsec"),
            "ERR unsupported unit provided. please use M, KM, FT, MI");
}

TEST_F(Geo, Radius) {
  const Reply found = db_.Run("GEORADIUS g 15 37 200 km WITHDIST WITHHASH ASC");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_THAT(Texts(found[0]), ElementsAre("Catania", "56.4413", "3479447370796909"));
  EXPECT_THAT(Texts(found[1]), ElementsAre("Palermo", "190.4424", "3479099956230698"));
  EXPECT_THAT(Run("GEORADIUS g 15 37 100 km"), ElementsAre("Catania"));
  EXPECT_THAT(Run("GEORADIUSBYMEMBER g Palermo 200 km DESC"), ElementsAre("Catania", "Palermo"));
  EXPECT_THAT(Run("GEORADIUSBYMEMBER_RO g Palermo 1 m"), ElementsAre("Palermo"));
  EXPECT_EQ(db_.Run("GEORADIUSBYMEMBER g none 1 m"), "ERR could not decode requested zset member");
  EXPECT_THAT(Run("GEORADIUSBYMEMBER none x nonsense y"), IsEmpty());
}

TEST_F(Geo, Search) {
  db_.Run("GEOADD g 12.758489 38.788135 edge1 17.241510 38.788135 edge2");
  EXPECT_THAT(Run("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC"),
              ElementsAre("Catania", "Palermo", "edge2", "edge1"));
  EXPECT_THAT(Run("GEOSEARCH g FROMMEMBER Catania BYRADIUS 200 km COUNT 1"),
              ElementsAre("Catania"));
  EXPECT_EQ(Run("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km COUNT 2 ANY").size(), 2u);
  EXPECT_EQ(db_.Run("GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ANY"),
            "ERR the ANY argument requires COUNT argument");
  EXPECT_EQ(db_.Run("GEOSEARCH g BYBOX 400 400 km ASC ASC"),
            "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH");
  EXPECT_EQ(db_.Run("GEOSEARCH g FROMLONLAT 15 37 ASC ASC DESC"),
            "ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH");
  EXPECT_EQ(db_.Run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS -1 km"),
            "ERR radius cannot be negative");
  EXPECT_EQ(db_.Run("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km COUNT 0"), "ERR COUNT must be > 0");
}

TEST_F(Geo, Stored) {
  db_.events();
  EXPECT_EQ(db_.Run("GEORADIUS g 15 37 200 km STORE d"), 2);
  EXPECT_EQ(db_.Run("ZSCORE d Palermo"), "3479099956230698");
  EXPECT_EQ(db_.Run("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 100 km STOREDIST"), 1);
  EXPECT_THAT(Run("ZRANGE d 0 -1"), ElementsAre("Catania"));
  EXPECT_EQ(db_.Run("GEORADIUSBYMEMBER none x 1 km STOREDIST d"), 0);
  EXPECT_THAT(db_.events(), ElementsAre("georadiusstore d", "geosearchstore d", "del d"));
  EXPECT_EQ(db_.Run("GEORADIUS g 15 37 200 km STORE d WITHDIST"),
            "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD "
            "options");
  EXPECT_EQ(db_.Run("GEORADIUS_RO g 15 37 200 km STORE d"), "ERR syntax error");
}

}  // namespace
}  // namespace lapse
