// LATENCY: spikes, and how long the commands take.

#include <algorithm>
#include <cmath>

#include "fmt/format.h"
#include "server/commands/families.h"
#include "server/commands/help.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/command_name.h"
#include "server/core/context.h"
#include "server/core/instance.h"
#include "server/services/services.h"

namespace lapse {
namespace {

LatencyMonitor& MonitorOf(CommandContext& ctx) { return Services::Of(ctx.instance).latency(); }

void Latest(CommandContext& ctx) {
  const auto events = MonitorOf(ctx).Events();
  ctx.reply.Array(events.size());
  for (const auto& [name, event] : events) {
    ctx.reply.Array(4);
    ctx.reply.Bulk(name);
    ctx.reply.Integer(event.samples.back().unix_seconds);
    ctx.reply.Integer(event.samples.back().latency_ms);
    ctx.reply.Integer(event.worst_ms);
  }
}

void History(CommandContext& ctx) {
  const auto events = MonitorOf(ctx).Events();
  const auto found = events.find(ctx.args[2]);
  if (found == events.end()) return ctx.reply.EmptyArray();
  ctx.reply.Array(found->second.samples.size());
  for (const LatencyMonitor::Sample& sample : found->second.samples) {
    ctx.reply.Array(2);
    ctx.reply.Integer(sample.unix_seconds);
    ctx.reply.Integer(sample.latency_ms);
  }
}

void Reset(CommandContext& ctx) {
  size_t forgotten = 0;
  if (ctx.args.size() == 2) forgotten = MonitorOf(ctx).Forget("");
  for (size_t i = 2; i < ctx.args.size(); ++i) forgotten += MonitorOf(ctx).Forget(ctx.args[i]);
  ctx.reply.Integer(static_cast<int64_t>(forgotten));
}

// Bars of an event's latest samples, the highest eight rows tall.
void Graph(CommandContext& ctx) {
  constexpr size_t kMostBars = 80;
  constexpr int64_t kRows = 8;
  const auto events = MonitorOf(ctx).Events();
  const auto found = events.find(ctx.args[2]);
  if (found == events.end()) {
    return ctx.reply.Error(fmt::format("ERR No samples available for event '{}'", ctx.args[2]));
  }
  const auto& samples = found->second.samples;
  const size_t bars = std::min(samples.size(), kMostBars);
  const auto first = samples.end() - static_cast<int64_t>(bars);
  const auto [least, most] =
      std::minmax_element(first, samples.end(),
                          [](const auto& a, const auto& b) { return a.latency_ms < b.latency_ms; });
  std::string text = fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n", found->first,
                                 most->latency_ms, least->latency_ms, found->second.worst_ms);
  text += std::string(bars, '-') + '\n';
  for (int64_t row = kRows; row >= 1; --row) {
    for (auto sample = first; sample != samples.end(); ++sample) {
      const int64_t height =
          std::max<int64_t>(1, sample->latency_ms * kRows / std::max<int64_t>(most->latency_ms, 1));
      text += height >= row ? '#' : ' ';
    }
    text += '\n';
  }
  ctx.reply.Verbatim("txt", text);
}

void Doctor(CommandContext& ctx) {
  const int64_t threshold = ctx.instance.config.latency_monitor_threshold_ms;
  const auto events = MonitorOf(ctx).Events();
  std::string text;
  if (threshold == 0) {
    text =
        "Spikes are not watched for. CONFIG SET latency-monitor-threshold <milliseconds> begins "
        "to.\n";
  } else if (events.empty()) {
    text = fmt::format("No command has taken {} ms or more since spikes are watched for.\n",
                       threshold);
  }
  for (const auto& [name, event] : events) {
    int64_t sum = 0;
    for (const auto& sample : event.samples) sum += sample.latency_ms;
    text += fmt::format("{}: spikes in {} seconds, {} ms on average, {} ms at worst.\n", name,
                        event.samples.size(), sum / static_cast<int64_t>(event.samples.size()),
                        event.worst_ms);
  }
  if (!events.empty()) {
    text +=
        "SLOWLOG GET shows which commands took long; INFO latencystats, how long each kind takes. "
        "Where neither does, look at the machine: swapping, a throttled CPU, huge pages being "
        "assembled.\n";
  }
  ctx.reply.Verbatim("txt", text);
}

// Counts of the calls that took at most 1, 2, 4, ... us, up to where all are.
void ReplyHistogram(CommandContext& ctx, const CommandTotals& totals) {
  const double us_per_cycle = ctx.instance.command_stats.scale().NsPerCycle() / 1000;
  ctx.reply.Map(2);
  ctx.reply.Bulk("calls");
  ctx.reply.Integer(totals.calls);
  ctx.reply.Bulk("histogram_usec");
  const size_t mark = ctx.reply.BeginMap();
  size_t pairs = 0;
  int64_t counted = 0;
  size_t bucket = 0;
  int64_t all = 0;
  for (const int64_t count : totals.histogram) all += count;
  for (int64_t bound_us = 1; counted < all; bound_us *= 2) {
    const int64_t before = counted;
    while (bucket < CommandTotals::kBuckets &&
           0.75 * std::ldexp(1.0, static_cast<int>(bucket)) * us_per_cycle <=
               static_cast<double>(bound_us)) {
      counted += totals.histogram[bucket++];
    }
    if (counted == before) continue;
    ctx.reply.Integer(bound_us);
    ctx.reply.Integer(counted);
    ++pairs;
  }
  ctx.reply.EndMap(mark, pairs);
}

void Histogram(CommandContext& ctx) {
  const auto wanted = [&](const CommandRegistry::Numbered& command, const std::string& name) {
    if (ctx.args.size() == 2) return true;
    return std::any_of(ctx.args.begin() + 2, ctx.args.end(), [&](std::string_view word) {
      return EqualsIgnoreCase(word, name) ||
             (command.container != nullptr && EqualsIgnoreCase(word, command.container->name));
    });
  };
  const size_t mark = ctx.reply.BeginMap();
  size_t found = 0;
  for (const CommandRegistry::Numbered& command : ctx.instance.registry.numbered()) {
    const std::string name = FullName(command.container, *command.row);
    if (!wanted(command, name)) continue;
    const CommandTotals totals = ctx.instance.command_stats.Totals(command.number);
    if (totals.calls == 0) continue;
    ctx.reply.Bulk(name);
    ReplyHistogram(ctx, totals);
    ++found;
  }
  ctx.reply.EndMap(mark, found);
}

constexpr uint32_t kFlags = kAdmin | kNoScript | kLoading | kStale;
constexpr std::string_view kTips =
    "nondeterministic_output request_policy:all_nodes response_policy:special";

constexpr CommandRow kSubcommands[] = {
    {"doctor", 2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "O(1)",
     "A reading of the spikes that were noted", "", Doctor, kNoSubcommands, kTips},
    {"graph", 3, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "O(1)",
     "The spikes of an event, drawn with characters", "event", Graph, kNoSubcommands, kTips},
    {"help", 2, kLoading | kStale, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "O(1)",
     "List the subcommands", "", ReplySubcommandHelp},
    {"histogram", -2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "7.0.0",
     "O(N * M), N commands, M names given", "How long commands took, counted in classes of time",
     "[command [command ...]]", Histogram, kNoSubcommands, kTips},
    {"history", 3, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "O(1)",
     "The spikes of an event, with their times", "event", History, kNoSubcommands, kTips},
    {"latest", 2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "O(1)",
     "The latest spike of each event", "", Latest, kNoSubcommands, kTips},
    {"reset", -2, kFlags, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "O(1)",
     "Forget spikes, of some events or of all", "[event [event ...]]", Reset, kNoSubcommands,
     "request_policy:all_nodes response_policy:all_succeeded"},
};

constexpr CommandRow kRows[] = {
    {"latency", -2, 0, kNoKeys, KeyAccess::kNone, "", "server", "2.8.13", "That of the subcommand",
     "What there is to know about slow moments", "", nullptr, kSubcommands},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> LatencyCommands() { return kRows; }

}  // namespace lapse
