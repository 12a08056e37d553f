// The console: the page that a browser gets from the HTTP port, as bytes within the program, so
// that it needs no files beside it and no other server.
//
// The page is plain HTML, CSS and JavaScript in server/console/page, without a framework, a build
// step or anything fetched from elsewhere; cmake/EmbedFiles.cmake turns the files into an array at
// build time. It knows the server by its JSON API alone (docs/openapi.json) and can do what the
// user who signs in may do. It keeps to a policy that allows its own files and nothing inline.
//
// Thread: constants.
#pragma once

#include <span>
#include <string_view>

namespace lapse {

struct ConsoleFile {
  std::string_view path;  // "/index.html"
  std::string_view content_type;
  std::string_view bytes;
};

// Sorted by path.
std::span<const ConsoleFile> ConsoleFiles();

}  // namespace lapse
