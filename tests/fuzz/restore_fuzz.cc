// Any bytes as the body of a dump: what is refused does no harm, and what is taken is a value that
// can be read, copied, written, and read again as the same number of elements.
//
// Input: 1 byte that chooses the limits, then tag and value. Footers are left out: a fuzzer finds
// no checksum.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "storage/entry.h"
#include "storage/entry_heap.h"
#include "storage/persist/dump_payload.h"
#include "storage/persist/value_reader.h"
#include "storage/persist/value_writer.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

// Tight limits make large forms reachable with short inputs.
lapse::ValueLimits LimitsOf(uint8_t choice) {
  if ((choice & 1) == 0) return {};
  return {.set = {.intset_entries = 2, .listpack_entries = 2, .listpack_value = 4},
          .hash = {.fields = 2, .text = 4},
          .sorted_set = {.entries = 2, .value_bytes = 4},
          .list_node_size = 2};
}

std::optional<lapse::ReadResult> Read(std::string_view body, const lapse::ValueLimits& limits,
                                      lapse::RdbReader& in) {
  in = lapse::RdbReader(body);
  const uint8_t tag = in.Byte();
  return lapse::ReadValue(in, tag, limits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const lapse::ValueLimits limits = LimitsOf(data[0]);
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  lapse::RdbReader in({});
  auto value = Read(body, limits, in);
  if (!value) return 0;

  lapse::EntryHeap heap;
  const size_t elements = value->collection == nullptr ? 0 : value->collection->size();
  const auto copy = value->collection == nullptr ? nullptr : value->collection->Clone();
  Require(copy == nullptr || copy->size() == elements);
  lapse::Entry* const entry = lapse::Entry::Create(
      heap, {.key = "k", .value = value->text, .collection = value->collection.release()});
  const std::string payload = lapse::DumpEntry(*entry);
  lapse::Entry::Destroy(heap, entry);

  const auto opened = lapse::OpenDump(payload);
  Require(opened.has_value());
  auto again = Read(*opened, limits, in);
  Require(again.has_value());
  Require(again->collection == nullptr || again->collection->size() == elements);
  return 0;
}
