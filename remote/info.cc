#include "remote/info.h"

#include <algorithm>
#include <array>
#include <utility>

#include "fmt/format.h"
#include "protocol/number.h"
#include "remote/text.h"

namespace lapse {
namespace {

// The line that gives each product away; where there are several, the later one here wins, for
// all of them also say which version of Redis they resemble.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kProducts = {{
    {"redis_version", "Redis"},
    {"valkey_version", "Valkey"},
    {"dragonfly_version", "Dragonfly"},
    {"kvrocks_version", "Kvrocks"},
    {"garnet_version", "Garnet"},
    {"pogocache_version", "Pogocache"},
    {"lapse_version", "Lapse"},
}};

int64_t Number(std::string_view text) {
  int64_t value = 0;
  return ParseInt64(text, value) ? value : 0;
}

int64_t Microseconds(std::string_view seconds) {
  double value = 0;
  return ParseDouble(seconds, value) ? static_cast<int64_t>(value * 1e6) : 0;
}

// "keys=12,expires=3,avg_ttl=0"
RemoteInfo::Database ParseDatabase(int index, std::string_view text) {
  RemoteInfo::Database db = {.index = index};
  for (const std::string_view part : Split(text, ',')) {
    const Halves field = SplitOnce(part, '=');
    if (field.before == "keys") db.keys = Number(field.after);
    if (field.before == "expires") db.expires = Number(field.after);
  }
  return db;
}

struct Reading {
  RemoteInfo info;
  size_t product = 0;  // how far down kProducts
  std::string master_host;
  std::string master_port;
};

void TakeProduct(std::string_view name, std::string_view value, Reading& reading) {
  for (size_t i = reading.product; i < kProducts.size(); ++i) {
    if (kProducts[i].first != name) continue;
    reading.product = i;
    reading.info.product = kProducts[i].second;
    reading.info.version = value;
  }
}

void TakeLine(std::string_view name, std::string_view value, Reading& reading) {
  RemoteInfo& info = reading.info;
  if (name.ends_with("_version")) return TakeProduct(name, value, reading);
  if (name == "run_id") info.run_id = value;
  if (name == "role") info.is_replica = value == "slave" || value == "replica";
  if (name == "master_host") reading.master_host = value;
  if (name == "master_port") reading.master_port = value;
  if (name == "cluster_enabled") info.cluster = value == "1";
  if (name == "loading") info.loading = value == "1";
  if (name == "used_memory") info.used_memory = Number(value);
  if (name == "used_memory_rss") info.used_memory_rss = Number(value);
  if (name == "expired_keys") info.expired_keys = Number(value);
  if (name == "used_cpu_sys" || name == "used_cpu_user") info.cpu_us += Microseconds(value);
  int index = 0;
  if (name.starts_with("db") && ParseNatural(name.substr(2), index)) {
    info.databases.push_back(ParseDatabase(index, value));
  }
}

template <class Field>
int64_t Sum(const std::vector<RemoteInfo::Database>& databases, const std::vector<int>& dbs,
            Field field) {
  int64_t sum = 0;
  for (const RemoteInfo::Database& db : databases) {
    if (dbs.empty() || std::ranges::find(dbs, db.index) != dbs.end()) sum += db.*field;
  }
  return sum;
}

}  // namespace

int64_t RemoteInfo::Keys(const std::vector<int>& dbs) const {
  return Sum(databases, dbs, &Database::keys);
}

int64_t RemoteInfo::Expires(const std::vector<int>& dbs) const {
  return Sum(databases, dbs, &Database::expires);
}

RemoteInfo ParseRemoteInfo(std::string_view text) {
  Reading reading;
  for (std::string_view line : Split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    TakeLine(line.substr(0, colon), line.substr(colon + 1), reading);
  }
  if (reading.info.is_replica) {
    reading.info.master = fmt::format("{}:{}", reading.master_host, reading.master_port);
  }
  std::ranges::sort(reading.info.databases, {}, &RemoteInfo::Database::index);
  return std::move(reading.info);
}

bool VersionAtLeast(std::string_view text, int major, int minor) {
  const std::vector<std::string_view> parts = Split(text, '.');
  const int64_t have_major = Number(parts[0]);
  const int64_t have_minor = parts.size() > 1 ? Number(parts[1]) : 0;
  return have_major > major || (have_major == major && have_minor >= minor);
}

}  // namespace lapse
