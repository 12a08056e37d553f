#include "expiry/tasks/task_spec.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "expiry/tasks/reading.h"
#include "fmt/format.h"
#include "protocol/number.h"

namespace lapse {
namespace {

constexpr size_t kShownWord = 128;  // longer ones are cut in error texts
constexpr int64_t kMostConcurrency = 256;
constexpr int64_t kMostErrors = 1'000'000;
constexpr int64_t kMostDb = 16'383;

absl::Status Bad(std::string reason) { return absl::InvalidArgumentError(std::move(reason)); }

std::string_view Shown(std::string_view word) { return word.substr(0, kShownWord); }

std::string Upper(std::string_view text) { return absl::AsciiStrToUpper(std::string(text)); }

bool IsNameChar(char c) {
  return IsDigit(c) || IsLetter(c) || std::string_view("_.:-").find(c) != std::string_view::npos;
}

bool IsTarget(std::string_view word) {
  return SameWord(word, kLocalTarget) || word.find("://") != word.npos;
}

// The words of a definition in order, with the first thing that is wrong with them.
class Words {
 public:
  explicit Words(std::span<const std::string_view> words) : words_(words) {}

  bool More() const { return error_.empty() && at_ < words_.size(); }
  bool Match(std::string_view word) {
    if (!More() || !SameWord(words_[at_], word)) return false;
    ++at_;
    return true;
  }
  std::string_view Peek() const { return More() ? words_[at_] : std::string_view(); }
  // The word that follows `option`.
  std::string_view Next(std::string_view option) {
    if (More()) return words_[at_++];
    Fail(fmt::format("{} needs a value", option));
    return {};
  }
  int64_t Integer(std::string_view option, int64_t least, int64_t most) {
    const std::string_view word = Next(option);
    int64_t value = least;
    if (error_.empty() && (!ParseInt64(word, value) || value < least || value > most)) {
      Fail(fmt::format("{} must be an integer between {} and {}", option, least, most));
    }
    return error_.empty() ? value : least;
  }
  int64_t Duration(std::string_view option, int64_t least_ms) {
    const std::string_view word = Next(option);
    if (!error_.empty()) return least_ms;
    const absl::StatusOr<int64_t> ms = ParseDuration(word);
    if (!ms.ok()) Fail(fmt::format("{}: {}", option, std::string(ms.status().message())));
    if (ms.ok() && *ms < least_ms) {
      Fail(fmt::format("{} must be at least {}", option, FormatDuration(least_ms)));
    }
    return error_.empty() ? *ms : least_ms;
  }
  void Fail(std::string error) {
    if (error_.empty()) error_ = std::move(error);
  }
  absl::Status status() const { return error_.empty() ? absl::OkStatus() : Bad(error_); }

 private:
  std::span<const std::string_view> words_;
  size_t at_ = 0;
  std::string error_;
};

// --- runs ---

void ReadOffpeak(Words& in, RunOptions& run) {
  if (in.Match("NONE")) {
    run.offpeak_cpu = run.offpeak_within_ms = 0;
    return;
  }
  if (!in.Match("CPU")) return in.Fail("OFFPEAK must be followed by CPU and a percentage, or NONE");
  run.offpeak_cpu = in.Integer("OFFPEAK CPU", 1, 100);
  run.offpeak_within_ms = TaskSpec::kDefaultOffpeakWithinMs;
  if (in.Match("WITHIN")) run.offpeak_within_ms = in.Duration("WITHIN", 1000);
}

// Brings the window to `text`, as the zone reads it.
void SetWindow(Words& in, std::string_view text, const TimeZone& zone, RunOptions& run) {
  absl::StatusOr<DailyWindow> window = DailyWindow::Parse(text, zone);
  if (!window.ok()) return in.Fail("WINDOW: " + std::string(window.status().message()));
  run.window = *std::move(window);
}

void ReadDbs(Words& in, RunOptions& run) {
  run.dbs.clear();
  if (in.Match("ALL")) return;
  do {
    const auto db = static_cast<int>(in.Integer("DB", 0, kMostDb));
    if (std::ranges::find(run.dbs, db) == run.dbs.end()) run.dbs.push_back(db);
  } while (!in.Peek().empty() && IsDigit(in.Peek()[0]));
  if (run.dbs.size() > TaskSpec::kMaxDbs) in.Fail("too many databases");
}

void ReadTargets(Words& in, RunOptions& run) {
  run.targets.clear();
  while (IsTarget(in.Peek())) {
    std::string target(in.Next("ON"));
    if (SameWord(target, kLocalTarget)) target = kLocalTarget;
    if (const absl::Status status = CheckTarget(target); !status.ok()) {
      return in.Fail("ON: " + std::string(status.message()));
    }
    if (std::ranges::find(run.targets, target) == run.targets.end()) {
      run.targets.push_back(std::move(target));
    }
  }
  if (run.targets.empty()) in.Fail("ON must be followed by LOCAL or a URL");
  if (run.targets.size() > TaskSpec::kMaxTargets) in.Fail("too many targets");
}

// Whether the next words concern runs; if so, they are read, but for the window's text, which only
// its zone gives a meaning.
bool ReadRunOption(Words& in, RunOptions& run, std::string_view& window) {
  if (in.Match("MAXCPU")) {
    run.max_cpu_percent = in.Integer("MAXCPU", 1, 100);
  } else if (in.Match("OFFPEAK")) {
    ReadOffpeak(in, run);
  } else if (in.Match("WINDOW")) {
    window = in.Match("NONE") ? std::string_view() : in.Next("WINDOW");
    run.window.reset();
  } else if (in.Match("TIMEOUT")) {
    run.timeout_ms = in.Duration("TIMEOUT", 0);
  } else if (in.Match("DB")) {
    ReadDbs(in, run);
  } else if (in.Match("ON")) {
    ReadTargets(in, run);
  } else if (in.Match("CONCURRENCY")) {
    run.concurrency = in.Integer("CONCURRENCY", 1, kMostConcurrency);
  } else if (in.Match("MAXERRORS")) {
    run.max_errors = in.Integer("MAXERRORS", 0, kMostErrors);
  } else {
    return false;
  }
  return true;
}

// --- when ---

// Texts that can be read only once the zone is known.
struct LocalTimes {
  std::optional<std::string_view> at;
  std::optional<std::string_view> start;
  std::optional<std::string_view> until;
  std::string_view window;
};

void ReadCron(Words& in, TaskSpec& spec) {
  absl::StatusOr<CronExpression> cron = CronExpression::Parse(in.Next("CRON"));
  if (!cron.ok()) return in.Fail("CRON: " + std::string(cron.status().message()));
  spec.kind = TaskKind::kCron;
  spec.cron = *std::move(cron);
}

void ReadZone(Words& in, TaskSpec& spec) {
  absl::StatusOr<TimeZone> zone = TimeZone::Load(in.Next("TZ"));
  if (!zone.ok()) return in.Fail("TZ: " + std::string(zone.status().message()));
  spec.zone = *std::move(zone);
}

// Whether the next words say when the task fires; if so, they are read.
bool ReadSchedule(Words& in, TaskSpec& spec, LocalTimes& times) {
  if (in.Match("CRON")) {
    ReadCron(in, spec);
  } else if (in.Match("EVERY")) {
    spec.kind = TaskKind::kEvery;
    spec.every_ms = in.Duration("EVERY", TaskSpec::kLeastEveryMs);
  } else if (in.Match("AT")) {
    spec.kind = TaskKind::kAt;
    times.at = in.Next("AT");
  } else if (in.Match("MEMORY")) {
    spec.kind = TaskKind::kMemory;
    spec.memory_percent = in.Integer("MEMORY", 1, 100);
  } else {
    return false;
  }
  return true;
}

void ReadMissed(Words& in, TaskSpec& spec) {
  const bool skip = in.Match("SKIP");
  if (!skip && !in.Match("ONCE")) in.Fail("MISSED must be followed by ONCE or SKIP");
  spec.missed = skip ? MissedPolicy::kSkip : MissedPolicy::kOnce;
}

void ReadTaskOption(Words& in, TaskSpec& spec, LocalTimes& times) {
  if (in.Match("FOR")) {
    spec.for_ms = in.Duration("FOR", TaskSpec::kLeastForMs);
    if (spec.for_ms > TaskSpec::kMostForMs) in.Fail("FOR must be at most 1h");
  } else if (in.Match("SILENCE")) {
    spec.silence_ms = in.Duration("SILENCE", 0);
  } else if (in.Match("COOLDOWN")) {
    spec.cooldown_ms = in.Duration("COOLDOWN", 0);
  } else if (in.Match("TZ")) {
    ReadZone(in, spec);
  } else if (in.Match("START")) {
    times.start = in.Next("START");
  } else if (in.Match("UNTIL")) {
    times.until = in.Next("UNTIL");
  } else if (in.Match("MISSED")) {
    ReadMissed(in, spec);
  } else {
    in.Fail(fmt::format("unknown word '{}' in the task", Shown(in.Peek())));
  }
}

void ReadTime(Words& in, std::string_view option, const std::optional<std::string_view>& text,
              const TimeZone& zone, int64_t& ms) {
  if (!text.has_value()) return;
  if (SameWord(*text, "NONE") && option != "AT") {
    ms = 0;
    return;
  }
  const absl::StatusOr<int64_t> instant = ParseInstant(*text, zone);
  if (!instant.ok()) {
    return in.Fail(fmt::format("{}: {}", option, std::string(instant.status().message())));
  }
  // 0 stands for no time at all.
  if (*instant <= 0) return in.Fail(fmt::format("{} must be after 1970", option));
  ms = *instant;
}

absl::Status CheckWhole(const TaskSpec& spec) {
  if (spec.until_ms != 0 && spec.start_ms != 0 && spec.until_ms <= spec.start_ms) {
    return Bad("UNTIL must be after START");
  }
  if (spec.kind == TaskKind::kAt && spec.until_ms != 0 && spec.until_ms <= spec.at_ms) {
    return Bad("UNTIL must be after AT");
  }
  if (spec.kind == TaskKind::kAt && spec.at_ms < spec.start_ms) {
    return Bad("AT must not be before START");
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view TaskKindName(TaskKind kind) {
  constexpr std::string_view kNames[] = {"cron", "every", "at", "memory"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view MissedPolicyName(MissedPolicy policy) {
  return policy == MissedPolicy::kOnce ? "once" : "skip";
}

std::string TaskSpec::When() const {
  switch (kind) {
    case TaskKind::kCron:
      return cron ? cron->text() : "";
    case TaskKind::kEvery:
      return FormatDuration(every_ms);
    case TaskKind::kAt:
      return FormatInstant(at_ms);
    case TaskKind::kMemory:
      break;
  }
  return FormatInt64(memory_percent);
}

bool TaskNameIsValid(std::string_view name) {
  return !name.empty() && name.size() <= TaskSpec::kMaxNameBytes &&
         std::ranges::all_of(name, IsNameChar);
}

absl::StatusOr<TaskSpec> ParseTask(TaskSpec base, std::span<const std::string_view> words,
                                   bool is_new) {
  if (!TaskNameIsValid(base.name)) {
    return Bad(fmt::format("a task's name is made of up to {} letters, digits and any of '_.:-'",
                           TaskSpec::kMaxNameBytes));
  }
  Words in(words);
  LocalTimes times;
  // A local window stays one when only the zone changes.
  const std::string old_window = base.run.window ? base.run.window->text() : "";
  bool scheduled = false;
  while (in.More()) {
    if (ReadSchedule(in, base, times)) {
      if (scheduled) in.Fail("a task has one of CRON, EVERY, AT and MEMORY");
      scheduled = true;
    } else if (!ReadRunOption(in, base.run, times.window)) {
      ReadTaskOption(in, base, times);
    }
  }
  if (is_new && !scheduled) in.Fail("a task needs one of CRON, EVERY, AT and MEMORY");
  ReadTime(in, "AT", times.at, base.zone, base.at_ms);
  ReadTime(in, "START", times.start, base.zone, base.start_ms);
  ReadTime(in, "UNTIL", times.until, base.zone, base.until_ms);
  if (times.window.empty() && base.run.window) times.window = old_window;
  if (!times.window.empty()) SetWindow(in, times.window, base.zone, base.run);
  if (!in.status().ok()) return in.status();
  if (const absl::Status status = CheckWhole(base); !status.ok()) return status;
  return base;
}

absl::StatusOr<RunOptions> ParseRunOptions(std::span<const std::string_view> words) {
  Words in(words);
  RunOptions run;
  std::string_view window;
  while (in.More()) {
    if (!ReadRunOption(in, run, window))
      in.Fail(fmt::format("unknown word '{}'", Shown(in.Peek())));
  }
  if (!window.empty()) SetWindow(in, window, {}, run);
  if (!in.status().ok()) return in.status();
  return run;
}

std::vector<std::string> RunOptionWords(const RunOptions& run) {
  const RunOptions plain;
  std::vector<std::string> words;
  const auto add = [&words](auto... more) { (words.emplace_back(more), ...); };
  if (run.max_cpu_percent != plain.max_cpu_percent) add("MAXCPU", FormatInt64(run.max_cpu_percent));
  if (run.offpeak_cpu != 0) {
    add("OFFPEAK", "CPU", FormatInt64(run.offpeak_cpu));
    add("WITHIN", FormatDuration(run.offpeak_within_ms));
  }
  if (run.window) add("WINDOW", run.window->text());
  if (run.timeout_ms != 0) add("TIMEOUT", FormatDuration(run.timeout_ms));
  if (!run.dbs.empty()) add("DB");
  for (const int db : run.dbs) add(FormatInt64(db));
  if (run.targets != plain.targets) {
    add("ON");
    for (const std::string& target : run.targets) add(target);
  }
  if (run.concurrency != plain.concurrency) add("CONCURRENCY", FormatInt64(run.concurrency));
  if (run.max_errors != 0) add("MAXERRORS", FormatInt64(run.max_errors));
  return words;
}

std::vector<std::string> TaskWords(const TaskSpec& spec) {
  const TaskSpec plain;
  std::vector<std::string> words;
  const auto add = [&words](auto... more) { (words.emplace_back(more), ...); };
  add(Upper(TaskKindName(spec.kind)), spec.When());
  if (spec.kind == TaskKind::kMemory) {
    add("FOR", FormatDuration(spec.for_ms), "SILENCE", FormatDuration(spec.silence_ms));
  }
  if (!spec.zone.is_utc()) add("TZ", spec.zone.name());
  if (spec.start_ms != 0) add("START", FormatInstant(spec.start_ms));
  if (spec.until_ms != 0) add("UNTIL", FormatInstant(spec.until_ms));
  if (spec.cooldown_ms != 0) add("COOLDOWN", FormatDuration(spec.cooldown_ms));
  if (spec.missed != plain.missed) {
    add("MISSED", Upper(MissedPolicyName(spec.missed)));
  }
  for (std::string& word : RunOptionWords(spec.run)) words.push_back(std::move(word));
  return words;
}

}  // namespace lapse
