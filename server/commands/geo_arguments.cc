#include "server/commands/geo_arguments.h"

#include <fmt/format.h>

namespace lapse {

GeoPoint ReadGeoPoint(ArgumentReader& in) {
  GeoPoint point;
  point.longitude = in.Float();
  point.latitude = in.Float();
  if (in.ok() && !IsOnMap(point)) {
    in.Fail(fmt::format("ERR invalid longitude,latitude pair {:f},{:f}", point.longitude,
                        point.latitude));
  }
  return point;
}

double ReadGeoUnit(ArgumentReader& in) {
  if (in.Match("M")) return 1;
  if (in.Match("KM")) return 1000;
  if (in.Match("FT")) return 0.3048;
  if (in.Match("MI")) return 1609.34;
  in.Fail("ERR unsupported unit provided. please use M, KM, FT, MI");
  return 1;
}

void ReadGeoCircle(ArgumentReader& in, GeoShape& shape) {
  shape.is_box = false;
  shape.radius = in.Float("ERR need numeric radius");
  if (shape.radius < 0) in.Fail("ERR radius cannot be negative");
  shape.unit_meters = ReadGeoUnit(in);
}

void ReadGeoBox(ArgumentReader& in, GeoShape& shape) {
  shape.is_box = true;
  shape.width = in.Float("ERR need numeric width");
  shape.height = in.Float("ERR need numeric height");
  if (shape.width < 0 || shape.height < 0) in.Fail("ERR height or width cannot be negative");
  shape.unit_meters = ReadGeoUnit(in);
}

void ReplyGeoPoint(ReplyWriter& reply, const GeoPoint& point) {
  reply.Array(2);
  reply.HumanDouble(point.longitude);
  reply.HumanDouble(point.latitude);
}

void ReplyGeoDistance(ReplyWriter& reply, double distance) {
  reply.Bulk(fmt::format("{:.4f}", distance));
}

}  // namespace lapse
