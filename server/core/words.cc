#include "server/core/words.h"

#include <fmt/format.h>

#include "protocol/limits.h"
#include "protocol/request_parser.h"

namespace lapse {

std::optional<std::vector<std::string>> SplitWords(std::string_view line) {
  if (line.find('\n') != line.npos) return std::nullopt;
  // The blank in front keeps a line that begins with '*' from being taken for a multibulk header.
  const std::string input = fmt::format(" {}\n", line);
  RequestParser parser{ProtocolLimits{}};
  RequestBatch batch;
  size_t consumed = 0;
  if (parser.Parse(input, 1, batch, consumed) == RequestParser::Result::kError) return std::nullopt;
  std::vector<std::string> words;
  if (batch.empty()) return words;
  for (const std::string_view word : batch[0]) words.emplace_back(word);
  return words;
}

std::string QuoteWord(std::string_view word) {
  std::string quoted = "\"";
  bool needs_quotes = word.empty() || word.front() == '#';
  for (const char c : word) {
    const auto byte = static_cast<uint8_t>(c);
    const bool printable = byte > ' ' && byte < 0x7F;
    needs_quotes |= !printable || c == '"' || c == '\'' || c == '\\';
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (printable || c == ' ') {
      quoted += c;
    } else {
      quoted += fmt::format("\\x{:02x}", byte);
    }
  }
  return needs_quotes ? quoted + '"' : std::string(word);
}

}  // namespace lapse
