// Fault 42: whoever knows the hash, but not the seed, cannot choose keys that collide.
#include "base/hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

namespace base {
namespace {

constexpr std::uint64_t buckets = 1 << 10;
constexpr std::uint64_t known_seed = 1;

// Client ids that are all in one bucket under a seed that has become known.
std::vector<std::string> colliding_keys(std::size_t count) {
    std::vector<std::string> keys;
    for (std::uint64_t number = 0; keys.size() < count; ++number) {
        std::string key = "client-" + std::to_string(number);
        if (hash_with_seed(key, known_seed) % buckets == 0) keys.push_back(std::move(key));
    }
    return keys;
}

template <typename Hash>
std::size_t largest_bucket(const std::vector<std::string>& keys, Hash&& hash) {
    std::unordered_map<std::uint64_t, std::size_t> sizes;
    std::size_t largest = 0;
    for (const std::string& key : keys) {
        largest = std::max(largest, ++sizes[hash(key) % buckets]);
    }
    return largest;
}

TEST(Hash, keys_that_collide_under_one_seed_spread_under_another) {
    const auto keys = colliding_keys(2 * buckets);
    EXPECT_EQ(keys.size(), largest_bucket(keys, [](const std::string& key) {
                  return hash_with_seed(key, known_seed);
              }));
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{2}, UINT64_MAX}) {
        const auto seeded = [&](const std::string& key) { return hash_with_seed(key, seed); };
        EXPECT_GT(20U, largest_bucket(keys, seeded)) << "as chance has it, about 9";
    }
    EXPECT_GT(20U, largest_bucket(keys, [](const std::string& key) { return hash(key); }));
}

}  // namespace
}  // namespace base
