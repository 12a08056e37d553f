// Takes the format's primitives (rdb_writer.h) off bytes that may hold anything.
//
// The first step that fails is remembered, and every further one gives zero or an empty text: who
// reads a value asks once, at the end. A loop over a count that was read stops at the failure, too:
//
//   for (uint64_t left = in.Length(); in.ok() && left > 0; --left) ...
//
// No count is believed before its elements are there, so that nothing is reserved for what a
// damaged length promises.
//
// Thread: the reading one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/persist/rdb_format.h"

namespace lapse {

class RdbReader {
 public:
  // The longest text; Redis takes none that is longer.
  static constexpr size_t kMaxText = size_t{512} << 20;

  explicit RdbReader(std::string_view bytes) : left_(bytes) {}

  bool ok() const { return ok_; }
  void Fail() {
    ok_ = false;
    left_ = {};
  }
  void Require(bool holds) {
    if (!holds) Fail();
  }
  size_t left() const { return left_.size(); }  // bytes
  // Whether all was read, or a step failed.
  bool done() const { return left_.empty(); }

  uint8_t Byte();
  uint64_t Length();
  // How many elements follow, of at least so many bytes each: fails when there are none, or more
  // than the bytes can hold.
  uint64_t Count(size_t least_bytes);
  // A text in whatever encoding. Good until the next one is read.
  std::string_view Text();
  std::string_view Raw(size_t bytes);
  uint64_t LittleEndian(size_t bytes);
  uint64_t BigEndian(size_t bytes);
  int64_t Millis() { return static_cast<int64_t>(LittleEndian(sizeof(int64_t))); }
  double Double();
  // A score as old releases wrote it: a length and decimals, or one of three lengths that mean
  // something.
  double DecimalDouble();

 private:
  std::string_view Integer(size_t bytes);
  std::string_view Compressed();

  std::string_view left_;
  bool ok_ = true;
  std::string unpacked_;  // what Text returned, where it does not stand in the bytes
};

}  // namespace lapse
