// The classes of events that notify-keyspace-events chooses, as bits.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lapse {

// The letters in the order in which CONFIG GET gives them, each with the bit of its place here.
inline constexpr std::string_view kEventClasses = "g$lshzxetdnKEm";

// The bit of a class letter; 0 for others.
constexpr uint32_t EventClassBit(char letter) {
  const size_t at = kEventClasses.find(letter);
  return at == kEventClasses.npos ? 0 : 1u << at;
}

// Everything that "A" stands for.
inline constexpr uint32_t kAllEventClasses =
    EventClassBit('g') | EventClassBit('$') | EventClassBit('l') | EventClassBit('s') |
    EventClassBit('h') | EventClassBit('z') | EventClassBit('x') | EventClassBit('e') |
    EventClassBit('t') | EventClassBit('d');
// To which of the two kinds of channels events are published.
inline constexpr uint32_t kKeyspaceChannels = EventClassBit('K');
inline constexpr uint32_t kKeyeventChannels = EventClassBit('E');

// nullopt when a letter means nothing.
std::optional<uint32_t> ParseEventClasses(std::string_view letters);
std::string FormatEventClasses(uint32_t classes);

}  // namespace lapse
