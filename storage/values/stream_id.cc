#include "storage/values/stream_id.h"

#include <charconv>

namespace lapse {

bool StreamId::Increment() {
  if (++seq != 0) return true;
  return ++ms != 0;
}

bool StreamId::Decrement() {
  if (seq-- != 0) return true;
  return ms-- != 0;
}

std::string StreamId::ToString() const {
  char text[kMaxStreamIdChars];
  return std::string(FormatStreamId(*this, text));
}

std::string_view FormatStreamId(const StreamId& id, char* out) {
  char* const limit = out + kMaxStreamIdChars;
  char* end = std::to_chars(out, limit, id.ms).ptr;
  *end++ = '-';
  end = std::to_chars(end, limit, id.seq).ptr;
  return {out, static_cast<size_t>(end - out)};
}

}  // namespace lapse
