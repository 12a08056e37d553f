// METRICS: the numbers for a monitoring system, now or over the latest day.

#include <algorithm>
#include <cmath>
#include <limits>

#include "server/commands/families.h"
#include "server/commands/rows.h"
#include "server/core/arguments.h"
#include "server/core/context.h"
#include "server/core/errors.h"
#include "server/core/instance.h"
#include "server/services/prometheus.h"
#include "server/services/samples.h"
#include "server/services/services.h"

namespace lapse {
namespace {

constexpr int64_t kMaxTime = std::numeric_limits<int64_t>::max();
constexpr int64_t kMaxStepSeconds = 86'400;
// Without a STEP, samples are drawn together until they are no more than this: enough for a plot,
// and no millisecond of other clients' time.
constexpr int64_t kUnaskedSamples = 720;
constexpr std::string_view kBadStep = "ERR step must be between 1 and 86400 seconds";

// Amounts are whole numbers; of the others three decimals say all that a sample knows.
void WriteValue(ReplyWriter& reply, size_t column, double value) {
  if (std::isnan(value)) return reply.Null();
  if (column < kSampleAmounts) return reply.Integer(static_cast<int64_t>(value));
  reply.Double(std::round(value * 1e3) / 1e3);
}

void History(CommandContext& ctx) {
  int64_t since_ms = 0;
  int64_t step_seconds = 0;
  ArgumentReader in(ctx.args, 2);
  while (in.More()) {
    if (in.Match("SINCE")) {
      since_ms = in.IntegerIn(0, kMaxTime);
    } else if (in.Match("STEP")) {
      step_seconds = in.IntegerIn(1, kMaxStepSeconds, kBadStep);
    } else {
      in.Fail(errors::kSyntax);
    }
  }
  if (!in.ok()) return ctx.reply.Error(in.error());
  Samples& kept = Services::Of(ctx.instance).samples();
  int64_t step_ms = step_seconds * 1000;
  if (step_ms == 0) {
    const int64_t span_ms = ctx.now_ms - std::max(since_ms, kept.oldest_ms());
    step_ms = (span_ms / (kUnaskedSamples * Samples::kStepMs) + 1) * Samples::kStepMs;
  }
  step_ms = std::max(step_ms, Samples::kStepMs);

  const std::vector<Sample> samples = kept.History(since_ms, step_ms);
  const auto columns = SampleColumns();
  ReplyWriter& reply = ctx.reply;
  reply.Map(4);
  reply.Bulk("now");
  reply.Integer(ctx.now_ms);
  reply.Bulk("names");
  reply.Array(1 + columns.size());
  reply.Bulk("at");
  for (const SampleColumnRow& column : columns) reply.Bulk(column.name);
  reply.Bulk("step-ms");
  reply.Integer(step_ms);
  reply.Bulk("samples");
  reply.Array(samples.size());
  for (const Sample& sample : samples) {
    reply.Array(1 + columns.size());
    reply.Integer(sample.at_ms);
    for (size_t i = 0; i < columns.size(); ++i) WriteValue(reply, i, sample.values[i]);
  }
}

void Help(CommandContext& ctx) {
  constexpr std::string_view kLines[] = {
      "METRICS",
      "    Return the server's numbers in Prometheus's text format.",
      "METRICS HISTORY [SINCE unix-time-milliseconds] [STEP seconds]",
      "    Return the samples of the latest 24 hours, one every 10 seconds, or as one for each",
      "    step. Default: a step that gives no more than 720.",
      "METRICS HELP",
      "    Print this help.",
  };
  ctx.reply.Array(std::size(kLines));
  for (const std::string_view line : kLines) ctx.reply.Simple(line);
}

void Metrics(CommandContext& ctx) {
  if (ctx.args.size() == 1) return ctx.reply.Verbatim("txt", PrometheusText(ctx.instance));
  if (EqualsIgnoreCase(ctx.args[1], "HISTORY")) return History(ctx);
  if (EqualsIgnoreCase(ctx.args[1], "HELP") && ctx.args.size() == 2) return Help(ctx);
  ctx.reply.Error(errors::kSyntax);
}

constexpr CommandRow kRows[] = {
    {.name = "metrics",
     .arity = -1,
     .flags = kLoading | kStale,
     .categories = "dangerous",
     .group = "server",
     .since = "1.0.0",
     .complexity = "O(N), N shards in use; with HISTORY O(M), M samples kept",
     .summary = "The server's numbers for a monitoring system, now or over the latest day",
     .syntax = "[HISTORY [SINCE unix-time-milliseconds] [STEP seconds] | HELP]",
     .handler = Metrics,
     .tips = "nondeterministic_output"},
};
static_assert(RowsAreSound(kRows));

}  // namespace

std::span<const CommandRow> MetricsCommands() { return kRows; }

}  // namespace lapse
