#include "storage/persist/dump_payload.h"

#include "storage/persist/crc64.h"
#include "storage/persist/rdb_reader.h"
#include "storage/persist/rdb_writer.h"

namespace lapse {
namespace {

constexpr size_t kVersionBytes = 2;
constexpr size_t kChecksumBytes = 8;

}  // namespace

void SealDump(std::string& body, uint16_t version) {
  RdbWriter out(body);
  out.LittleEndian(version, kVersionBytes);
  out.LittleEndian(Crc64(body), kChecksumBytes);
}

std::optional<std::string_view> OpenDump(std::string_view payload) {
  if (payload.size() < kVersionBytes + kChecksumBytes) return std::nullopt;
  const std::string_view checked = payload.substr(0, payload.size() - kChecksumBytes);
  const std::string_view body = checked.substr(0, checked.size() - kVersionBytes);
  RdbReader footer(payload.substr(body.size()));
  if (footer.LittleEndian(kVersionBytes) > rdb::kNewestVersion) return std::nullopt;
  if (footer.LittleEndian(kChecksumBytes) != Crc64(checked)) return std::nullopt;
  return body;
}

}  // namespace lapse
