# What `cmake --install` puts where, and the package that makes find_package(lapse) work.
#
# Headers keep their place in the tree under <include>/lapse, because they include one another by
# full path from the project's root. A user includes <lapse/lapse.h> alone, which forwards to
# server/lapse.h; the same forwarding header serves a build inside this tree.

include(CMakePackageConfigHelpers)

set(lapse_forwarding_dir "${PROJECT_BINARY_DIR}/forward")
file(CONFIGURE OUTPUT "${lapse_forwarding_dir}/lapse/lapse.h" CONTENT
"// The one header of the embedded database; the declarations are in server/lapse.h.
#pragma once
#include \"server/lapse.h\"
")
get_target_property(lapse_kind lapse TYPE)
if(lapse_kind STREQUAL "INTERFACE_LIBRARY")
  set(lapse_scope INTERFACE)
else()
  set(lapse_scope PUBLIC)
endif()
target_include_directories(lapse ${lapse_scope} "$<BUILD_INTERFACE:${lapse_forwarding_dir}>"
                           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

set(lapse_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/lapse")
get_property(lapse_layers GLOBAL PROPERTY LAPSE_LAYERS)
install(TARGETS ${lapse_layers} EXPORT lapseTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT lapseTargets NAMESPACE lapse:: DESTINATION "${lapse_package_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/lapseConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/lapseConfig.cmake"
                              INSTALL_DESTINATION "${lapse_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/lapseConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/lapseConfig.cmake"
              "${PROJECT_BINARY_DIR}/lapseConfigVersion.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/Findxxhash.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/FindLua51.cmake"
        DESTINATION "${lapse_package_dir}")

install(FILES "${lapse_forwarding_dir}/lapse/lapse.h"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/lapse")
# The public header and what it may include; a header outside this list is private.
foreach(header server/lapse.h protocol/reply.h)
  if(EXISTS "${PROJECT_SOURCE_DIR}/${header}")
    get_filename_component(folder "${header}" DIRECTORY)
    install(FILES "${PROJECT_SOURCE_DIR}/${header}"
            DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/lapse/${folder}")
  endif()
endforeach()

foreach(program lapse-server lapse-flush)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
