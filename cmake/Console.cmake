# What the console's layer is made of: one generated source, with the bytes of the page's files. A
# change of any of them generates it anew.

set(console_page "${PROJECT_SOURCE_DIR}/server/console/page")
set(console_source "${PROJECT_BINARY_DIR}/console_files.cc")
set(console_script "${PROJECT_SOURCE_DIR}/cmake/EmbedFiles.cmake")

file(GLOB console_files CONFIGURE_DEPENDS "${console_page}/*.*")
add_custom_command(
  OUTPUT "${console_source}"
  COMMAND "${CMAKE_COMMAND}" -D "FOLDER=${console_page}" -D "OUTPUT=${console_source}"
          -P "${console_script}"
  DEPENDS ${console_files} "${console_script}"
  COMMENT "Embedding the console's page"
  VERBATIM)
set(lapse_generated_console "${console_source}")
