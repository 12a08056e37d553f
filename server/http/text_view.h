// Boost's view of text, which Beast and Boost.JSON share, as the standard's. The other way round
// there is a conversion already.
//
// Thread: a pure function.
#pragma once

#include <string_view>

#include "boost/json/string_view.hpp"

namespace lapse {

inline std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

}  // namespace lapse
