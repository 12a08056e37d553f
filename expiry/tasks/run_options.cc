#include "expiry/tasks/run_options.h"

#include "remote/target.h"

namespace lapse {

absl::Status CheckTarget(std::string_view target) {
  return target == kLocalTarget ? absl::OkStatus() : ParseRemoteUrl(target).status();
}

std::string MaskTarget(std::string_view target) {
  if (target == kLocalTarget) return std::string(target);
  const absl::StatusOr<RemoteTarget> remote = ParseRemoteUrl(target);
  // What cannot be read may hold a password anywhere.
  return remote.ok() ? remote->Text() : "(no target)";
}

}  // namespace lapse
