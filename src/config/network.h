// A part of the Internet: an address, and how many of its bits count.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace config {

// 128 bits; those of an IPv4 address stand behind ::ffff:, as IPv6 maps them.
using AddressBytes = std::array<std::uint8_t, 16>;

struct Network {
    AddressBytes address{};
    int bits = 0;  // Of the 128.

    // "192.0.2.0/24", "2001:db8::/32", or one address. What stands behind the bits must be 0, since
    // otherwise somebody meant another network.
    static std::optional<Network> parse(std::string_view text);
    bool contains(const AddressBytes& other) const;
    bool operator==(const Network&) const = default;
};

}  // namespace config
