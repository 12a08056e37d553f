// Small files that hold settings: replaced in one step, so that a crash leaves the old content or
// the new, never a part.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace lapse {

// Writes the text to a new file beside `path`, makes it durable and renames it to `path`. Keeps the
// permissions of the file that was there.
absl::Status ReplaceFile(const std::string& path, std::string_view text);

}  // namespace lapse
