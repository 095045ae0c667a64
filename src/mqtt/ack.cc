#include "mqtt/ack.h"

#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"

namespace mqtt {

namespace {

constexpr PropertySet allowed = {PropertyId::reason_string, PropertyId::user_property};

//     body := packet id, and from 5.0 on [reason [properties]]
ReasonCode read(Ack& packet, Reader in, Version version) {
    packet.id = in.u16();
    if (in.failed() || packet.id == 0) return ReasonCode::malformed_packet;
    if (in.left() == 0) return ReasonCode::success;
    if (version != Version::v5) return ReasonCode::malformed_packet;

    packet.reason = static_cast<ReasonCode>(in.u8());
    if (!may_carry(packet.type, packet.reason)) return ReasonCode::malformed_packet;
    if (in.left() == 0) return ReasonCode::success;

    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed);
    if (verdict != ReasonCode::success) return verdict;
    if (in.left() > 0) return ReasonCode::malformed_packet;
    packet.reason_string = values.text(PropertyId::reason_string);
    packet.user = values.user();
    return ReasonCode::success;
}

}  // namespace

Result<Ack> decode_ack(PacketType type, Bytes body, Version version) {
    return decoded<Ack>([&](Ack& packet) {
        packet.type = type;
        return read(packet, Reader(body), version);
    });
}

void encode(Writer& out, const Ack& packet, Version version) {
    const std::uint8_t flags = packet.type == PacketType::pubrel ? 2 : 0;
    const bool has_properties = packet.reason_string || !packet.user.empty();
    const bool has_reason = has_properties || packet.reason != ReasonCode::success;
    write_packet(out, packet.type, flags, [&](auto& to) {
        to.u16(packet.id);
        if (version != Version::v5 || !has_reason) return;
        to.u8(static_cast<std::uint8_t>(packet.reason));
        if (!has_properties) return;
        put_section(to, [&](auto& section) {
            put(section, PropertyId::reason_string, packet.reason_string);
            put(section, packet.user);
        });
    });
}

}  // namespace mqtt
