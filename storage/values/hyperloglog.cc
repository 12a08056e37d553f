#include "storage/values/hyperloglog.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace lapse::hyperloglog {
namespace {

constexpr int kIndexBits = 14;
constexpr int kRankBits = 64 - kIndexBits;
constexpr size_t kHistogram = 64;  // a register of 6 bits holds less
constexpr std::string_view kMagic = "HYLL";
constexpr size_t kFormAt = 4;
constexpr size_t kCountAt = 8;
constexpr size_t kLastCountByte = 15;
constexpr char kDenseForm = 0;
constexpr char kSparseForm = 1;
constexpr uint8_t kOutOfDate = 0x80;
constexpr uint64_t kHashSeed = 0xadc83b19;

// Runs.
constexpr size_t kShortZeroes = 64;
constexpr size_t kLongZeroes = 16384;
constexpr size_t kMostEqualValues = 4;
constexpr uint8_t kMostSparseValue = 32;
constexpr int kJoinedRuns = 5;

using Histogram = std::array<int, kHistogram>;

// MurmurHash64A for little-endian machines, by Austin Appleby.
uint64_t Hash(std::string_view text) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr int kShift = 47;
  uint64_t hash = kHashSeed ^ (text.size() * kMultiplier);
  size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, &text[i], sizeof(word));
    word *= kMultiplier;
    word ^= word >> kShift;
    hash = (hash ^ (word * kMultiplier)) * kMultiplier;
  }
  if (i < text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, &text[i], text.size() - i);
    hash = (hash ^ word) * kMultiplier;
  }
  hash = (hash ^ hash >> kShift) * kMultiplier;
  return hash ^ hash >> kShift;
}

// One run of the sparse form.
struct Run {
  uint8_t value = 0;
  size_t length = 0;  // registers
  size_t bytes = 1;
};

// The run at `at`. A long run whose second byte is missing is read as if that were zero.
Run ReadRun(std::string_view bytes, size_t at) {
  const auto first = static_cast<uint8_t>(bytes[at]);
  if ((first & 0x80) != 0) {
    return {.value = static_cast<uint8_t>((first >> 2 & 0x1F) + 1), .length = (first & 3U) + 1};
  }
  if ((first & 0x40) == 0) return {.length = (first & 0x3FU) + 1};
  const size_t low = at + 1 < bytes.size() ? static_cast<uint8_t>(bytes[at + 1]) : 0;
  return {.length = ((first & 0x3FU) << 8 | low) + 1, .bytes = 2};
}

char ValueRun(uint8_t value, size_t length) {
  return static_cast<char>(0x80 | (value - 1) << 2 | static_cast<int>(length - 1));
}

void AppendRun(std::string& runs, uint8_t value, size_t length) {
  if (length == 0) return;
  if (value > 0) {
    runs.push_back(ValueRun(value, length));
  } else if (length <= kShortZeroes) {
    runs.push_back(static_cast<char>(length - 1));
  } else {
    runs.push_back(static_cast<char>(0x40 | (length - 1) >> 8));
    runs.push_back(static_cast<char>((length - 1) & 0xFF));
  }
}

// Calls visit(first register, run) for each run. False when they are not as many registers as there
// are.
template <typename Visit>
bool VisitRuns(std::string_view bytes, Visit visit) {
  size_t first = 0;
  for (size_t at = kHeaderBytes; at < bytes.size();) {
    const Run run = ReadRun(bytes, at);
    if (first + run.length > kRegisters) return false;
    visit(first, run);
    first += run.length;
    at += run.bytes;
  }
  return first == kRegisters;
}

const uint8_t* DenseRegisters(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data()) + kHeaderBytes;
}

// Calls visit(index, value) for each register: four in three bytes.
template <typename Visit>
void VisitDense(std::string_view bytes, Visit visit) {
  const uint8_t* in = DenseRegisters(bytes);
  for (size_t i = 0; i < kRegisters; i += 4, in += 3) {
    const uint32_t four =
        in[0] | static_cast<uint32_t>(in[1]) << 8 | static_cast<uint32_t>(in[2]) << 16;
    for (size_t j = 0; j < 4; ++j) visit(i + j, static_cast<uint8_t>(four >> (6 * j) & 0x3F));
  }
}

// Ertl's sigma and tau: how registers at their lowest and at their highest value count.
double Sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  double before = 0;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (before != z);
  return z;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0;
  double y = 1;
  double z = 1 - x;
  double before = 0;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= std::pow(1 - x, 2) * y;
  } while (before != z);
  return z / 3;
}

// Ertl's improved raw estimator (algorithm 6 of his paper).
uint64_t Estimate(const Histogram& histogram) {
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  const auto registers = static_cast<double>(kRegisters);
  double z = registers * Tau((registers - histogram[kRankBits + 1]) / registers);
  for (size_t rank = kRankBits; rank >= 1; --rank) {
    z += histogram[rank];
    z *= 0.5;
  }
  z += registers * Sigma(histogram[0] / registers);
  return static_cast<uint64_t>(
      std::llround(static_cast<long double>(kAlpha * registers * registers / z)));
}

// Joins values that meet, among the runs from `at` on, where one run can hold them.
void JoinRuns(std::string& bytes, size_t at) {
  for (int i = 0; i < kJoinedRuns && at < bytes.size(); ++i) {
    const Run run = ReadRun(bytes, at);
    if (run.value > 0 && at + 1 < bytes.size()) {
      const Run next = ReadRun(bytes, at + 1);
      if (next.value == run.value && run.length + next.length <= kMostEqualValues) {
        bytes[at] = ValueRun(run.value, run.length + next.length);
        bytes.erase(at + 1, 1);
        continue;  // the joined run may join its next neighbour
      }
    }
    at += run.bytes;
  }
}

Outcome RaiseAsDense(std::string& bytes, Observation observed) {
  if (!MakeDense(bytes)) return Outcome::kCorrupt;
  return RaiseDense(bytes.data(), observed);
}

Outcome RaiseSparse(std::string& bytes, Observation observed, size_t max_bytes) {
  if (observed.rank > kMostSparseValue) return RaiseAsDense(bytes, observed);
  size_t at = kHeaderBytes;
  size_t before = kHeaderBytes;  // the run before the one at `at`
  size_t first = 0;
  Run run;
  while (at < bytes.size()) {
    run = ReadRun(bytes, at);
    if (observed.index < first + run.length) break;
    before = at;
    at += run.bytes;
    first += run.length;
  }
  if (at >= bytes.size()) return Outcome::kCorrupt;
  if (run.value >= observed.rank) return Outcome::kUnchanged;

  std::string split;
  AppendRun(split, run.value, observed.index - first);
  AppendRun(split, observed.rank, 1);
  AppendRun(split, run.value, first + run.length - 1 - observed.index);
  const bool longer = split.size() > run.bytes;
  if (longer && bytes.size() + split.size() - run.bytes > max_bytes) {
    return RaiseAsDense(bytes, observed);
  }
  bytes.replace(at, std::min(run.bytes, bytes.size() - at), split);
  JoinRuns(bytes, before);
  return Outcome::kChanged;
}

}  // namespace

std::string Make() {
  std::string bytes(kHeaderBytes, '\0');
  kMagic.copy(bytes.data(), kMagic.size());
  bytes[kFormAt] = kSparseForm;
  AppendRun(bytes, 0, kLongZeroes);
  return bytes;
}

bool HasHeader(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return false;
  return bytes[kFormAt] == kSparseForm ||
         (bytes[kFormAt] == kDenseForm && bytes.size() == kDenseBytes);
}

bool IsDense(std::string_view bytes) { return bytes[kFormAt] == kDenseForm; }

Observation Observe(std::string_view element) {
  const uint64_t hash = Hash(element);
  // The bit above the rank's ends the count, so that it is found in every hash.
  const uint64_t rest = hash >> kIndexBits | uint64_t{1} << kRankBits;
  return {static_cast<size_t>(hash & (kRegisters - 1)),
          static_cast<uint8_t>(std::countr_zero(rest) + 1)};
}

Outcome RaiseDense(char* bytes, Observation observed) {
  auto* const registers = reinterpret_cast<uint8_t*>(bytes) + kHeaderBytes;
  const size_t bit = observed.index * 6;
  uint8_t* const low = registers + bit / 8;
  const unsigned shift = bit % 8;
  const bool spans = shift > 2;  // two bytes
  const unsigned both = low[0] | (spans ? static_cast<unsigned>(low[1]) << 8 : 0);
  if ((both >> shift & 0x3F) >= observed.rank) return Outcome::kUnchanged;
  const unsigned raised = (both & ~(0x3FU << shift)) | static_cast<unsigned>(observed.rank)
                                                           << shift;
  low[0] = static_cast<uint8_t>(raised);
  if (spans) low[1] = static_cast<uint8_t>(raised >> 8);
  return Outcome::kChanged;
}

Outcome Raise(std::string& bytes, Observation observed, size_t max_sparse_bytes) {
  return IsDense(bytes) ? RaiseDense(bytes.data(), observed)
                        : RaiseSparse(bytes, observed, max_sparse_bytes);
}

void InvalidateCount(char* bytes) {
  bytes[kLastCountByte] =
      static_cast<char>(static_cast<uint8_t>(bytes[kLastCountByte]) | kOutOfDate);
}

std::optional<uint64_t> CachedCount(std::string_view bytes) {
  if ((static_cast<uint8_t>(bytes[kLastCountByte]) & kOutOfDate) != 0) return std::nullopt;
  uint64_t count = 0;
  std::memcpy(&count, &bytes[kCountAt], sizeof(count));
  return count;
}

void CacheCount(char* bytes, uint64_t count) {
  std::memcpy(bytes + kCountAt, &count, sizeof(count));
}

std::optional<uint64_t> Count(std::string_view bytes) {
  Histogram histogram{};
  if (IsDense(bytes)) {
    VisitDense(bytes, [&](size_t, uint8_t value) { ++histogram[value]; });
    return Estimate(histogram);
  }
  const bool whole = VisitRuns(
      bytes, [&](size_t, const Run& run) { histogram[run.value] += static_cast<int>(run.length); });
  if (!whole) return std::nullopt;
  return Estimate(histogram);
}

uint64_t Count(const Registers& registers) {
  Histogram histogram{};
  for (const uint8_t value : registers) ++histogram[value];
  return Estimate(histogram);
}

bool MergeInto(Registers& registers, std::string_view bytes) {
  if (IsDense(bytes)) {
    VisitDense(bytes,
               [&](size_t i, uint8_t value) { registers[i] = std::max(registers[i], value); });
    return true;
  }
  return VisitRuns(bytes, [&](size_t first, const Run& run) {
    if (run.value == 0) return;
    for (size_t i = first; i < first + run.length; ++i) {
      registers[i] = std::max(registers[i], run.value);
    }
  });
}

bool MakeDense(std::string& bytes) {
  if (IsDense(bytes)) return true;
  std::string dense(kDenseBytes, '\0');
  dense.replace(0, kHeaderBytes, bytes, 0, kHeaderBytes);
  dense[kFormAt] = kDenseForm;
  const bool whole = VisitRuns(bytes, [&](size_t first, const Run& run) {
    if (run.value == 0) return;
    for (size_t i = 0; i < run.length; ++i) RaiseDense(dense.data(), {first + i, run.value});
  });
  if (whole) bytes = std::move(dense);
  return whole;
}

std::string DescribeRuns(std::string_view bytes) {
  std::string text;
  for (size_t at = kHeaderBytes; at < bytes.size();) {
    const Run run = ReadRun(bytes, at);
    if (!text.empty()) text += ' ';
    if (run.value > 0) {
      text += fmt::format("v:{},{}", run.value, run.length);
    } else {
      text += fmt::format("{}:{}", run.bytes == 2 ? 'Z' : 'z', run.length);
    }
    at += run.bytes;
  }
  return text;
}

}  // namespace lapse::hyperloglog
