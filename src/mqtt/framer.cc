#include "mqtt/framer.h"

namespace mqtt {

FrameResult next_frame_of_several_length_bytes(base::Bytes bytes, std::size_t packet_size_max) {
    constexpr std::size_t length_bytes_max = 4;
    FrameResult result;
    std::size_t body_size = 0;
    std::size_t at = 1;
    while (true) {
        if (at == bytes.size()) return result;
        const std::uint8_t byte = bytes[at];
        body_size |= std::size_t{byte & 0x7FU} << (7 * (at - 1));
        ++at;
        if ((byte & 0x80U) == 0) {
            // Zero in the last place says that fewer bytes would have done [MQTT-1.5.5-1].
            if (byte == 0 && at > 2) return detail::refused(ReasonCode::malformed_packet);
            break;
        }
        if (at > length_bytes_max) return detail::refused(ReasonCode::malformed_packet);
    }
    return detail::framed(bytes, at, body_size, packet_size_max);
}

}  // namespace mqtt
