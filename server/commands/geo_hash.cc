#include "server/commands/geo_hash.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lapse {
namespace {

constexpr double kMaxLongitude = 180;
constexpr double kMaxLatitude = 85.05112878;
constexpr double kEarthRadiusMeters = 6372797.560856;
// Half the length of the equator on the Mercator map.
constexpr double kMercatorMeters = 20037726.37;
constexpr double kRadiansPerDegree = std::numbers::pi / 180;
constexpr int kSteps = 26;  // bits each way

double ToRadians(double degrees) { return degrees * kRadiansPerDegree; }
double ToDegrees(double radians) { return radians / kRadiansPerDegree; }

// Moves the bits of a number to the even places.
uint64_t Spread(uint32_t number) {
  uint64_t bits = number;
  bits = (bits | bits << 16) & 0x0000FFFF0000FFFF;
  bits = (bits | bits << 8) & 0x00FF00FF00FF00FF;
  bits = (bits | bits << 4) & 0x0F0F0F0F0F0F0F0F;
  bits = (bits | bits << 2) & 0x3333333333333333;
  return (bits | bits << 1) & 0x5555555555555555;
}

// Takes the bits in even places together.
uint32_t Gather(uint64_t bits) {
  bits &= 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0F0F0F0F0F0F0F0F;
  bits = (bits | bits >> 4) & 0x00FF00FF00FF00FF;
  bits = (bits | bits >> 8) & 0x0000FFFF0000FFFF;
  return static_cast<uint32_t>(bits | bits >> 16);
}

// A cell of the grid of 2^step rows and columns.
struct Cell {
  int step = kSteps;
  uint32_t row = 0;
  uint32_t column = 0;

  uint64_t bits() const { return Spread(row) | Spread(column) << 1; }
};

struct Area {
  GeoPoint least;
  GeoPoint most;
};

uint32_t IndexOf(double value, double most, int step) {
  const double share = (value + most) / (2 * most);
  return static_cast<uint32_t>(share * static_cast<double>(uint64_t{1} << step));
}

double EdgeOf(uint64_t index, double most, int step) {
  return -most + static_cast<double>(index) / static_cast<double>(uint64_t{1} << step) * (2 * most);
}

Cell CellOf(const GeoPoint& point, int step, double max_latitude = kMaxLatitude) {
  return {.step = step,
          .row = IndexOf(point.latitude, max_latitude, step),
          .column = IndexOf(point.longitude, kMaxLongitude, step)};
}

Area AreaOf(const Cell& cell) {
  return {.least = {EdgeOf(cell.column, kMaxLongitude, cell.step),
                    EdgeOf(cell.row, kMaxLatitude, cell.step)},
          .most = {EdgeOf(uint64_t{cell.column} + 1, kMaxLongitude, cell.step),
                   EdgeOf(uint64_t{cell.row} + 1, kMaxLatitude, cell.step)}};
}

// So many cells to the north and to the east; the map is taken for a torus.
Cell Neighbour(Cell cell, int north, int east) {
  const auto mask = static_cast<uint32_t>((uint64_t{1} << cell.step) - 1);
  if (north != 0) cell.row = (cell.row + static_cast<uint32_t>(north)) & mask;
  if (east != 0) cell.column = (cell.column + static_cast<uint32_t>(east)) & mask;
  return cell;
}

// A score as 52 bits and more: those that are no cell's have some value, too, and the same as on
// x86-64 in C.
uint64_t BitsOf(double score) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (score > -kTwoTo63 && score < kTwoTo63) {
    return static_cast<uint64_t>(static_cast<int64_t>(score));
  }
  if (score < 0) return uint64_t{1} << 63;
  return score < 2 * kTwoTo63 ? static_cast<uint64_t>(score) : 0;
}

double LatitudeDistance(double a, double b) {
  return kEarthRadiusMeters * std::fabs(ToRadians(b) - ToRadians(a));
}

// The smallest rectangle of longitudes and latitudes around the shape.
Area BoundsOf(const GeoShape& shape) {
  const double height = shape.unit_meters * (shape.is_box ? shape.height / 2 : shape.radius);
  const double width = shape.unit_meters * (shape.is_box ? shape.width / 2 : shape.radius);
  const GeoPoint& center = shape.center;
  const double north = ToDegrees(height / kEarthRadiusMeters);
  // Meridians are nearest to each other at the edge that is nearer to a pole.
  const double edge = center.latitude < 0 ? center.latitude - north : center.latitude + north;
  const double east = ToDegrees(width / kEarthRadiusMeters / std::cos(ToRadians(edge)));
  return {.least = {center.longitude - east, center.latitude - north},
          .most = {center.longitude + east, center.latitude + north}};
}

// How fine a grid may be whose cell and the eight around it cover a circle.
int StepFor(double radius_meters, double latitude) {
  if (radius_meters == 0) return kSteps;
  int step = 1;
  for (; radius_meters < kMercatorMeters; radius_meters *= 2) ++step;
  step -= 2;  // so that it is covered wherever within the cell its centre is
  // Cells get narrower towards the poles.
  if (std::fabs(latitude) > 66) --step;
  if (std::fabs(latitude) > 80) --step;
  return std::clamp(step, 1, kSteps);
}

// Whether the cells around this one reach beyond the bounds on all sides.
bool Covers(const Cell& cell, const Area& bounds) {
  return AreaOf(Neighbour(cell, 1, 0)).most.latitude >= bounds.most.latitude &&
         AreaOf(Neighbour(cell, -1, 0)).least.latitude <= bounds.least.latitude &&
         AreaOf(Neighbour(cell, 0, 1)).most.longitude >= bounds.most.longitude &&
         AreaOf(Neighbour(cell, 0, -1)).least.longitude <= bounds.least.longitude;
}

}  // namespace

bool IsOnMap(const GeoPoint& point) {
  return point.longitude >= -kMaxLongitude && point.longitude <= kMaxLongitude &&
         point.latitude >= -kMaxLatitude && point.latitude <= kMaxLatitude;
}

uint64_t GeoScore(const GeoPoint& point) { return CellOf(point, kSteps).bits(); }

GeoPoint GeoPointOf(double score) {
  const uint64_t bits = BitsOf(score);
  const Area area = AreaOf({.step = kSteps, .row = Gather(bits), .column = Gather(bits >> 1)});
  const double longitude = (area.least.longitude + area.most.longitude) / 2;
  const double latitude = (area.least.latitude + area.most.latitude) / 2;
  return {std::clamp(longitude, -kMaxLongitude, kMaxLongitude),
          std::clamp(latitude, -kMaxLatitude, kMaxLatitude)};
}

std::string GeoHashText(const GeoPoint& point) {
  constexpr char kLetters[] = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr double kStandardMaxLatitude = 90;
  constexpr int kBitsPerLetter = 5;
  const uint64_t bits = CellOf(point, kSteps, kStandardMaxLatitude).bits();
  std::string text;
  for (int shift = 2 * kSteps - kBitsPerLetter; shift >= 0; shift -= kBitsPerLetter) {
    text += kLetters[bits >> shift & 31];
  }
  // Two bits are left over, which do not make a letter.
  return text + kLetters[0];
}

double DistanceInMeters(const GeoPoint& a, const GeoPoint& b) {
  const double v = std::sin((ToRadians(b.longitude) - ToRadians(a.longitude)) / 2);
  if (v == 0) return LatitudeDistance(a.latitude, b.latitude);
  const double from = ToRadians(a.latitude);
  const double to = ToRadians(b.latitude);
  const double u = std::sin((to - from) / 2);
  const double haversine = u * u + std::cos(from) * std::cos(to) * v * v;
  return 2 * kEarthRadiusMeters * std::asin(std::sqrt(haversine));
}

std::optional<double> GeoShape::DistanceWithin(const GeoPoint& point) const {
  if (is_box) {
    const double north = LatitudeDistance(point.latitude, center.latitude);
    if (north > height * unit_meters / 2) return std::nullopt;
    const double east = DistanceInMeters(point, {center.longitude, point.latitude});
    if (east > width * unit_meters / 2) return std::nullopt;
    return DistanceInMeters(center, point);
  }
  const double distance = DistanceInMeters(center, point);
  if (distance > radius * unit_meters) return std::nullopt;
  return distance;
}

std::array<std::optional<GeoScores>, 9> CellsAround(const GeoShape& shape) {
  const Area bounds = BoundsOf(shape);
  const double reach =
      shape.is_box
          ? std::sqrt(shape.width / 2 * (shape.width / 2) + shape.height / 2 * (shape.height / 2))
          : shape.radius;
  const int step = StepFor(reach * shape.unit_meters, shape.center.latitude);
  Cell middle = CellOf(shape.center, step);
  if (step > 1 && !Covers(middle, bounds)) middle = CellOf(shape.center, step - 1);

  // In a grid of four cells all are each other's neighbours on both sides: none can be left out.
  const Area area = AreaOf(middle);
  const bool selective = middle.step >= 2;
  const bool no_north = selective && area.most.latitude > bounds.most.latitude;
  const bool no_south = selective && area.least.latitude < bounds.least.latitude;
  const bool no_east = selective && area.most.longitude > bounds.most.longitude;
  const bool no_west = selective && area.least.longitude < bounds.least.longitude;

  struct Direction {
    int north;
    int east;
  };
  constexpr Direction kDirections[] = {{0, 0}, {1, 0},  {-1, 0}, {0, 1},  {0, -1},
                                       {1, 1}, {1, -1}, {-1, 1}, {-1, -1}};
  std::array<std::optional<GeoScores>, 9> cells;
  for (size_t i = 0; i < cells.size(); ++i) {
    const auto [north, east] = kDirections[i];
    if ((north > 0 && no_north) || (north < 0 && no_south)) continue;
    if ((east > 0 && no_east) || (east < 0 && no_west)) continue;
    const uint64_t bits = Neighbour(middle, north, east).bits();
    const int shift = 2 * (kSteps - middle.step);
    cells[i] = {.first = bits << shift, .end = (bits + 1) << shift};
  }
  return cells;
}

}  // namespace lapse
