// base::hash with a secret that is the same in every process: which shard a client belongs to must
// follow from the seed. A program that is given this file links it in place of base/hash.cc.
#include "base/hash.h"

namespace base {

std::uint64_t hash(std::string_view text) {
    std::uint64_t sum = 0xCBF29CE484222325;
    for (const char byte : text) sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
    sum = (sum ^ (sum >> 32)) * 0x9E3779B97F4A7C15;
    return sum ^ (sum >> 29);
}

std::uint64_t hash_with_seed(std::string_view text, std::uint64_t seed) {
    return hash(text) ^ seed;
}

}  // namespace base
