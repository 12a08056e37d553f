# The Debian package, which `./dev package` builds: programs, manual pages, the systemd unit, the
# default configuration, documentation. One component, "service", holds what the package has and
# `cmake --install` has not, since the latter is not to write to /etc.
#
# CPack's own generator and dpkg-shlibdeps suffice: there is one package with one unit, and its
# maintainer scripts are short enough to be read.

find_program(LAPSE_GZIP gzip)
mark_as_advanced(LAPSE_GZIP)
if(NOT UNIX OR NOT LAPSE_GZIP)
  return()
endif()

# lapse_compress(<file>): packaging/<file> with the project's version in it, compressed, as
# <build>/packaging/<file>.gz.
function(lapse_compress file)
  set(plain "${PROJECT_BINARY_DIR}/packaging/${file}")
  configure_file("${PROJECT_SOURCE_DIR}/packaging/${file}" "${plain}" @ONLY)
  execute_process(COMMAND "${LAPSE_GZIP}" -9nc "${plain}" OUTPUT_FILE "${plain}.gz"
                  COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(service COMPONENT service EXCLUDE_FROM_ALL)
foreach(program lapse-server lapse-flush)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION bin ${service})
    if(EXISTS "${PROJECT_SOURCE_DIR}/packaging/${program}.1")
      lapse_compress(${program}.1)
      install(FILES "${PROJECT_BINARY_DIR}/packaging/${program}.1.gz"
              DESTINATION share/man/man1 ${service})
    endif()
  endif()
endforeach()
install(FILES packaging/lapse.service DESTINATION /lib/systemd/system ${service})
install(FILES packaging/lapse.sysusers DESTINATION /usr/lib/sysusers.d RENAME lapse.conf ${service})
install(FILES packaging/lapse.conf DESTINATION /etc/lapse
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ ${service})
file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/*.md")
install(FILES README.md ${pages} docs/openapi.json DESTINATION share/doc/lapse ${service})
install(DIRECTORY docs/images DESTINATION share/doc/lapse ${service})
lapse_compress(changelog)
install(FILES "${PROJECT_BINARY_DIR}/packaging/changelog.gz" DESTINATION share/doc/lapse
        RENAME changelog.Debian.gz ${service})
file(WRITE "${PROJECT_BINARY_DIR}/packaging/conffiles" "/etc/lapse/lapse.conf\n")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL service)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_NAME lapse)
set(CPACK_PACKAGE_CONTACT "Lapse's maintainers <lapse@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Redis-compatible key-value server for keys that expire")
set(CPACK_PACKAGE_DESCRIPTION
"Lapse speaks Redis's protocol. A key whose time has come leaves memory at once
instead of when a sample hits it, and FLUSHEXPIREKEYS removes the rest on demand,
by a schedule, or when memory runs full. Keys are kept in memory alone.
.
With lapse-server as a systemd service and lapse-flush for Redis servers.")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS
    "init-system-helpers (>= 1.54), systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS tzdata)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-tools, prometheus-redis-exporter")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/postinst" "${PROJECT_SOURCE_DIR}/packaging/prerm"
    "${PROJECT_SOURCE_DIR}/packaging/postrm" "${PROJECT_BINARY_DIR}/packaging/conffiles")
set(CPACK_SOURCE_GENERATOR "")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/package")
include(CPack)
