// Two kinds of charts as SVG text: lines, and groups of bars.
//
//   +--------------------------------------------------------------+
//   | title                                                        |
//   | y title, unit                                                |
//   |  |                                      |  -- series 1        |
//   |  |           plot                       |  -- series 2        |
//   |  +--------------------------------------+     (legend)        |
//   |      ticks          x title, unit                            |
//   +--------------------------------------------------------------+
//
// The legend has a column of its own, so that nothing is ever drawn over data. The background is
// white, not transparent: pages may be dark.
//
// Thread: plain functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/lab/metrics.h"

namespace lapse {

struct Axis {
  std::string title;  // with its unit
  bool log = false;
  std::optional<double> min;  // else from the data
  std::optional<double> max;
};

struct Series {
  std::string name;
  std::string colour;
  Curve points;
};

struct LineChart {
  std::string title;
  Axis x;
  Axis y;
  std::vector<Series> series;
};
// Points that a logarithmic axis cannot show are moved to its end.
std::string DrawLines(const LineChart& chart);

struct BarGroup {
  std::string name;
  std::vector<std::optional<double>> values;  // one a series; none: no bar
};
struct BarChart {
  std::string title;
  Axis y;
  std::vector<std::pair<std::string, std::string>> series;  // name and colour
  std::vector<BarGroup> groups;
  std::string absent = "–";  // stands where there is no bar
};
// Each bar has its value written on it.
std::string DrawBars(const BarChart& chart);

}  // namespace lapse
