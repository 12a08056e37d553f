// How hard active expiry may work: shares of one CPU, as plain functions.
//
// Effort follows lag, the age of what is due longest, and nothing else. It rises from the resting
// to the working share while the lag goes from one tick to two, so that a load the resting share
// cannot carry settles at the share that it needs, with every key gone within two ticks:
//
//   share
//   behind_percent |              ________
//                  |            /
//                  |          /
//   rest_percent   |________/
//                  +-------+-------+------- lag
//                        1 tick  2 ticks
//
// A thread with nothing else to do works at idle_percent at once: then speed costs nobody anything.
// One that clients keep busy for a part of its time does so with what they leave of idle_percent,
// if that is more: a client that asks for something now and then does not hold expiry back.
// No share is ever below one percent while something is due.
//
// Thread: any; nothing here has state.
#pragma once

#include <cstdint>

#include "expiry/settings.h"
#include "storage/tick.h"

namespace lapse {

// How late the latest of the keys that `oldest` stands for may be, in milliseconds: hints round up
// to a tick, so at a tick's first moment its keys are already up to one tick late. 0 when it is not
// due.
int64_t LagMs(const TickScale& ticks, Tick oldest, int64_t now_ms);

// The share that a driver may use, in percent of one CPU: 1..100.
// `client_percent` of the thread's time goes to clients.
double SharePercent(const ExpirySettings& settings, int64_t lag_ms, double client_percent);
// What such clients leave of idle_percent; negative when they take more.
double FreePercent(const ExpirySettings& settings, double client_percent);

// How long to leave the CPU to others after `worked_ns` of work at that share.
int64_t RestUs(int64_t worked_ns, double share_percent);

}  // namespace lapse
