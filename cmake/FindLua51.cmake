# Finds Lua 5.1 compiled as C++ (errors unwind the stack, so that objects in functions called from
# scripts are destroyed), as a static library where there is one, and defines lua51::lua51.

find_path(Lua51_INCLUDE_DIR lua5.1/lua.hpp)
find_library(Lua51_LIBRARY NAMES liblua5.1-c++.a lua5.1-c++)
mark_as_advanced(Lua51_INCLUDE_DIR Lua51_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Lua51 REQUIRED_VARS Lua51_LIBRARY Lua51_INCLUDE_DIR)

if(Lua51_FOUND AND NOT TARGET lua51::lua51)
  add_library(lua51::lua51 UNKNOWN IMPORTED)
  set_target_properties(lua51::lua51 PROPERTIES
    IMPORTED_LOCATION "${Lua51_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Lua51_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS};m")
endif()
