#include "bench/lab/runner.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "bench/lab/results.h"
#include "fmt/format.h"
#include "storage/clock.h"

namespace lapse {
namespace {

// What the process of a run says: the sample, in which an exception is a violation.
std::string RunHere(const RunSpec& spec, Sample sample) {
  try {
    spec.workload->run(spec, sample);
  } catch (const std::exception& problem) {
    sample.violations.push_back(problem.what());
  }
  return SampleToJson(sample);
}

[[noreturn]] void RunAndTell(const RunSpec& spec, const Sample& sample, int pipe_end) {
  const std::string text = RunHere(spec, sample);
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = write(pipe_end, text.data() + sent, text.size() - sent);
    if (n <= 0) break;
    sent += static_cast<size_t>(n);
  }
  // Nothing of the parent's is to be flushed or destroyed here.
  _exit(0);
}

Sample RunOne(const RunSpec& spec) {
  Sample sample;
  sample.workload = spec.workload->name;
  sample.variant = spec.variant->name;
  sample.strategy = spec.contestant->name;
  sample.run = spec.run;
  sample.keys = spec.keys;
  int ends[2];
  if (pipe(ends) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("cannot fork");
  if (child == 0) {
    close(ends[0]);
    RunAndTell(spec, sample, ends[1]);
  }
  close(ends[1]);
  std::string text;
  char buffer[1 << 16];
  for (ssize_t n; (n = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status == 0 && !text.empty()) return SampleFromJson(text);
  sample.violations.push_back(WIFSIGNALED(status)
                                  ? fmt::format("the run was ended by signal {}", WTERMSIG(status))
                                  : "the run ended without a result");
  return sample;
}

bool Wanted(const RunPlan& plan, const Contestant& contestant) {
  // A choice of strategies does not concern workloads in which none is at work.
  if (plan.strategies.empty() || contestant.flush != FlushWay::kNone) return true;
  return std::find(plan.strategies.begin(), plan.strategies.end(), contestant.name) !=
         plan.strategies.end();
}

std::string TitleOf(const Sample& sample) {
  return sample.variant.empty() ? sample.workload
                                : fmt::format("{}/{}", sample.workload, sample.variant);
}

void Tell(const Sample& sample, int runs, int64_t took_ms) {
  fmt::print(stderr, "{:<24} {:<11} run {}/{} {:>7.1f} s\n", TitleOf(sample), sample.strategy,
             sample.run + 1, runs, static_cast<double>(took_ms) / 1000);
  for (const std::string& violation : sample.violations) {
    fmt::print(stderr, "VIOLATION in {} by {}, run {}: {}\n", TitleOf(sample), sample.strategy,
               sample.run + 1, violation);
  }
}

void RunVariant(const RunPlan& plan, const Workload& workload, const Variant& variant,
                std::vector<Sample>& samples) {
  const SystemClock clock;
  const int64_t own_keys = plan.quick ? workload.quick_keys : workload.keys;
  for (int run = 0; run < plan.runs; ++run) {
    for (const Contestant& contestant : workload.contestants) {
      if (!Wanted(plan, contestant)) continue;
      RunSpec spec;
      spec.workload = &workload;
      spec.variant = &variant;
      spec.contestant = &contestant;
      spec.keys = plan.keys > 0 && workload.scales ? plan.keys : own_keys;
      spec.get_rate = plan.get_rate;
      spec.quick = plan.quick;
      spec.run = run;
      const int64_t began_ms = clock.MonotonicNs() / 1'000'000;
      samples.push_back(RunOne(spec));
      Tell(samples.back(), plan.runs, clock.MonotonicNs() / 1'000'000 - began_ms);
    }
  }
}

}  // namespace

std::vector<Sample> RunAll(const RunPlan& plan) {
  std::vector<Sample> samples;
  for (const Workload* workload : plan.workloads) {
    for (const Variant& variant : workload->variants) {
      if (!plan.variant.empty() && plan.variant != variant.name) continue;
      RunVariant(plan, *workload, variant, samples);
    }
  }
  return samples;
}

}  // namespace lapse
