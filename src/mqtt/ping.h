// PINGREQ and PINGRESP, sections 3.12 and 3.13: a fixed header and nothing else.
#pragma once

#include "mqtt/reader.h"
#include "mqtt/writer.h"

namespace mqtt {

inline bool is_valid_ping(Bytes body) {
    return body.empty();
}
inline void encode_pingreq(Writer& out) {
    out.fixed_header(PacketType::pingreq, 0, 0);
}
inline void encode_pingresp(Writer& out) {
    out.fixed_header(PacketType::pingresp, 0, 0);
}

}  // namespace mqtt
