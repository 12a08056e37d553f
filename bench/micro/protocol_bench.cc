// Parsing requests and writing replies: what the wire format costs a command, without a table.
#include <benchmark/benchmark.h>

#include <string>

#include "fmt/format.h"
#include "protocol/buffer.h"
#include "protocol/reply_writer.h"
#include "protocol/request_parser.h"

namespace lapse {
namespace {

constexpr int kPipeline = 64;

std::string Pipeline(const std::string& request) {
  std::string all;
  for (int i = 0; i < kPipeline; ++i) all += request;
  return all;
}

void Parse(benchmark::State& state, const std::string& input) {
  RequestParser parser{ProtocolLimits{}};
  RequestBatch batch;
  for (auto _ : state) {
    size_t consumed = 0;
    parser.Parse(input, kPipeline, batch, consumed);
    if (batch.size() != kPipeline) state.SkipWithError("requests went missing");
    benchmark::DoNotOptimize(batch.args.data());
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(input.size()));
}

void BM_ParseGet(benchmark::State& state) {
  Parse(state, Pipeline("*2\r\n$3\r\nGET\r\n$16\r\nkey:000000012345\r\n"));
}
BENCHMARK(BM_ParseGet);

void BM_ParseSetEx(benchmark::State& state) {
  Parse(state,
        Pipeline(fmt::format("*5\r\n$3\r\nSET\r\n$16\r\nkey:000000012345\r\n$64\r\n{}\r\n$2\r\n"
                             "EX\r\n$4\r\n3600\r\n",
                             std::string(64, 'v'))));
}
BENCHMARK(BM_ParseSetEx);

void BM_WriteBulk(benchmark::State& state) {
  Buffer out;
  ReplyWriter reply(out);
  const std::string value(static_cast<size_t>(state.range(0)), 'v');
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) reply.Bulk(value);
    benchmark::DoNotOptimize(out.data());
    out.Clear();
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(BM_WriteBulk)->Arg(32)->Arg(1024);

void BM_WriteInteger(benchmark::State& state) {
  Buffer out;
  ReplyWriter reply(out);
  for (auto _ : state) {
    for (int i = 0; i < kPipeline; ++i) reply.Integer(123'456 + i);
    benchmark::DoNotOptimize(out.data());
    out.Clear();
  }
  state.SetItemsProcessed(state.iterations() * kPipeline);
}
BENCHMARK(BM_WriteInteger);

}  // namespace
}  // namespace lapse
