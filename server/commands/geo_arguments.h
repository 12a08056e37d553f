// Places, units and distances as the geographic commands read and reply them.
//
// Thread: the session's.
#pragma once

#include "protocol/reply_writer.h"
#include "server/commands/geo_hash.h"
#include "server/core/arguments.h"

namespace lapse {

// Longitude and latitude. Each of these has the reader latch what is wrong.
GeoPoint ReadGeoPoint(ArgumentReader& in);
// M, KM, FT or MI: how many meters that is.
double ReadGeoUnit(ArgumentReader& in);
// "radius unit", or "width height unit".
void ReadGeoCircle(ArgumentReader& in, GeoShape& shape);
void ReadGeoBox(ArgumentReader& in, GeoShape& shape);

void ReplyGeoPoint(ReplyWriter& reply, const GeoPoint& point);
void ReplyGeoDistance(ReplyWriter& reply, double distance);

}  // namespace lapse
