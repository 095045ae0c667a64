// Appends MQTT's wire types to a buffer that the caller owns and reuses.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "mqtt/types.h"

namespace mqtt {

using base::Bytes;

class Writer {
public:
    explicit Writer(std::vector<std::uint8_t>& out) : out_(out) {}

    void u8(std::uint8_t value) { out_.push_back(value); }
    void u16(std::uint16_t value);
    void u32(std::uint32_t value);
    void variable_int(std::uint32_t value);
    void binary(Bytes bytes);  // With its two-byte length; at most 65,535 bytes.
    void text(std::string_view text) { binary(base::as_bytes(text)); }
    void raw(Bytes bytes);  // Without a length.
    // Fixed header: type and flags, then Remaining Length.
    void fixed_header(PacketType type, std::uint8_t flags, std::uint32_t remaining_length);

private:
    std::vector<std::uint8_t>& out_;
};

// Bytes a variable byte integer takes: 1 to 4.
constexpr std::size_t variable_int_size(std::uint32_t value) {
    return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

}  // namespace mqtt
