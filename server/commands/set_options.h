// The options that SET and GETEX share, and the grammar that Redis gives them: which exclude which,
// and that all of them are read before any of their numbers is looked at.
//
// Thread: pure functions, but for the replies.
#pragma once

#include <string_view>

#include "server/commands/ttl.h"
#include "server/core/context.h"

namespace lapse {

struct SetOptions {
  bool nx = false;        // only when there is no key
  bool xx = false;        // only when there is one
  bool get = false;       // reply with the old value
  bool keep_ttl = false;  // SET's alone
  bool persist = false;   // GETEX's alone
  TtlForm ttl_form = TtlForm::kNone;
  std::string_view ttl;  // not looked at yet

  bool has_ttl() const { return ttl_form != TtlForm::kNone; }
};

// Reads the options from args[from] on. False: an error has been replied.
bool ParseSetOptions(CommandContext& ctx, size_t from, SetOptions& options);
bool ParseGetExOptions(CommandContext& ctx, size_t from, SetOptions& options);

// The form that EX, PX, EXAT or PXAT names (as an OptionWord); kNone for any other word.
TtlForm TtlFormOf(uint64_t word);

}  // namespace lapse
