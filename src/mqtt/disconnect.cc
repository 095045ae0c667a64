#include "mqtt/disconnect.h"

#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"

namespace mqtt {

namespace {

constexpr PropertySet allowed = {PropertyId::session_expiry_interval, PropertyId::reason_string,
                                 PropertyId::user_property, PropertyId::server_reference};

//     body := nothing, and in 5.0 [reason [properties]]
ReasonCode read(Disconnect& packet, Reader in, Version version) {
    if (in.left() == 0) return ReasonCode::success;
    if (version != Version::v5) return ReasonCode::malformed_packet;
    packet.reason = static_cast<ReasonCode>(in.u8());
    if (!may_carry(PacketType::disconnect, packet.reason)) return ReasonCode::malformed_packet;
    if (in.left() == 0) return ReasonCode::success;

    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed);
    if (verdict != ReasonCode::success) return verdict;
    if (in.left() > 0) return ReasonCode::malformed_packet;
    packet.session_expiry_s = values.number<std::uint32_t>(PropertyId::session_expiry_interval);
    packet.reason_string = values.text(PropertyId::reason_string);
    packet.server_reference = values.text(PropertyId::server_reference);
    packet.user = values.user();
    return ReasonCode::success;
}

bool has_properties(const Disconnect& packet) {
    return packet.session_expiry_s || packet.reason_string || packet.server_reference ||
           !packet.user.empty();
}

}  // namespace

Result<Disconnect> decode_disconnect(Bytes body, Version version) {
    return decoded<Disconnect>(
        [&](Disconnect& packet) { return read(packet, Reader(body), version); });
}

void encode(Writer& out, const Disconnect& packet, Version version) {
    write_packet(out, PacketType::disconnect, 0, [&](auto& to) {
        if (version != Version::v5) return;
        const bool has_section = has_properties(packet);
        if (!has_section && packet.reason == ReasonCode::success) return;
        to.u8(static_cast<std::uint8_t>(packet.reason));
        if (!has_section) return;
        put_section(to, [&](auto& section) {
            put(section, PropertyId::session_expiry_interval, packet.session_expiry_s);
            put(section, PropertyId::reason_string, packet.reason_string);
            put(section, packet.user);
            put(section, PropertyId::server_reference, packet.server_reference);
        });
    });
}

}  // namespace mqtt
