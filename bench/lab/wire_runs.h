// The two runs of `lapse-lab wire`. Each prints its tables as they come and leaves them, with the
// machine and the versions, in the output directory; a server that does not start is named on
// standard error and left out.
//
// Thread: the main thread.
#pragma once

#include "absl/status/status.h"
#include "bench/lab/wire_options.h"

namespace lapse::wire {

absl::Status RunThroughput(const Options& options);
absl::Status RunExpiry(const Options& options);

}  // namespace lapse::wire
