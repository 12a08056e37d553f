#include "remote/discovery.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "fmt/format.h"
#include "remote/text.h"

namespace lapse {
namespace {

using Nodes = std::vector<RemoteNode>;

// Bounds what a peer may make us connect to.
constexpr size_t kMaxNodes = 16384;
constexpr int kMaxSlot = 16383;

absl::Status NotUnderstood(std::string_view command) {
  return absl::InternalError(fmt::format("{}: a reply of an unknown form", command));
}

bool SoundRange(int64_t first, int64_t last) {
  return first >= 0 && first <= last && last <= kMaxSlot;
}

// What a node calls itself where it does not know its address is "" or "?".
std::string HostOr(std::string_view host, const RemoteAddress& asked) {
  return host.empty() || host == "?" ? asked.host : std::string(host);
}

absl::StatusOr<Nodes> Found(Nodes nodes, std::string_view command) {
  if (nodes.size() > kMaxNodes) return NotUnderstood(command);
  if (nodes.empty()) {
    return absl::FailedPreconditionError("the cluster has no master with slots");
  }
  return nodes;
}

std::string_view TextOf(const Reply* reply) {
  return reply != nullptr && reply->IsText() ? std::string_view(reply->text) : "";
}

// The node of a shard that is its master, by preference one that is well.
const Reply* MasterOf(const Reply& nodes) {
  const Reply* master = nullptr;
  for (const Reply& node : nodes.elements) {
    if (TextOf(FieldOf(node, "role")) != "master") continue;
    if (master == nullptr || TextOf(FieldOf(node, "health")) == "online") master = &node;
  }
  return master;
}

RemoteAddress AddressOf(const Reply& node, const RemoteAddress& asked, bool tls) {
  RemoteAddress address;
  // `endpoint` is what the cluster's operators want clients to use: an address or a name.
  const Reply* const endpoint = FieldOf(node, "endpoint");
  address.host = HostOr(TextOf(endpoint), asked);
  const Reply* port = FieldOf(node, tls ? "tls-port" : "port");
  if (port == nullptr) port = FieldOf(node, tls ? "port" : "tls-port");
  address.port = port == nullptr ? 0 : static_cast<int>(port->AsInteger());
  return address;
}

// "0-5460 5462 [93-<-77e7...]": the last kind is a slot on its way and stays with its owner.
std::vector<SlotRange> SlotsOf(std::span<const std::string_view> words) {
  std::vector<SlotRange> slots;
  for (const std::string_view word : words) {
    const Halves range = SplitOnce(word, '-');
    SlotRange found;
    if (!ParseNatural(range.before, found.first)) continue;
    found.last = found.first;
    if (!range.after.empty() && !ParseNatural(range.after, found.last)) continue;
    if (SoundRange(found.first, found.last)) slots.push_back(found);
  }
  return slots;
}

// Asks each seed in its order until one gives an answer that `ask` can use.
template <class Result>
absl::StatusOr<Result> AskSeeds(
    const RemoteTarget& target, const RemoteLogin& login, const RemoteConnectOptions& options,
    const std::stop_token& stop,
    const std::function<absl::StatusOr<Result>(RemoteConnection&, const RemoteAddress&)>& ask) {
  absl::Status last = absl::InternalError("no address");
  for (const RemoteAddress& seed : target.seeds) {
    absl::StatusOr<RemoteConnection> connection =
        RemoteConnection::Open(seed, target.tls, login, options, stop);
    last = connection.status();
    if (connection.ok()) {
      absl::StatusOr<Result> answer = ask(*connection, seed);
      if (answer.ok()) return answer;
      last = answer.status();
    }
    last =
        absl::Status(last.code(), fmt::format("{}: {}", seed.Text(), std::string(last.message())));
    if (last.code() == absl::StatusCode::kCancelled) break;
  }
  return last;
}

absl::StatusOr<Nodes> AskCluster(RemoteConnection& connection, const RemoteAddress& asked,
                                 bool tls) {
  for (const std::string_view form : {"SHARDS", "SLOTS", "NODES"}) {
    const absl::StatusOr<Reply> reply = connection.Call({"CLUSTER", form});
    if (!reply.ok()) return reply.status();
    const absl::Status status = StatusOfReply(*reply);
    if (status.code() == absl::StatusCode::kUnimplemented && form != "NODES") continue;
    if (!status.ok()) return status;
    absl::StatusOr<Nodes> nodes = form == "SHARDS"  ? ParseClusterShards(*reply, asked, tls)
                                  : form == "SLOTS" ? ParseClusterSlots(*reply, asked)
                                                    : ParseClusterNodes(reply->text, asked);
    if (nodes.ok() || form == "NODES") return nodes;
  }
  return NotUnderstood("CLUSTER");
}

absl::StatusOr<RemoteAddress> AskSentinel(RemoteConnection& connection, const std::string& name) {
  const absl::StatusOr<Reply> reply =
      connection.Call({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name});
  if (!reply.ok()) return reply.status();
  absl::StatusOr<RemoteAddress> address = ParseMasterAddress(*reply);
  if (address.ok() || address.status().code() != absl::StatusCode::kNotFound) return address;
  return absl::NotFoundError(fmt::format("the sentinel knows no master {}", name));
}

}  // namespace

const Reply* FieldOf(const Reply& map, std::string_view name) {
  if (!map.IsCollection()) return nullptr;
  for (size_t i = 0; i + 1 < map.size(); i += 2) {
    if (map[i] == name) return &map[i + 1];
  }
  return nullptr;
}

absl::StatusOr<Nodes> ParseClusterShards(const Reply& reply, const RemoteAddress& asked, bool tls) {
  if (!reply.IsCollection()) return NotUnderstood("CLUSTER SHARDS");
  Nodes nodes;
  for (const Reply& shard : reply.elements) {
    const Reply* const slots = FieldOf(shard, "slots");
    const Reply* const members = FieldOf(shard, "nodes");
    if (slots == nullptr || members == nullptr) return NotUnderstood("CLUSTER SHARDS");
    const Reply* const master = MasterOf(*members);
    if (slots->elements.empty() || master == nullptr) continue;
    RemoteNode node = {.address = AddressOf(*master, asked, tls)};
    for (size_t i = 0; i + 1 < slots->size(); i += 2) {
      const int64_t first = (*slots)[i].AsInteger(-1), last = (*slots)[i + 1].AsInteger(-1);
      if (!SoundRange(first, last)) return NotUnderstood("CLUSTER SHARDS");
      node.slots.push_back({static_cast<int>(first), static_cast<int>(last)});
    }
    nodes.push_back(std::move(node));
  }
  return Found(std::move(nodes), "CLUSTER SHARDS");
}

absl::StatusOr<Nodes> ParseClusterSlots(const Reply& reply, const RemoteAddress& asked) {
  if (!reply.IsCollection()) return NotUnderstood("CLUSTER SLOTS");
  Nodes nodes;
  for (const Reply& range : reply.elements) {
    if (range.size() < 3 || range[2].size() < 2) return NotUnderstood("CLUSTER SLOTS");
    const int64_t first = range[0].AsInteger(-1), last = range[1].AsInteger(-1);
    if (!SoundRange(first, last)) return NotUnderstood("CLUSTER SLOTS");
    RemoteAddress address;
    address.host = HostOr(TextOf(&range[2][0]), asked);
    address.port = static_cast<int>(range[2][1].AsInteger());
    auto node = std::ranges::find(nodes, address, &RemoteNode::address);
    if (node == nodes.end()) node = nodes.insert(nodes.end(), {.address = address});
    node->slots.push_back({static_cast<int>(first), static_cast<int>(last)});
  }
  return Found(std::move(nodes), "CLUSTER SLOTS");
}

absl::StatusOr<Nodes> ParseClusterNodes(std::string_view text, const RemoteAddress& asked) {
  Nodes nodes;
  for (const std::string_view line : SplitWords(text, '\n')) {
    // id host:port@bus[,name] flags master ping pong epoch link slots...
    const std::vector<std::string_view> words = SplitWords(line, ' ');
    if (words.size() < 8) return NotUnderstood("CLUSTER NODES");
    const std::vector<std::string_view> flags = Split(words[2], ',');
    if (std::ranges::find(flags, "master") == flags.end()) continue;
    const std::string_view where = words[1].substr(0, words[1].find('@'));
    const size_t colon = where.rfind(':');
    RemoteNode node;
    if (colon == std::string_view::npos ||
        !ParseNatural(where.substr(colon + 1), node.address.port)) {
      return NotUnderstood("CLUSTER NODES");
    }
    node.address.host = HostOr(where.substr(0, colon), asked);
    node.slots = SlotsOf(std::span(words).subspan(8));
    if (!node.slots.empty()) nodes.push_back(std::move(node));
  }
  return Found(std::move(nodes), "CLUSTER NODES");
}

absl::StatusOr<RemoteAddress> ParseMasterAddress(const Reply& reply) {
  if (absl::Status status = StatusOfReply(reply); !status.ok()) return status;
  if (reply.IsNull()) return absl::NotFoundError("no master of this name");
  RemoteAddress address;
  if (reply.size() == 2) {
    address.host = reply[0].text;
    address.port = static_cast<int>(reply[1].AsInteger());
  }
  if (address.host.empty() || address.port <= 0) {
    return NotUnderstood("SENTINEL GET-MASTER-ADDR-BY-NAME");
  }
  return address;
}

absl::StatusOr<Nodes> DiscoverNodes(const RemoteTarget& target, const RemoteConnectOptions& options,
                                    std::stop_token stop) {
  if (target.kind == RemoteKind::kServer) {
    return Nodes{{.address = target.seeds.front()}};
  }
  if (target.kind == RemoteKind::kCluster) {
    return AskSeeds<Nodes>(target, {target.user, target.password}, options, stop,
                           [&](RemoteConnection& connection, const RemoteAddress& asked) {
                             return AskCluster(connection, asked, target.tls);
                           });
  }
  const RemoteLogin login = {target.sentinel_user, target.sentinel_password};
  absl::StatusOr<RemoteAddress> master = AskSeeds<RemoteAddress>(
      target, login, options, stop, [&](RemoteConnection& connection, const RemoteAddress&) {
        return AskSentinel(connection, target.master_name);
      });
  if (!master.ok()) return master.status();
  return Nodes{{.address = *std::move(master)}};
}

}  // namespace lapse
