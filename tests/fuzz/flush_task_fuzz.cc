// Any text as the definition of a flush task, and as the file that keeps tasks: what is refused
// does no harm, and what is taken comes back the same from the words or the file it is written as.
//
// Input: a first byte that is even, then the file; or odd, then words, a line each.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "expiry/tasks/reading.h"
#include "expiry/tasks/task_file.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryFile(std::string_view text) {
  const absl::StatusOr<lapse::TaskState> state = lapse::ReadTaskState(text);
  if (!state.ok()) return;
  const std::string written = lapse::WriteTaskState(*state);
  const absl::StatusOr<lapse::TaskState> again = lapse::ReadTaskState(written);
  Require(again.ok());
  Require(lapse::WriteTaskState(*again) == written);
}

void TryWords(std::string_view text) {
  const absl::StatusOr<lapse::TaskSpec> spec =
      lapse::ParseTask({.name = "t"}, lapse::SplitAt(text, '\n'), true);
  if (!spec.ok()) return;
  const std::vector<std::string> words = lapse::TaskWords(*spec);
  const absl::StatusOr<lapse::TaskSpec> again = lapse::ParseTask(
      {.name = "t"}, std::vector<std::string_view>(words.begin(), words.end()), true);
  Require(again.ok());
  Require(lapse::TaskWords(*again) == words);
  for (const std::string& target : spec->run.targets) Require(!lapse::MaskTarget(target).empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    TryFile(text);
  } else {
    TryWords(text);
  }
  return 0;
}
