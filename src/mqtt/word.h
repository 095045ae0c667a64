// Eight bytes of text in one register, for the loops that look at every byte of a string. Only this
// room's own .cc files include it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mqtt::word {

inline constexpr std::size_t size = sizeof(std::uint64_t);
inline constexpr std::uint64_t high_bits = 0x8080808080808080;

// The word with `byte` in each place.
constexpr std::uint64_t filled_with(char byte) {
    return 0x0101010101010101 * static_cast<std::uint8_t>(byte);
}

// `at` must have 8 readable bytes. The first is the lowest, whatever the machine's order.
inline std::uint64_t load(const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, size);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return word;
}

// The 1 to 7 bytes from `from` to the end of `text`, filled up with 'x'.
inline std::uint64_t load_tail(std::string_view text, std::size_t from) {
    const std::size_t count = text.size() - from;
    const std::uint64_t filling = filled_with('x') << (count * 8);
    if (text.size() >= size) {  // One load that overlaps what was seen before.
        return load(text.data() + text.size() - size) >> ((size - count) * 8) | filling;
    }
    std::uint64_t word = 0;
    for (std::size_t i = count; i-- > 0;) {
        word = word << 8 | static_cast<std::uint8_t>(text[from + i]);
    }
    return word | filling;
}

// All eight are ASCII and none is NUL.
constexpr bool is_plain(std::uint64_t word) {
    return ((word | ~((word & ~high_bits) + ~high_bits)) & high_bits) == 0;
}

// The high bit of each place that holds `byte`. Exact for ASCII words, as no sum carries over.
constexpr std::uint64_t places_of(char byte, std::uint64_t word) {
    return ~((word ^ filled_with(byte)) + ~high_bits) & high_bits;
}

}  // namespace mqtt::word
