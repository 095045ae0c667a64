// Where one packet ends in a stream of bytes.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "mqtt/reason_code.h"
#include "mqtt/types.h"

namespace mqtt {

// One whole packet at the front of the bytes that were looked at.
struct Frame {
    PacketType type{};
    std::uint8_t flags = 0;  // The low four bits of the first byte.
    base::Bytes body;        // The variable header and the payload.
    std::size_t size = 0;    // Fixed header and body together: what to consume.
};

struct FrameResult {
    enum class Status : std::uint8_t {
        whole,       // `frame` is valid.
        incomplete,  // More bytes are needed; `needed` says how many in all, 0 if not yet known.
        refused,     // `reason`: malformed_packet or packet_too_large. Close the connection.
    };
    Status status = Status::incomplete;
    Frame frame;
    std::size_t needed = 0;
    ReasonCode reason = ReasonCode::success;
};

// Looks at the front of `bytes`; keeps no state and allocates nothing, so any slicing gives the
// same answer. Refuses as soon as the fixed header shows it: type 0, wrong reserved flags
// [MQTT-2.1.3-1], a fifth length byte, a length in a longer form than needed, a whole packet of
// more than `packet_size_max` bytes (0 = no limit but the protocol's). AUTH is refused below
// version 5. Version 3.1 gives those flags no value, so there they are not judged. Inline, because
// a read's many small packets all pass through here.
inline FrameResult next_frame(base::Bytes bytes, std::size_t packet_size_max, Version version);

// The rest of next_frame() for a packet of 128 bytes or more; the first byte is already judged.
FrameResult next_frame_of_several_length_bytes(base::Bytes bytes, std::size_t packet_size_max);

namespace detail {

inline FrameResult refused(ReasonCode reason) {
    FrameResult result;
    result.status = FrameResult::Status::refused;
    result.reason = reason;
    return result;
}

inline bool is_valid_first_byte(std::uint8_t byte, Version version) {
    const auto type = static_cast<PacketType>(byte >> 4);
    if (type == PacketType::publish) return true;
    if (byte < 0x10) return false;
    if (type == PacketType::auth && version != Version::v5) return false;
    if (version == Version::v3_1) return true;
    const bool has_flag = type == PacketType::pubrel || type == PacketType::subscribe ||
                          type == PacketType::unsubscribe;
    return (byte & 0x0FU) == (has_flag ? 2U : 0U);
}

// The header is `header_size` bytes and valid.
inline FrameResult framed(base::Bytes bytes, std::size_t header_size, std::size_t body_size,
                          std::size_t packet_size_max) {
    const std::size_t size = header_size + body_size;
    if (packet_size_max != 0 && size > packet_size_max) {
        return refused(ReasonCode::packet_too_large);
    }
    FrameResult result;
    result.needed = size;
    if (bytes.size() < size) return result;
    result.status = FrameResult::Status::whole;
    result.frame.type = static_cast<PacketType>(bytes[0] >> 4);
    result.frame.flags = bytes[0] & 0x0FU;
    result.frame.body = bytes.subspan(header_size, body_size);
    result.frame.size = size;
    return result;
}

}  // namespace detail

inline FrameResult next_frame(base::Bytes bytes, std::size_t packet_size_max, Version version) {
    if (bytes.empty()) return {};
    if (!detail::is_valid_first_byte(bytes[0], version)) {
        return detail::refused(ReasonCode::malformed_packet);
    }
    if (bytes.size() >= 2 && bytes[1] < 0x80) {
        return detail::framed(bytes, 2, bytes[1], packet_size_max);
    }
    return next_frame_of_several_length_bytes(bytes, packet_size_max);
}

}  // namespace mqtt
