#include "storage/key.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <random>

namespace lapse {

KeyHasher::KeyHasher() {
  std::random_device device;
  for (size_t i = 0; i < secret_.size(); ++i) secret_[i] = static_cast<unsigned char>(device());
}

KeyHasher::KeyHasher(uint64_t seed) {
  std::mt19937_64 random(seed);
  for (unsigned char& byte : secret_) byte = static_cast<unsigned char>(random());
}

uint64_t KeyHasher::Place(std::string_view key) const {
  return BendHash(XXH3_64bits_withSecret(key.data(), key.size(), secret_.data(), secret_.size()));
}

}  // namespace lapse
