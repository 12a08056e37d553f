// The command line of lapse-flush: words to what is to be done.
//
// Thread: plain values.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "remote/flush.h"
#include "remote/target.h"

namespace lapse {

struct FlushArguments {
  std::vector<RemoteTarget> targets;
  RemoteFlushOptions options;
  std::string user;  // for URLs that name none
  bool ask_password = false;
  bool json = false;
  bool quiet = false;
  bool help = false;
  bool version = false;
};

// What --help prints.
std::string_view FlushHelp();

absl::StatusOr<FlushArguments> ParseFlushArguments(std::span<const std::string> words);

// Gives the user and the password to those targets whose URLs have none.
void FillIn(std::string_view user, std::string_view password, std::vector<RemoteTarget>& targets);

}  // namespace lapse
