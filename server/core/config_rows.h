// The parts of the table of directives, each in a file of its own by subject: what a part has to
// say about its directives stands there, made by the makers of config_row_kinds.h.
//
// A part appends its rows, in any order: config_table.cc, the one place that gathers them, sorts
// them by name.
//
// Thread: called once, by ConfigTable().
#pragma once

#include <vector>

#include "server/core/config.h"

namespace lapse {

// config_network.cc
void AddNetworkRows(std::vector<ConfigRow>& rows);

// config_general.cc
void AddGeneralRows(std::vector<ConfigRow>& rows);
void AddMonitoringRows(std::vector<ConfigRow>& rows);
void AddServiceRows(std::vector<ConfigRow>& rows);

// config_expiry.cc
void AddExpiryRows(std::vector<ConfigRow>& rows);

// config_memory.cc
void AddMemoryRows(std::vector<ConfigRow>& rows);

// config_types.cc
void AddSetRows(std::vector<ConfigRow>& rows);
void AddValueRows(std::vector<ConfigRow>& rows);
void AddListRows(std::vector<ConfigRow>& rows);
void AddSortedSetRows(std::vector<ConfigRow>& rows);
void AddStreamRows(std::vector<ConfigRow>& rows);

// config_inert.cc
void AddOneValueRows(std::vector<ConfigRow>& rows);
void AddInertRows(std::vector<ConfigRow>& rows);
void AddStockRows(std::vector<ConfigRow>& rows);

// config_http.cc: the HTTP port, and what the managed service's API says of this server.
void AddHttpRows(std::vector<ConfigRow>& rows);

}  // namespace lapse
