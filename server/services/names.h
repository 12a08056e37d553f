// Hash tables by a name, which are looked up in without making a string of it.
//
// Abseil's default for strings takes std::string_view only where its own string_view is that.
//
// Thread: as their owners'.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"

namespace lapse {

struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return absl::HashOf(name); }
};

struct SameName {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

template <typename Value>
using NameMap = absl::flat_hash_map<std::string, Value, NameHash, SameName>;
using NameSet = absl::flat_hash_set<std::string, NameHash, SameName>;

}  // namespace lapse
