#include "config/network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace config {
namespace {

constexpr int bits_max = 128;
constexpr int v4_begin = 96;

// Those of byte `i` that the first `bits` of an address reach.
std::uint8_t mask(int bits, std::size_t i) {
    const int reached = std::clamp(bits - static_cast<int>(i) * 8, 0, 8);
    return static_cast<std::uint8_t>(0xFF00U >> static_cast<unsigned>(reached));
}

std::optional<int> parse_bits(std::string_view text, int max) {
    int bits = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, bits);
    if (error != std::errc() || rest != end || bits < 0 || bits > max) return std::nullopt;
    return bits;
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    Network network;
    int skipped = 0;
    if (address.find(':') == std::string::npos) {
        skipped = v4_begin;
        network.address[10] = network.address[11] = 0xFF;
        if (::inet_pton(AF_INET, address.c_str(), &network.address[12]) != 1) return std::nullopt;
    } else if (::inet_pton(AF_INET6, address.c_str(), network.address.data()) != 1) {
        return std::nullopt;
    }
    network.bits = bits_max;
    if (slash != std::string_view::npos) {
        const auto bits = parse_bits(text.substr(slash + 1), bits_max - skipped);
        if (!bits) return std::nullopt;
        network.bits = skipped + *bits;
    }
    for (std::size_t i = 0; i < network.address.size(); ++i) {
        if ((network.address[i] & ~mask(network.bits, i) & 0xFF) != 0) return std::nullopt;
    }
    return network;
}

bool Network::contains(const AddressBytes& other) const {
    for (std::size_t i = 0; i < address.size(); ++i) {
        if (((address[i] ^ other[i]) & mask(bits, i)) != 0) return false;
    }
    return true;
}

}  // namespace config
