#include "storage/value.h"

namespace lapse {

std::string_view TypeName(ValueType type) {
  constexpr std::string_view kNames[] = {"string", "list", "set", "zset", "hash", "stream"};
  return kNames[static_cast<size_t>(type)];
}

std::string_view EncodingName(Encoding encoding) {
  constexpr std::string_view kNames[] = {"int",       "embstr",    "raw",       "listpack",
                                         "quicklist", "intset",    "hashtable", "skiplist",
                                         "stream",    "listpackex"};
  return kNames[static_cast<size_t>(encoding)];
}

}  // namespace lapse
