#include "server/commands/command_syntax.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"

namespace lapse {
namespace {

using Arguments = std::vector<SyntaxArgument>;

struct NamedType {
  std::string_view name;
  SyntaxType type;
};

constexpr NamedType kTypesByName[] = {
    {"key", SyntaxType::kKey},
    {"newkey", SyntaxType::kKey},
    {"key1", SyntaxType::kKey},
    {"key2", SyntaxType::kKey},
    {"source", SyntaxType::kKey},
    {"sourcekey", SyntaxType::kKey},
    {"src", SyntaxType::kKey},
    {"destination", SyntaxType::kKey},
    {"destkey", SyntaxType::kKey},
    {"dst", SyntaxType::kKey},
    {"pattern", SyntaxType::kPattern},
    {"unix-time-seconds", SyntaxType::kUnixTime},
    {"unix-time-milliseconds", SyntaxType::kUnixTime},
    {"client-id", SyntaxType::kInteger},
    {"count", SyntaxType::kInteger},
    {"cursor", SyntaxType::kInteger},
    {"db", SyntaxType::kInteger},
    {"decrement", SyntaxType::kInteger},
    {"destination-db", SyntaxType::kInteger},
    {"end", SyntaxType::kInteger},
    {"height", SyntaxType::kInteger},
    {"increment", SyntaxType::kInteger},
    {"index", SyntaxType::kInteger},
    {"index1", SyntaxType::kInteger},
    {"index2", SyntaxType::kInteger},
    {"len", SyntaxType::kInteger},
    {"milliseconds", SyntaxType::kInteger},
    {"min-match-len", SyntaxType::kInteger},
    {"offset", SyntaxType::kInteger},
    {"percent", SyntaxType::kInteger},
    {"protover", SyntaxType::kInteger},
    {"run-id", SyntaxType::kInteger},
    {"seconds", SyntaxType::kInteger},
    {"start", SyntaxType::kInteger},
    {"version", SyntaxType::kInteger},
};

SyntaxType TypeOf(std::string_view name) {
  for (const NamedType& row : kTypesByName) {
    if (row.name == name) return row.type;
  }
  return SyntaxType::kString;
}

bool IsToken(std::string_view word) {
  const auto is = [](auto predicate) {
    return [predicate](char c) { return predicate(static_cast<unsigned char>(c)) != 0; };
  };
  return std::any_of(word.begin(), word.end(), is(absl::ascii_isupper)) &&
         std::none_of(word.begin(), word.end(), is(absl::ascii_islower));
}

// "[a | b]" gives "[", "a", "|", "b", "]".
std::vector<std::string_view> Lex(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    size_t length = 1;
    if (std::string_view("[]<>|").find(text[0]) == text.npos) {
      length = std::min(text.find_first_of(" []<>|"), text.size());
    }
    if (text[0] != ' ') words.push_back(text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return words;
}

// A name for what has none of its own, as Redis makes them: "username_password".
std::string JoinedName(const Arguments& arguments) {
  std::string name;
  for (const SyntaxArgument& argument : arguments) {
    if (!name.empty()) name += '_';
    name += argument.name;
  }
  return name;
}

// Several arguments as one; a single one as itself.
SyntaxArgument Grouped(Arguments arguments, SyntaxType type) {
  if (arguments.size() == 1) return std::move(arguments[0]);
  return {.name = JoinedName(arguments), .type = type, .arguments = std::move(arguments)};
}

// Puts the token before what it introduces. A group that has a token inside keeps it there.
SyntaxArgument Introduced(std::string token, SyntaxArgument argument) {
  if (!argument.token.empty()) {
    Arguments only{std::move(argument)};
    argument = {.name = JoinedName(only), .type = SyntaxType::kBlock, .arguments = std::move(only)};
  }
  argument.token = std::move(token);
  return argument;
}

class Parser {
 public:
  explicit Parser(std::vector<std::string_view> words) : words_(std::move(words)) {}

  // Arguments up to the end of the text, a bar or a closing bracket.
  Arguments Sequence() {
    Arguments found;
    while (at_ < words_.size() && !AtEndOfSequence()) {
      SyntaxArgument next = Item();
      if (!FoldRepetition(found, next)) found.push_back(std::move(next));
    }
    return found;
  }

 private:
  bool AtEndOfSequence() const {
    return words_[at_] == "|" || words_[at_] == "]" || words_[at_] == ">";
  }
  bool TakeIf(std::string_view word) {
    if (at_ == words_.size() || words_[at_] != word) return false;
    ++at_;
    return true;
  }

  SyntaxArgument Item() {
    SyntaxArgument item;
    if (TakeIf("[")) {
      item = Alternatives();
      item.optional = true;
    } else if (TakeIf("<")) {
      item = Alternatives();
    } else {
      item = Word();
    }
    if (TakeIf("...")) item.multiple = true;
    return item;
  }

  SyntaxArgument Word() {
    const std::string word(words_[at_++]);
    if (!IsToken(word)) return {.name = word, .type = TypeOf(word)};
    const bool introduces = at_ < words_.size() && !AtEndOfSequence() && words_[at_] != "[" &&
                            words_[at_] != "..." && !IsToken(words_[at_]);
    if (introduces) return Introduced(word, Operands());
    return {.name = absl::AsciiStrToLower(word), .type = SyntaxType::kPureToken, .token = word};
  }

  // What a token introduces: the words up to the next token or bracket ("AUTH username password"),
  // or one group.
  SyntaxArgument Operands() {
    if (words_[at_] == "<") return Item();
    Arguments operands;
    while (at_ < words_.size() && !AtEndOfSequence() && words_[at_] != "<" &&
           words_[at_] != "..." && !IsToken(words_[at_])) {
      if (words_[at_] != "[") {
        operands.push_back({.name = std::string(words_[at_]), .type = TypeOf(words_[at_])});
        ++at_;
        continue;
      }
      // "ID client-id [client-id ...]": the brackets may repeat the operand, else they are not its.
      const size_t before = at_;
      const SyntaxArgument next = Item();
      if (!FoldRepetition(operands, next)) {
        at_ = before;
        break;
      }
    }
    return Grouped(std::move(operands), SyntaxType::kBlock);
  }

  SyntaxArgument Alternatives() {
    Arguments alternatives;
    do {
      alternatives.push_back(Grouped(Sequence(), SyntaxType::kBlock));
    } while (TakeIf("|"));
    if (at_ < words_.size()) ++at_;  // the closing bracket
    return Grouped(std::move(alternatives), SyntaxType::kOneOf);
  }

  // "key value [key value ...]": the last arguments, once more in brackets with an ellipsis.
  static bool FoldRepetition(Arguments& found, const SyntaxArgument& next) {
    if (!next.optional) return false;
    Arguments again =
        next.type == SyntaxType::kBlock && next.token.empty() ? next.arguments : Arguments{next};
    if (again.empty() || again.size() > found.size() || !again.back().multiple) return false;
    again.back().multiple = false;
    again.front().optional = again.front().optional && next.type == SyntaxType::kBlock;
    if (!std::equal(again.begin(), again.end(), found.end() - static_cast<int64_t>(again.size()))) {
      return false;
    }
    found.resize(found.size() - again.size());
    found.push_back(Grouped(std::move(again), SyntaxType::kBlock));
    found.back().multiple = true;
    return true;
  }

  std::vector<std::string_view> words_;
  size_t at_ = 0;
};

}  // namespace

std::string_view SyntaxTypeName(SyntaxType type) {
  switch (type) {
    case SyntaxType::kString:
      return "string";
    case SyntaxType::kInteger:
      return "integer";
    case SyntaxType::kDouble:
      return "double";
    case SyntaxType::kKey:
      return "key";
    case SyntaxType::kPattern:
      return "pattern";
    case SyntaxType::kUnixTime:
      return "unix-time";
    case SyntaxType::kPureToken:
      return "pure-token";
    case SyntaxType::kOneOf:
      return "oneof";
    case SyntaxType::kBlock:
      return "block";
  }
  return "";
}

std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax) {
  return Parser(Lex(syntax)).Sequence();
}

}  // namespace lapse
