#include "server/services/function_dump.h"

#include "storage/persist/dump_payload.h"
#include "storage/persist/rdb_reader.h"
#include "storage/persist/rdb_writer.h"

namespace lapse {

std::string DumpFunctions(std::span<const std::string_view> codes) {
  std::string out;
  RdbWriter writer(out);
  for (const std::string_view code : codes) {
    writer.Byte(rdb::kFunctionTag);
    writer.Bytes(code);
  }
  SealDump(out, rdb::kVersion);
  return out;
}

DumpFault ReadFunctionDump(std::string_view bytes, std::vector<std::string>& codes) {
  const auto body = OpenDump(bytes);
  if (!body) return DumpFault::kFooter;
  RdbReader in(*body);
  while (!in.done()) {
    in.Require(in.Byte() == rdb::kFunctionTag);
    const std::string_view code = in.Text();
    if (!in.ok()) return DumpFault::kPayload;
    codes.emplace_back(code);
  }
  return in.ok() ? DumpFault::kNone : DumpFault::kPayload;
}

}  // namespace lapse
