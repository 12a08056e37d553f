# Finds mimalloc and defines Mimalloc::Mimalloc. Installed beside lapseConfig.cmake, because a
# program that links Lapse has to find the same allocator.

find_path(Mimalloc_INCLUDE_DIR mimalloc.h PATH_SUFFIXES mimalloc-2.0)
find_library(Mimalloc_LIBRARY mimalloc)
mark_as_advanced(Mimalloc_INCLUDE_DIR Mimalloc_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Mimalloc REQUIRED_VARS Mimalloc_LIBRARY Mimalloc_INCLUDE_DIR)

if(Mimalloc_FOUND AND NOT TARGET Mimalloc::Mimalloc)
  add_library(Mimalloc::Mimalloc UNKNOWN IMPORTED)
  set_target_properties(Mimalloc::Mimalloc PROPERTIES
    IMPORTED_LOCATION "${Mimalloc_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Mimalloc_INCLUDE_DIR}")
endif()
