#include "server/core/event_classes.h"

namespace lapse {

std::optional<uint32_t> ParseEventClasses(std::string_view letters) {
  uint32_t classes = 0;
  for (const char letter : letters) {
    const uint32_t bits = letter == 'A' ? kAllEventClasses : EventClassBit(letter);
    if (bits == 0) return std::nullopt;
    classes |= bits;
  }
  return classes;
}

// "A" stands for new keys' events, too, where it is given back, though it does not choose them: as
// in Redis.
std::string FormatEventClasses(uint32_t classes) {
  std::string letters;
  uint32_t rest = classes;
  if ((classes & kAllEventClasses) == kAllEventClasses) {
    letters = "A";
    rest &= ~(kAllEventClasses | EventClassBit('n'));
  }
  for (const char letter : kEventClasses) {
    if ((rest & EventClassBit(letter)) != 0) letters += letter;
  }
  return letters;
}

}  // namespace lapse
