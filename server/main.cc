#include <string>
#include <vector>

#include "server/app.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  return lapse::RunServer(words);
}
