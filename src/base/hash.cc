#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <random>

namespace base {
namespace {

struct Secret {
    Secret() {
        std::random_device random;
        std::array<std::uint32_t, 16> seed{};
        for (auto& word : seed) word = random();
        XXH3_generateSecret(bytes.data(), bytes.size(), seed.data(), sizeof seed);
    }
    std::array<std::uint8_t, XXH3_SECRET_DEFAULT_SIZE> bytes{};
};

const Secret secret;

}  // namespace

std::uint64_t hash(std::string_view text) {
    return XXH3_64bits_withSecret(text.data(), text.size(), secret.bytes.data(),
                                  secret.bytes.size());
}

std::uint64_t hash_with_seed(std::string_view text, std::uint64_t seed) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace base
