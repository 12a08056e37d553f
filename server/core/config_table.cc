// The directives, gathered. A row says everything about one: CONFIG GET and SET, the file, the
// command line, CONFIG REWRITE and docs/configuration.md know nothing else.

#include <algorithm>

#include "server/core/config.h"
#include "server/core/config_rows.h"

namespace lapse {
namespace {

std::vector<ConfigRow> AllRows() {
  std::vector<ConfigRow> rows;
  AddNetworkRows(rows);
  AddGeneralRows(rows);
  AddExpiryRows(rows);
  AddSetRows(rows);
  AddStreamRows(rows);
  AddMemoryRows(rows);
  AddMonitoringRows(rows);
  AddValueRows(rows);
  AddListRows(rows);
  AddSortedSetRows(rows);
  AddServiceRows(rows);
  AddOneValueRows(rows);
  AddInertRows(rows);
  AddStockRows(rows);
  AddHttpRows(rows);
  std::sort(rows.begin(), rows.end(),
            [](const ConfigRow& a, const ConfigRow& b) { return a.name < b.name; });
  return rows;
}

}  // namespace

std::span<const ConfigRow> ConfigTable() {
  static const std::vector<ConfigRow> rows = AllRows();
  return rows;
}

}  // namespace lapse
