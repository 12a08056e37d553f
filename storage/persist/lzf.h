// Unpacks LZF, in which Redis compresses longer texts of dumps and RDB files: runs of literals, and
// copies of what was written up to 8 KiB before.
//
//   000nnnnn                      n + 1 literals follow
//   nnnooooo [more] oooooooo      copy n + 2 bytes (n of 7: `more` is added) from o + 1 bytes back
//
// Thread: a pure function.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lapse {

// Sets `out` to what was packed. False when that is not exactly `size` bytes, or the packed bytes
// are none of LZF's.
[[nodiscard]] bool UnpackLzf(std::string_view packed, size_t size, std::string& out);

}  // namespace lapse
