// Places on the globe as scores of a sorted set, and what lies around them.
//
// A score is a cell of a grid of 2^26 by 2^26: the bits of its row (latitude, in even places) and
// its column (longitude, in odd places) interleaved, 52 bits, which a double holds. A coarser cell
// of `step` bits each way is a prefix, hence a range of scores. A search looks through the cell
// that its centre is in, at a step where a cell is about as large as what is searched, and the
// eight around it.
//
// Arithmetic is Redis's to the last bit, for scores and distances are seen by clients: the globe is
// a sphere, distances are by the haversine formula, latitudes end where a square Mercator map does.
//
// Thread: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace lapse {

struct GeoPoint {
  double longitude = 0;
  double latitude = 0;
};

// Whether the point is on the map.
bool IsOnMap(const GeoPoint& point);
// Requires: IsOnMap(point).
uint64_t GeoScore(const GeoPoint& point);
// The centre of the score's cell; of any score, also one that was not made by GeoScore.
GeoPoint GeoPointOf(double score);
// The eleven letters of the standard geohash.
std::string GeoHashText(const GeoPoint& point);
double DistanceInMeters(const GeoPoint& a, const GeoPoint& b);

// What is searched: a circle or a box around a centre.
struct GeoShape {
  GeoPoint center;
  bool is_box = false;
  double radius = 0;
  double width = 0;
  double height = 0;
  double unit_meters = 1;  // what the three above are in

  // The distance from the centre, of a point within.
  std::optional<double> DistanceWithin(const GeoPoint& point) const;
};

// The scores from `first` up to, not including, `end`.
struct GeoScores {
  uint64_t first = 0;
  uint64_t end = 0;

  friend bool operator==(const GeoScores&, const GeoScores&) = default;
};
// The cells that cover the shape: the middle one, then those around it in the order in which Redis
// looks through them. Those that cannot hold anything of the shape are missing; near the poles and
// for large shapes some come twice.
std::array<std::optional<GeoScores>, 9> CellsAround(const GeoShape& shape);

}  // namespace lapse
