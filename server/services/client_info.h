// How a client is described: CLIENT LIST's line, which the ACL log quotes too.
//
// Thread: the session's own, or any in the gate's exclusive form.
#pragma once

#include <cstdint>
#include <string>

#include "server/core/session.h"

namespace lapse {

// One line of CLIENT LIST, with Redis's fields, without the newline.
std::string DescribeClient(const Session& session, int64_t now_ms);

}  // namespace lapse
