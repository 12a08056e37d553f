// A row's syntax, taken apart: what COMMAND DOCS tells of a command's arguments.
//
//   key value [NX | XX] [EX seconds | PX milliseconds]
//
//   key      value    oneof, optional      oneof, optional
//                     nx: token NX         seconds: token EX, integer
//                     xx: token XX         milliseconds: token PX, integer
//
// Words in capitals are tokens; one before an argument introduces it. Brackets make what they hold
// optional, bars separate alternatives, and `<a | b>` groups without making optional. An argument
// that is repeated in brackets with an ellipsis ("key [key ...]") may be given several times. Types
// follow from the names: "seconds" is an integer wherever it stands.
//
// Syntax texts are constants of ours. The parser recurses as deep as they nest, and takes an
// unbalanced bracket for the end of the text.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lapse {

enum class SyntaxType : uint8_t {
  kString,
  kInteger,
  kDouble,
  kKey,
  kPattern,
  kUnixTime,
  kPureToken,
  kOneOf,
  kBlock,
};
std::string_view SyntaxTypeName(SyntaxType type);  // as COMMAND DOCS says it: "pure-token"

struct SyntaxArgument {
  std::string name;
  SyntaxType type = SyntaxType::kString;
  std::string token;  // what introduces it, or is it
  bool optional = false;
  bool multiple = false;
  std::vector<SyntaxArgument> arguments;  // of kOneOf and kBlock

  friend bool operator==(const SyntaxArgument&, const SyntaxArgument&) = default;
};

std::vector<SyntaxArgument> ParseSyntax(std::string_view syntax);

}  // namespace lapse
