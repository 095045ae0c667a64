#include "mqtt/writer.h"

#include "base/assert.h"

namespace mqtt {

void Writer::u16(std::uint16_t value) {
    const std::uint8_t bytes[] = {static_cast<std::uint8_t>(value >> 8),
                                  static_cast<std::uint8_t>(value)};
    raw(bytes);
}

void Writer::u32(std::uint32_t value) {
    const std::uint8_t bytes[] = {
        static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
        static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
    raw(bytes);
}

void Writer::variable_int(std::uint32_t value) {
    ASSERT(value <= remaining_length_max);
    while (value >= 0x80) {
        u8(static_cast<std::uint8_t>(value | 0x80));
        value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
}

void Writer::binary(Bytes bytes) {
    ASSERT(bytes.size() <= 0xFFFF);
    u16(static_cast<std::uint16_t>(bytes.size()));
    raw(bytes);
}

void Writer::raw(Bytes bytes) {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void Writer::fixed_header(PacketType type, std::uint8_t flags, std::uint32_t remaining_length) {
    u8(static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | (flags & 0x0FU)));
    variable_int(remaining_length);
}

}  // namespace mqtt
