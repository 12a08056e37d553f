#include "bench/lab/wire_options.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"

namespace lapse::wire {
namespace {

using Names = std::vector<std::string>;

absl::Status Bad(std::string reason) { return absl::InvalidArgumentError(reason); }

absl::Status ParseNames(const std::string& text, const Names& known, Names& out) {
  Names names = absl::StrSplit(text, ',', absl::SkipEmpty());
  if (names.empty() || names.size() > kMaxListed) return Bad("an empty or endless list");
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Bad(fmt::format("there is no '{}'", name));
    }
  }
  out = std::move(names);
  return absl::OkStatus();
}

absl::Status ParseNumber(const std::string& text, int64_t most, int64_t& out) {
  if (absl::SimpleAtoi(text, &out) && out >= 1 && out <= most) return absl::OkStatus();
  return Bad(fmt::format("'{}' is no number from 1 to {}", text, most));
}

absl::Status ParseNumbers(const std::string& text, int64_t most, std::vector<int64_t>& out) {
  const Names words = absl::StrSplit(text, ',', absl::SkipEmpty());
  if (words.empty() || words.size() > kMaxListed) return Bad("an empty or endless list");
  out.clear();
  for (const std::string& word : words) {
    int64_t value = 0;
    if (absl::Status status = ParseNumber(word, most, value); !status.ok()) return status;
    out.push_back(value);
  }
  return absl::OkStatus();
}

absl::Status ParseSeconds(const std::string& text, double& out) {
  if (absl::SimpleAtod(text, &out) && out > 0 && out <= 3600) return absl::OkStatus();
  return Bad(fmt::format("'{}' is no number of seconds", text));
}

// Where this program is: lapse-server is beside it.
std::string Own() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).string();
}

std::vector<ServerSpec> KnownServers() {
  const std::string own = Own();
  const std::string lapse = (std::filesystem::path(own).parent_path() / "lapse-server").string();
  const auto limit = [&own](std::string_view kind) {
    return fmt::format("'{}' wire limit {} --port {{port}} --threads {{threads}}", own, kind);
  };
  return {{"redis",
           "redis-server --port {port} --bind 127.0.0.1 --dir {dir} --save \"\" --appendonly no "
           "--enable-debug-command local"},
          {"lapse", fmt::format("'{}' --port {{port}} --threads {{threads}} --dir {{dir}} "
                                "--enable-debug-command local",
                                lapse)},
          {"limit-asio", limit("asio")},
          {"limit-epoll", limit("epoll")}};
}

absl::Status ParseServer(const std::string& text, std::vector<ServerSpec>& out) {
  if (out.size() == kMaxListed) return Bad("too many servers");
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    for (ServerSpec& known : KnownServers()) {
      if (known.name != text) continue;
      out.push_back(std::move(known));
      return absl::OkStatus();
    }
  }
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    return Bad(fmt::format("'{}' is neither name=command nor a server known here", text));
  }
  out.push_back({text.substr(0, equals), text.substr(equals + 1)});
  return absl::OkStatus();
}

absl::Status ParseOption(const std::string& name, const std::string& value, Options& out) {
  static const Options kDefaults;
  if (name == "--server") return ParseServer(value, out.servers);
  if (name == "--tests") return ParseNames(value, kDefaults.tests, out.tests);
  if (name == "--parts") return ParseNames(value, kDefaults.parts, out.parts);
  if (name == "--pipelines") return ParseNumbers(value, kMaxPipeline, out.pipelines);
  if (name == "--threads") return ParseNumbers(value, kMaxThreads, out.threads);
  if (name == "--rounds") return ParseNumber(value, kMaxRounds, out.rounds);
  if (name == "--keys") return ParseNumber(value, kMaxKeys, out.keys);
  if (name == "--seconds") return ParseSeconds(value, out.sample_seconds);
  if (name == "--timeout") return ParseSeconds(value, out.timeout_seconds);
  if (name == "--out") {
    out.out = value;
    return absl::OkStatus();
  }
  return Bad(fmt::format("unknown option '{}'", name));
}

}  // namespace

absl::StatusOr<Options> ParseOptions(std::span<const std::string> words) {
  Options options;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string name = words[i];
    if (name == "--quick" || name == "--append") {
      (name == "--quick" ? options.quick : options.append) = true;
      continue;
    }
    std::optional<std::string> value;
    if (const size_t equals = name.find('='); equals != std::string::npos && name[0] == '-') {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    }
    if (!value) return Bad(fmt::format("'{}' needs a value", name));
    if (absl::Status status = ParseOption(name, *value, options); !status.ok()) return status;
  }
  return options;
}

std::vector<ServerSpec> ServersOf(const Options& options, bool with_limits) {
  if (!options.servers.empty()) return options.servers;
  std::vector<ServerSpec> servers = KnownServers();
  if (!with_limits) {
    std::erase_if(servers, [](const ServerSpec& s) { return s.name.starts_with("limit-"); });
  }
  return servers;
}

}  // namespace lapse::wire
