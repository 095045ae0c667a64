#include "broker/client_id.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>

namespace broker {

std::string make_client_id(std::string_view prefix) {
    std::random_device random;
    const std::uint32_t a = random();
    const std::uint32_t b = random();
    const std::uint32_t c = random();
    const std::uint32_t d = random();
    // Version 4, variant 1 (RFC 4122, section 4.4).
    return fmt::format("{}{:08X}-{:04X}-4{:03X}-{:04X}-{:04X}{:08X}", prefix, a, b >> 16, b & 0xFFF,
                       (c >> 16 & 0x3FFF) | 0x8000, c & 0xFFFF, d);
}

}  // namespace broker
