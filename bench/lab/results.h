// The results of the lab as a file: what machine, what program, and every sample.
//
//   { "about": { "date", "machine", ... },
//     "samples": [ { "workload", "variant", "strategy", "run", "keys", "values": {..},
//                    "backlog": [[s, keys], ..], "lag": [[ms, %], ..], "violations": [..] }, .. ] }
//
// Thread: any; files are the caller's affair.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/lab/metrics.h"

namespace lapse {

struct Results {
  // What a reader needs to judge the numbers, in order: names and texts.
  std::vector<std::pair<std::string, std::string>> about;
  std::vector<Sample> samples;
};

// This machine and program.
std::vector<std::pair<std::string, std::string>> DescribeMachine();

std::string SampleToJson(const Sample& sample);
// Throw std::runtime_error (or what the parser throws) when the text is not what the lab writes.
Sample SampleFromJson(std::string_view text);
Results ReadResults(const std::string& path);
// Replaces the file as a whole.
void WriteResults(const Results& results, const std::string& path);

// The whole of a file; throw std::runtime_error.
std::string ReadText(const std::string& path);
void WriteText(const std::string& path, std::string_view text);

}  // namespace lapse
