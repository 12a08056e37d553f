// The parts of the table of directives that have files of their own, beside config_table.cc.
//
// A part appends its rows, in any order: config_table.cc sorts them in with the others.
//
// Thread: called once, by ConfigTable().
#pragma once

#include <vector>

#include "server/core/config.h"

namespace lapse {

// The HTTP port, and what the managed service's API says of this server.
void AddHttpRows(std::vector<ConfigRow>& rows);

}  // namespace lapse
