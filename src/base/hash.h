// The hash of every table whose keys a peer chooses. Seeded at start from the system's random
// source, so that nobody outside can prepare colliding client ids or topics.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

// Same value for the same text within one process; differs from one start to the next.
std::uint64_t hash(std::string_view text);
// Same value for the same text and seed in every process.
std::uint64_t hash_with_seed(std::string_view text, std::uint64_t seed);

// Lets std::unordered_map<std::string, ..., TextHash, std::equal_to<>> look up a string_view.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash(text); }
};

}  // namespace base
