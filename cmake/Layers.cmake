# One layer is one folder and one static library; see docs/architecture.md for the order.
#
#   lapse_layer(<name> <folder> [<library>...])
#
# builds lapse_<name> from the folder's *.cc files (main.cc excepted) and links it PUBLIC with the
# libraries given. Sources are found by a glob, so that adding a file touches nothing but the file.
# A folder with no source yet gives an INTERFACE library: what is headers only, or still to be
# written, links like the rest. Sources that the build makes are in lapse_generated_<name>.

set_property(GLOBAL PROPERTY LAPSE_LAYERS "")

function(lapse_layer name folder)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  list(APPEND sources ${lapse_generated_${name}})
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

# lapse_embed_text(<target> <function> <header> <file>): compiles a text file into the target, as a
# function of that header, `std::string_view <function>()` in namespace lapse, that returns it. For
# one file of prose or JSON; a string literal has room for 64 KiB by the standard, and more here.
function(lapse_embed_text target function header file)
  set(source "${PROJECT_SOURCE_DIR}/${file}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
  file(READ "${source}" LAPSE_TEXT)
  set(LAPSE_FUNCTION "${function}")
  set(LAPSE_HEADER "${header}")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/embedded_text.cc.in"
                 "${PROJECT_BINARY_DIR}/embedded/${function}.cc" @ONLY)
  target_sources(${target} PRIVATE "${PROJECT_BINARY_DIR}/embedded/${function}.cc")
endfunction()

# lapse_precompile(<target>): shares one precompiled header of standard headers, and for tests one
# with GoogleTest besides. Nothing of Lapse's own is in either, so they are rebuilt only when the
# flags change. No file may rely on them: LAPSE_PCH=OFF, as in the lint preset, has to build too.
function(lapse_precompile target)
  if(LAPSE_PCH)
    if(NOT TARGET lapse_pch)
      lapse_define_pch(lapse_pch absl::strings fmt::fmt)
    endif()
    target_precompile_headers(${target} REUSE_FROM lapse_pch)
  endif()
endfunction()

function(lapse_precompile_test target)
  if(LAPSE_PCH)
    if(NOT TARGET lapse_test_pch)
      lapse_define_pch(lapse_test_pch absl::strings fmt::fmt GTest::gmock)
      target_precompile_headers(lapse_test_pch PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    target_precompile_headers(${target} REUSE_FROM lapse_test_pch)
  endif()
endfunction()

# lapse_define_pch(<name> <library>...): the object library that carries a precompiled header.
function(lapse_define_pch name)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/${name}.cc"
       CONTENT "// Carries a precompiled header.\n")
  add_library(${name} OBJECT "${PROJECT_BINARY_DIR}/${name}.cc")
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE ${ARGN})
  target_precompile_headers(
    ${name} PRIVATE
    <algorithm> <array> <atomic> <bit> <chrono> <cstddef> <cstdint> <cstring> <deque> <functional>
    <limits> <map> <memory> <mutex> <optional> <span> <string> <string_view> <thread> <tuple>
    <type_traits> <utility> <variant> <vector> <absl/strings/str_cat.h>
    <absl/strings/string_view.h> <fmt/format.h>)
endfunction()
