#include "server/services/shebang.h"

#include "server/core/words.h"

namespace lapse {

Shebang ParseShebang(std::string_view text) {
  Shebang shebang;
  shebang.body = text;
  if (!text.starts_with("#!")) return shebang;
  shebang.present = true;
  const size_t end = text.find('\n');
  if (end == text.npos) return shebang;
  shebang.complete = true;
  if (auto words = SplitWords(text.substr(0, end))) shebang.words = std::move(*words);
  shebang.body = text.substr(end);
  return shebang;
}

}  // namespace lapse
