# One layer is one folder and one static library; see docs/architecture.md for the order.
#
#   lapse_layer(<name> <folder> [<library>...])
#
# builds lapse_<name> from the folder's *.cc files (main.cc excepted) and links it PUBLIC with the
# libraries given. Sources are found by a glob, so that adding a file touches nothing but the file.
# A folder with no source yet gives an INTERFACE library: what is headers only, or still to be
# written, links like the rest.

set_property(GLOBAL PROPERTY LAPSE_LAYERS "")

function(lapse_layer name folder)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  set(target "lapse_${name}")
  if(name STREQUAL "lapse")
    set(target "lapse")
  endif()

  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    lapse_precompile(${target})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(lapse::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} ${scope} cxx_std_20)
  target_include_directories(${target} ${scope} "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
                             "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/lapse>")
  target_link_libraries(${target} ${scope} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY LAPSE_LAYERS ${target})
endfunction()

# lapse_precompile(<target>): the standard headers that nearly every file includes, compiled once
# and shared by all targets. Nothing of Lapse's own is in it, so it is rebuilt only when the flags
# change, and no file may rely on it: LAPSE_PCH=OFF has to build too.
function(lapse_precompile target)
  if(NOT LAPSE_PCH)
    return()
  endif()
  if(NOT TARGET lapse_pch)
    file(WRITE "${PROJECT_BINARY_DIR}/pch.cc.new" "// Carries the precompiled header.\n")
    configure_file("${PROJECT_BINARY_DIR}/pch.cc.new" "${PROJECT_BINARY_DIR}/pch.cc" COPYONLY)
    add_library(lapse_pch OBJECT "${PROJECT_BINARY_DIR}/pch.cc")
    target_compile_features(lapse_pch PRIVATE cxx_std_20)
    target_link_libraries(lapse_pch PRIVATE absl::strings fmt::fmt)
    target_precompile_headers(
      lapse_pch PRIVATE
      <algorithm> <array> <atomic> <bit> <chrono> <cstddef> <cstdint> <cstring> <deque>
      <functional> <limits> <map> <memory> <mutex> <optional> <span> <string> <string_view>
      <thread> <tuple> <type_traits> <utility> <variant> <vector>
      <absl/strings/string_view.h> <absl/strings/str_cat.h> <fmt/format.h>)
  endif()
  target_precompile_headers(${target} REUSE_FROM lapse_pch)
endfunction()
