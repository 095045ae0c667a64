// PUBACK, PUBREC, PUBREL and PUBCOMP, sections 3.4 to 3.7: one layout.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

struct Ack {
    PacketType type = PacketType::puback;
    PacketId id = 0;
    ReasonCode reason = ReasonCode::success;
    std::optional<std::string_view> reason_string{};
    UserProperties user{};
};

// Fails with malformed_packet on id 0 and on a reason that the packet may not carry.
Result<Ack> decode_ack(PacketType type, Bytes body, Version version);
// Shortest form: 4 bytes when the reason is success and there are no properties, and below v5.
void encode(Writer& out, const Ack& packet, Version version);

}  // namespace mqtt
