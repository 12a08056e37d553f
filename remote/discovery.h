// From a target to the servers that hold its keys: itself, a cluster's masters, a sentinel's
// master.
//
// Seeds are asked in their order until one answers. CLUSTER SHARDS says most (Redis 7 and later);
// servers without it have CLUSTER SLOTS; CLUSTER NODES, which all have, comes last because it is
// text for people. A node that does not know its own address gives an empty one, which means the
// one that it was asked at.
//
// Thread: any.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/reply.h"
#include "remote/connection.h"
#include "remote/scan_cursor.h"
#include "remote/target.h"

namespace lapse {

struct RemoteNode {
  RemoteAddress address;
  std::vector<SlotRange> slots;  // a cluster's master's
};

// Masters of a cluster without slots hold no keys and are left out. At least one node when OK.
absl::StatusOr<std::vector<RemoteNode>> DiscoverNodes(const RemoteTarget& target,
                                                      const RemoteConnectOptions& options,
                                                      std::stop_token stop);

// The replies, taken apart. `asked` is the address that gave them; `tls` chooses the port.
absl::StatusOr<std::vector<RemoteNode>> ParseClusterShards(const Reply& reply,
                                                           const RemoteAddress& asked, bool tls);
absl::StatusOr<std::vector<RemoteNode>> ParseClusterSlots(const Reply& reply,
                                                          const RemoteAddress& asked);
absl::StatusOr<std::vector<RemoteNode>> ParseClusterNodes(std::string_view text,
                                                          const RemoteAddress& asked);
// SENTINEL GET-MASTER-ADDR-BY-NAME's.
absl::StatusOr<RemoteAddress> ParseMasterAddress(const Reply& reply);

// The value of `name` in a map, or in RESP2's flat array of names and values; null: it has none.
const Reply* FieldOf(const Reply& map, std::string_view name);

}  // namespace lapse
