#include <string>
#include <vector>

#include "remote/flush_program.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  return lapse::RunFlushProgram(words, LAPSE_VERSION);
}
