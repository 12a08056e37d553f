// The server's numbers as Prometheus's text format, for a scraper at /metrics and for METRICS.
//
// What the well-known redis_exporter tells of a Redis has that exporter's name, type and unit
// (redis_memory_used_bytes, redis_db_keys{db="db0"}), so that dashboards and alerts made for it
// work without the exporter; what only Lapse has begins with lapse_. All of it comes from running
// sums: the cost does not depend on how many keys there are.
//
// Thread: any, inside the gate.
#pragma once

#include <string>

#include "server/core/instance.h"

namespace lapse {

std::string PrometheusText(Instance& instance);

}  // namespace lapse
