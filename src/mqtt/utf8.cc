#include "mqtt/utf8.h"

#include <cstdint>

#include "mqtt/word.h"

namespace mqtt {

namespace {

// Which second bytes may follow a first one; the other bytes of a character are always 80..BF. The
// limits are what rule out longer forms (E0, F0), surrogates (ED) and values past U+10FFFF (F4).
struct Second {
    std::uint8_t low;
    std::uint8_t high;
};

constexpr Second second_after(std::uint8_t first) {
    switch (first) {
        case 0xE0:
            return {0xA0, 0xBF};
        case 0xED:
            return {0x80, 0x9F};
        case 0xF0:
            return {0x90, 0xBF};
        case 0xF4:
            return {0x80, 0x8F};
        default:
            return {0x80, 0xBF};
    }
}

// By the first byte alone; 0 for what none may begin with.
constexpr std::size_t size_after(std::uint8_t first) {
    if (first < 0x80) return first == 0 ? 0 : 1;
    if (first < 0xC2) return 0;  // 80..BF continue a character; C0 and C1 are longer forms.
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first <= 0xF4 ? 4 : 0;
}

constexpr bool continues(char byte) {
    return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80;
}

}  // namespace

std::size_t leading_character_size(std::string_view text) {
    const auto first = static_cast<std::uint8_t>(text[0]);
    const std::size_t size = size_after(first);
    if (size <= 1) return size;
    if (text.size() < size) return 0;

    const Second allowed = second_after(first);
    const auto second = static_cast<std::uint8_t>(text[1]);
    if (second < allowed.low || second > allowed.high) return 0;
    for (std::size_t i = 2; i < size; ++i) {
        if (!continues(text[i])) return 0;
    }
    return size;
}

bool is_valid_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t left = text.size() - at;
        const std::uint64_t next =
            left >= word::size ? word::load(text.data() + at) : word::load_tail(text, at);
        if (word::is_plain(next)) {
            at += word::size;  // May pass the end: then it was the last, filled up.
            continue;
        }
        const std::size_t size = leading_character_size(text.substr(at));
        if (size == 0) return false;
        at += size;
    }
    return true;
}

// No byte of another character is 0.
bool is_valid_utf8_payload(std::string_view text) {
    for (;;) {
        const std::size_t end = text.find('\0');
        if (!is_valid_utf8(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace mqtt
