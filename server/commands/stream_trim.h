// The options that XADD and XTRIM share: by what a stream is trimmed, and how exactly.
//
// Thread: as the context's.
#pragma once

#include <cstddef>

#include "server/core/context.h"
#include "storage/values/stream.h"

namespace lapse {

struct StreamTrimOptions {
  Stream::TrimRule rule;
  bool no_mkstream = false;  // XADD's alone

  // XADD's, too: where the id stands (the number of arguments when there is none), and what it
  // says.
  size_t id_arg = 0;
  bool has_id = false;    // not "*"
  bool auto_seq = false;  // "ms-*"
  StreamId id;
};

// Reads the options from args[2] on, up to XADD's id, which is read, or to the end. False: an error
// has been replied.
bool ReadTrimOptions(CommandContext& ctx, bool is_xadd, StreamTrimOptions& options);

}  // namespace lapse
