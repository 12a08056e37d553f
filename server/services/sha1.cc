#include "server/services/sha1.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace lapse {
namespace {

constexpr size_t kBlockBytes = 64;
constexpr size_t kLengthBytes = 8;  // at the last block's end

using State = std::array<uint32_t, 5>;

uint32_t ReadBigEndian(const unsigned char* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 |
         uint32_t{bytes[3]};
}

void AddBlock(State& state, const unsigned char* block) {
  std::array<uint32_t, 80> words;
  for (size_t i = 0; i < 16; ++i) words[i] = ReadBigEndian(block + 4 * i);
  for (size_t i = 16; i < 80; ++i) {
    words[i] = std::rotl(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  const auto round = [&](uint32_t mixed, uint32_t constant, uint32_t word) {
    const uint32_t next = std::rotl(a, 5) + mixed + e + constant + word;
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  };
  for (size_t i = 0; i < 20; ++i) round((b & c) | (~b & d), 0x5A827999, words[i]);
  for (size_t i = 20; i < 40; ++i) round(b ^ c ^ d, 0x6ED9EBA1, words[i]);
  for (size_t i = 40; i < 60; ++i) round((b & c) | (b & d) | (c & d), 0x8F1BBCDC, words[i]);
  for (size_t i = 60; i < 80; ++i) round(b ^ c ^ d, 0xCA62C1D6, words[i]);
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

}  // namespace

Sha1Hex Sha1(std::string_view bytes) {
  State state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
  const auto* next = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= kBlockBytes; left -= kBlockBytes, next += kBlockBytes) AddBlock(state, next);

  // What is left, a one bit, zeros, and the length in bits: one block or two.
  std::array<unsigned char, 2 * kBlockBytes> tail = {};
  if (left > 0) std::memcpy(tail.data(), next, left);
  tail[left] = 0x80;
  const size_t tail_bytes = left + 1 + kLengthBytes <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  for (size_t i = 0; i < kLengthBytes; ++i) {
    tail[tail_bytes - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
  }
  for (size_t at = 0; at < tail_bytes; at += kBlockBytes) AddBlock(state, tail.data() + at);

  constexpr std::string_view kDigits = "0123456789abcdef";
  Sha1Hex hex;
  for (size_t i = 0; i < hex.digits.size(); ++i) {
    hex.digits[i] = kDigits[(state[i / 8] >> (28 - 4 * (i % 8))) & 15];
  }
  return hex;
}

}  // namespace lapse
