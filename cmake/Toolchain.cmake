# Compiler and linker settings of Lapse's own targets. They are directory-scoped, so that neither
# an installed package nor a project that adds this one as a subdirectory inherits them.

option(LAPSE_NATIVE "Compile for this machine's CPU instead of x86-64-v2" OFF)
option(LAPSE_PCH "Share one precompiled header of standard headers" ON)
option(LAPSE_CCACHE "Compile through ccache when it is installed" ON)
option(LAPSE_FAST_LINKER "Link with mold or lld when one is installed" ON)
option(LAPSE_LTO "Link-time optimisation of release builds (slow to link)" OFF)
set(LAPSE_OPTIMIZE "-O2 -g1" CACHE STRING "Optimisation and debug-information flags of Release")
set(LAPSE_SANITIZE "" CACHE STRING "Sanitizers, as given to -fsanitize=")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_RELEASE "${LAPSE_OPTIMIZE} -DNDEBUG")
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${LAPSE_LTO})
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()

add_compile_options(-Wall -Wextra -Werror -Wno-missing-field-initializers -fno-plt)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-Wthread-safety -Werror=thread-safety)
endif()

if(LAPSE_NATIVE)
  add_compile_options(-march=native)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  add_compile_options(-march=x86-64-v2)
endif()

if(LAPSE_SANITIZE)
  add_compile_options(-fsanitize=${LAPSE_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${LAPSE_SANITIZE})
endif()

# A linker twice as fast as GNU ld is worth having wherever it happens to be installed. LTO needs
# the linker that knows the compiler's plugin, so it keeps the default.
if(LAPSE_FAST_LINKER AND NOT LAPSE_LTO)
  include(CheckLinkerFlag)
  foreach(linker mold lld)
    check_linker_flag(CXX -fuse-ld=${linker} LAPSE_LINKS_WITH_${linker})
    if(LAPSE_LINKS_WITH_${linker})
      add_link_options(-fuse-ld=${linker})
      break()
    endif()
  endforeach()
endif()

if(LAPSE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(LAPSE_CCACHE_PROGRAM ccache)
  mark_as_advanced(LAPSE_CCACHE_PROGRAM)
  if(LAPSE_CCACHE_PROGRAM)
    # Without these, ccache refuses every file that uses a precompiled header.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros
        "${LAPSE_CCACHE_PROGRAM}")
  endif()
endif()
if(LAPSE_PCH AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()
