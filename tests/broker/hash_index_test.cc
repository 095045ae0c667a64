#include "broker/hash_index.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace broker {
namespace {

using Model = std::unordered_map<std::uint32_t, std::uint64_t>;  // The hash of each number.

// Inserts a random number, or erases it if it is there.
void change(HashIndex& index, Model& model, std::mt19937& engine) {
    const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
    const std::uint32_t number = random() % 200;
    const auto known = model.find(number);
    if (known == model.end()) {
        const std::uint64_t hash = std::uint64_t{random() % 24} << 32;
        index.insert(hash, number);
        model[number] = hash;
    } else {
        index.erase(known->second, number);
        model.erase(known);
    }
}

bool has(const HashIndex& index, std::uint64_t hash, std::uint32_t number) {
    return index.find(hash, [&](std::uint32_t one) { return one == number; }) == number;
}

// Few distinct hashes: long probe sequences that wrap around, where erasing goes wrong first.
TEST(HashIndex, agrees_with_a_model_when_hashes_collide) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        std::mt19937 engine(seed);
        Model model;
        HashIndex index;
        for (int i = 0; i < 10'000; ++i) {
            change(index, model, engine);
            ASSERT_EQ(index.size(), model.size());
        }
        for (const auto& [number, hash] : model) {
            EXPECT_TRUE(has(index, hash, number));
        }
        std::size_t visited = 0;
        index.for_each([&](std::uint32_t number) { visited += model.count(number); });
        EXPECT_EQ(visited, model.size());
    }
}

TEST(HashIndex, finds_nothing_when_empty_and_renumbers) {
    HashIndex index;
    const auto any = [](std::uint32_t) { return true; };
    EXPECT_EQ(index.find(7, any), HashIndex::none);
    index.insert(7, 1);
    index.renumber(7, 1, 2);
    EXPECT_EQ(index.find(7, any), 2U);
    index.erase(7, 2);
    EXPECT_EQ(index.find(7, any), HashIndex::none);
}

}  // namespace
}  // namespace broker
