// HyperLogLogs: 16,384 registers of 6 bits from which the number of distinct elements that were
// added is estimated, with a standard error of 0.81 %.
//
// The value is a string in Redis's bytes, so that values can be moved between both:
//
//   | "HYLL" | form (1) | unused (3) | cached count (8, little endian) | registers or runs |
//
//   dense    registers of 6 bits each, the first in the lowest bits of the first byte: 12,288 bytes
//   sparse   runs of equal registers:   00xxxxxx            1 to 64 zeroes
//                                       01xxxxxx yyyyyyyy   1 to 16,384 zeroes
//                                       1vvvvvxx            1 to 4 registers of a value 1 to 32
//
// The highest bit of the count says that it is out of date. A sparse value turns dense when a
// register exceeds 32 or when it would become longer than hll-sparse-max-bytes. How runs are split
// and joined is visible in the bytes and in when that happens, so it is done as Redis does it: the
// run is split into up to three, then the run before and the four after it are joined where two
// values meet that fit one run.
//
// Sources: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog: the analysis of a near-optimal
// cardinality estimation algorithm" (2007); Heule, Nunkesser, Hall, "HyperLogLog in practice"
// (2013), for 64-bit hashes and the sparse form; Ertl, "New cardinality estimation algorithms for
// HyperLogLog sketches" (2017), for the estimate; Appleby's MurmurHash64A for the hash.
//
// Thread: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lapse::hyperloglog {

inline constexpr size_t kRegisters = 16384;
inline constexpr size_t kHeaderBytes = 16;
inline constexpr size_t kDenseBytes = kHeaderBytes + kRegisters * 6 / 8;

using Registers = std::array<uint8_t, kRegisters>;

enum class Outcome : uint8_t { kUnchanged, kChanged, kCorrupt };

// An empty one: sparse, with its count cached.
std::string Make();
// Whether the bytes may be one, as far as header and length tell. All that follow require it.
bool HasHeader(std::string_view bytes);
bool IsDense(std::string_view bytes);

// Where an element belongs and what the register there must be at least.
struct Observation {
  size_t index = 0;
  uint8_t rank = 0;
};
Observation Observe(std::string_view element);

// Raises a register. The cached count is left as it is.
Outcome RaiseDense(char* bytes, Observation observed);
Outcome Raise(std::string& bytes, Observation observed, size_t max_sparse_bytes);
// Kept once something was raised.
void InvalidateCount(char* bytes);

// The count that is cached, if it is up to date.
std::optional<uint64_t> CachedCount(std::string_view bytes);
void CacheCount(char* bytes, uint64_t count);
// Estimates the count. nullopt: corrupt.
std::optional<uint64_t> Count(std::string_view bytes);
uint64_t Count(const Registers& registers);

// Raises `registers` to these where they are lower. False: corrupt.
bool MergeInto(Registers& registers, std::string_view bytes);
// False: corrupt, and nothing was changed.
bool MakeDense(std::string& bytes);
// The runs of a sparse one in readable form: "Z:16382 v:3,1 z:1".
std::string DescribeRuns(std::string_view bytes);

}  // namespace lapse::hyperloglog
