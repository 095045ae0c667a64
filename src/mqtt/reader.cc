#include "mqtt/reader.h"

#include "mqtt/utf8.h"

namespace mqtt {

std::uint32_t Reader::u32() {
    const Bytes taken = take(4);
    if (taken.empty()) return 0;
    return std::uint32_t{taken[0]} << 24 | std::uint32_t{taken[1]} << 16 |
           std::uint32_t{taken[2]} << 8 | std::uint32_t{taken[3]};
}

std::uint32_t Reader::variable_int() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
        const std::uint8_t byte = u8();
        value |= (byte & 0x7FU) << shift;
        if ((byte & 0x80U) != 0) continue;
        // A last byte of zero after others adds nothing: the same number has a shorter form.
        if (byte == 0 && shift > 0) fail();
        return failed_ ? 0 : value;
    }
    fail();
    return 0;
}

std::string_view Reader::text() {
    const std::string_view text = raw_text();
    if (is_valid_utf8(text)) return text;
    fail();
    return {};
}

}  // namespace mqtt
