#include "expiry/budget.h"

#include <algorithm>

namespace lapse {

int64_t LagMs(const TickScale& ticks, Tick oldest, int64_t now_ms) {
  if (oldest > ticks.NowTick(now_ms)) return 0;
  return now_ms - ticks.StartMs(oldest) + kTickMs;
}

double SharePercent(const ExpirySettings& settings, int64_t lag_ms, double client_percent) {
  const auto rest = static_cast<double>(settings.rest_percent);
  const auto behind = static_cast<double>(std::max(settings.behind_percent, settings.rest_percent));
  const double ramp = std::clamp(static_cast<double>(lag_ms - kTickMs) / kTickMs, 0.0, 1.0);
  const double busy = rest + (behind - rest) * ramp;
  return std::clamp(std::max(busy, FreePercent(settings, client_percent)), 1.0, 100.0);
}

double FreePercent(const ExpirySettings& settings, double client_percent) {
  return static_cast<double>(std::min<int64_t>(settings.idle_percent, 100)) - client_percent;
}

int64_t RestUs(int64_t worked_ns, double share_percent) {
  return static_cast<int64_t>(static_cast<double>(worked_ns) * (100.0 - share_percent) /
                              (share_percent * 1000.0));
}

}  // namespace lapse
