// Boost.JSON, compiled here: so that the lab needs its headers and no library.
#include <boost/json/src.hpp>
