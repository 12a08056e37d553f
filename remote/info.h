// What INFO says of a server elsewhere, as far as a flush needs it.
//
// Every server that speaks Redis's protocol has its own selection of lines, so each number is 0 and
// each text empty when its line is missing.
//
// Thread: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

struct RemoteInfo {
  struct Database {
    int index = 0;
    int64_t keys = 0;
    int64_t expires = 0;
  };

  std::string product;  // "Redis", "Valkey", "Lapse", ...
  std::string version;  // the product's own
  std::string run_id;   // of the process
  bool is_replica = false;
  std::string master;  // of a replica, "host:port"
  bool cluster = false;
  bool loading = false;
  int64_t used_memory = 0;
  int64_t used_memory_rss = 0;
  int64_t expired_keys = 0;
  int64_t cpu_us = 0;               // of the process, user and system
  std::vector<Database> databases;  // that hold keys, by index

  // Sums over the databases listed, over all for an empty list.
  int64_t Keys(const std::vector<int>& dbs) const;
  int64_t Expires(const std::vector<int>& dbs) const;
};

RemoteInfo ParseRemoteInfo(std::string_view text);

// Whether version `text`, as "7.2.4", is no older than major.minor.
bool VersionAtLeast(std::string_view text, int major, int minor);

}  // namespace lapse
