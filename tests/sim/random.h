// The dice of a simulation: one stream of numbers from one seed, the same on every machine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sim {

class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    // splitmix64.
    std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
    // `from` and `to` included.
    std::size_t between(std::size_t from, std::size_t to) { return from + below(to - from + 1); }
    bool percent(std::size_t chance) { return below(100) < chance; }
    template <typename List>
    const auto& one_of(const List& list) {
        return list[below(list.size())];
    }

private:
    std::uint64_t state_;
};

}  // namespace sim
