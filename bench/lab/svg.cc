#include "bench/lab/svg.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/lab/number_text.h"
#include "fmt/format.h"

namespace lapse {
namespace {

constexpr double kWidth = 860;
constexpr double kHeight = 400;
constexpr double kLeft = 76;
constexpr double kRight = 700;  // beyond it is the legend
constexpr double kTop = 66;
constexpr double kBottom = 340;
// So that of lines upon each other both can be seen.
constexpr std::string_view kDashes[] = {"none", "none", "7 5", "none", "2 4"};
constexpr double kLabelRoom = 0.16;  // a value above the highest bar, as a share of the plot
constexpr double kFewDecades = 2.5;  // below, a logarithmic axis has ticks at 2 and 5 as well

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// An axis with its ends settled, laid over a stretch of the page.
class Scale {
 public:
  Scale(const Axis& axis, double least, double most, double from, double to)
      : log_(axis.log), from_(from), to_(to) {
    min_ = axis.min.value_or(least);
    max_ = axis.max.value_or(most);
    if (log_) {
      if (!axis.min) min_ = 1 / RoundUp(1 / min_);
      if (!axis.max) max_ = RoundUp(max_);
      if (max_ <= min_) max_ = min_ * 10;
    } else {
      if (!axis.min) min_ = std::min(min_, 0.0);
      if (max_ <= min_) max_ = min_ + 1;
      if (!axis.max) max_ = std::ceil(max_ / Step()) * Step();
    }
  }

  double At(double value) const {
    const double share = log_ ? std::log(std::max(value, min_) / min_) / std::log(max_ / min_)
                              : (value - min_) / (max_ - min_);
    return from_ + std::clamp(share, 0.0, 1.0) * (to_ - from_);
  }
  double min() const { return min_; }

  std::vector<double> Ticks() const {
    std::vector<double> ticks;
    if (!log_) {
      const double step = Step();
      for (double tick = std::ceil(min_ / step) * step; tick <= max_ + step / 1000; tick += step) {
        ticks.push_back(std::abs(tick) < step / 1000 ? 0 : tick);
      }
      return ticks;
    }
    const bool few = std::log10(max_ / min_) < kFewDecades;
    for (double decade = std::pow(10.0, std::floor(std::log10(min_))); decade <= max_ * 1.001;
         decade *= 10) {
      for (const double times : {1.0, 2.0, 5.0}) {
        const double tick = decade * times;
        if (times > 1 && !few) continue;
        if (tick >= min_ * 0.999 && tick <= max_ * 1.001) ticks.push_back(tick);
      }
    }
    return ticks;
  }

 private:
  // 1, 2 or 5 times a power of ten.
  static double RoundUp(double value) {
    const double decade = std::pow(10.0, std::floor(std::log10(value)));
    for (const double times : {1.0, 2.0, 5.0}) {
      if (decade * times >= value * 0.999) return decade * times;
    }
    return decade * 10;
  }

  // A round step that gives four to nine ticks.
  double Step() const { return RoundUp((max_ - min_) / 5); }

  bool log_;
  double from_;
  double to_;
  double min_ = 0;
  double max_ = 1;
};

std::string TextAt(double x, double y, std::string_view anchor, std::string_view text,
                   std::string_view more = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y,
                     anchor, more, Escaped(text));
}

// Text over the middle of a bar, upright when the bar is too narrow for it.
std::string UprightOrNot(double x, double y, double bar, std::string_view text,
                         std::string_view colour) {
  if (bar >= 6.5 * static_cast<double>(text.size())) {
    return TextAt(x, y, "middle", text, fmt::format("font-size=\"11\" fill=\"{}\"", colour));
  }
  return TextAt(x + 4, y, "start", text,
                fmt::format("font-size=\"10\" fill=\"{}\" transform=\"rotate(-90 {:.1f} {:.1f})\"",
                            colour, x + 4, y));
}

std::string LineTo(double x1, double y1, double x2, double y2, std::string_view colour) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x1, y1, x2,
      y2, colour);
}

std::string Opening(std::string_view title, const Axis& y) {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
             "height=\"{1}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" "
             "fill=\"#333\">\n<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
             kWidth, kHeight) +
         TextAt(14, 24, "start", title, "font-size=\"16\" font-weight=\"bold\"") +
         TextAt(14, 50, "start", y.title);
}

std::string VerticalAxis(const Scale& scale) {
  std::string svg;
  for (const double tick : scale.Ticks()) {
    svg += LineTo(kLeft, scale.At(tick), kRight, scale.At(tick), "#e6e6e6");
    svg += TextAt(kLeft - 8, scale.At(tick) + 4, "end", TickText(tick));
  }
  return svg + LineTo(kLeft, kBottom, kRight, kBottom, "#333");
}

std::string HorizontalAxis(const Scale& scale, const Axis& axis) {
  std::string svg;
  for (const double tick : scale.Ticks()) {
    svg += LineTo(scale.At(tick), kBottom, scale.At(tick), kBottom + 5, "#333");
    svg += TextAt(scale.At(tick), kBottom + 20, "middle", TickText(tick));
  }
  return svg + TextAt((kLeft + kRight) / 2, kBottom + 44, "middle", axis.title);
}

std::string LegendLine(size_t i, std::string_view name, std::string_view colour) {
  const double y = kTop + 10 + 22 * static_cast<double>(i);
  return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"16\" height=\"5\" fill=\"{}\"/>\n",
                     kRight + 22, y - 7, colour) +
         TextAt(kRight + 46, y, "start", name);
}

// The least and the greatest number that an axis has to show.
class Extent {
 public:
  explicit Extent(bool log) : log_(log) {}
  void Add(double value) {
    if (log_ && value <= 0) return;
    least_ = std::min(least_, value);
    most_ = std::max(most_, value);
  }
  double least() const { return least_ <= most_ ? least_ : (log_ ? 1 : 0); }
  double most() const { return least_ <= most_ ? most_ : 1; }

 private:
  bool log_;
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

std::string DrawLines(const LineChart& chart) {
  Extent xs(chart.x.log);
  Extent ys(chart.y.log);
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      xs.Add(point.x);
      ys.Add(point.y);
    }
  }
  const Scale x(chart.x, xs.least(), xs.most(), kLeft, kRight);
  const Scale y(chart.y, ys.least(), ys.most(), kBottom, kTop);
  std::string svg = Opening(chart.title, chart.y) + VerticalAxis(y) + HorizontalAxis(x, chart.x);
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    svg += LegendLine(i, series.name, series.colour);
    if (series.points.empty()) continue;
    std::string points;
    for (const Point& point : series.points) {
      points += fmt::format("{:.1f},{:.1f} ", x.At(point.x), y.At(point.y));
    }
    svg += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" "
        "stroke-linejoin=\"round\" stroke-dasharray=\"{}\"/>\n",
        points, series.colour, kDashes[i % std::size(kDashes)]);
  }
  return svg + "</svg>\n";
}

std::string DrawBars(const BarChart& chart) {
  Extent extent(chart.y.log);
  for (const BarGroup& group : chart.groups) {
    for (const std::optional<double>& value : group.values) {
      if (value) extent.Add(*value);
    }
  }
  // Room for the values above the bars, upright ones included.
  const double span = extent.most() / std::max(extent.least(), 1e-9);
  const double most = chart.y.log ? extent.most() * std::max(1.5, std::pow(span, kLabelRoom))
                                  : extent.most() * (1 + kLabelRoom);
  const Scale y(chart.y, extent.least() * (chart.y.log ? 0.8 : 1), most, kBottom, kTop);
  std::string svg = Opening(chart.title, chart.y) + VerticalAxis(y);
  for (size_t i = 0; i < chart.series.size(); ++i) {
    svg += LegendLine(i, chart.series[i].first, chart.series[i].second);
  }
  const double room =
      (kRight - kLeft) / static_cast<double>(std::max<size_t>(chart.groups.size(), 1));
  const double bar =
      std::min(room * 0.86 / static_cast<double>(std::max<size_t>(chart.series.size(), 1)), 60.0);
  for (size_t g = 0; g < chart.groups.size(); ++g) {
    const BarGroup& group = chart.groups[g];
    const double middle = kLeft + room * (static_cast<double>(g) + 0.5);
    double left = middle - bar * static_cast<double>(group.values.size()) / 2;
    svg += TextAt(middle, kBottom + 20, "middle", group.name);
    for (size_t i = 0; i < group.values.size(); ++i, left += bar) {
      const double centre = left + bar / 2;
      if (!group.values[i]) {
        svg += UprightOrNot(centre, kBottom - 5, bar, chart.absent, "#888");
        continue;
      }
      const double top = y.At(*group.values[i]);
      svg += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
          left + 1, top, bar - 2, std::max(kBottom - top, 1.0), chart.series[i].second);
      svg += UprightOrNot(centre, top - 4, bar, NumberText(*group.values[i]), "#333");
    }
  }
  return svg + "</svg>\n";
}

}  // namespace lapse
