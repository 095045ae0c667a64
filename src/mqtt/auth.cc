#include "mqtt/auth.h"

#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"

namespace mqtt {

namespace {

constexpr PropertySet allowed = {PropertyId::authentication_method, PropertyId::authentication_data,
                                 PropertyId::reason_string, PropertyId::user_property};

//     body := nothing, or reason, properties
ReasonCode read(Auth& packet, Reader in) {
    if (in.left() == 0) return ReasonCode::success;
    packet.reason = static_cast<ReasonCode>(in.u8());
    if (!may_carry(PacketType::auth, packet.reason)) return ReasonCode::malformed_packet;

    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed);
    if (verdict != ReasonCode::success) return verdict;
    if (in.left() > 0) return ReasonCode::malformed_packet;
    packet.authentication_method = values.text(PropertyId::authentication_method);
    // Section 3.15.2.2.2. The empty form has none either, but section 3.15.2.1 allows that one.
    if (!packet.authentication_method) return ReasonCode::protocol_error;
    packet.authentication_data = values.binary(PropertyId::authentication_data).value_or(Bytes{});
    packet.reason_string = values.text(PropertyId::reason_string);
    packet.user = values.user();
    return ReasonCode::success;
}

bool has_properties(const Auth& packet) {
    return packet.authentication_method || !packet.authentication_data.empty() ||
           packet.reason_string || !packet.user.empty();
}

template <typename To>
void put_properties(To& to, const Auth& packet) {
    put(to, PropertyId::authentication_method, packet.authentication_method);
    if (!packet.authentication_data.empty()) {
        put(to, PropertyId::authentication_data, std::optional(packet.authentication_data));
    }
    put(to, PropertyId::reason_string, packet.reason_string);
    put(to, packet.user);
}

}  // namespace

Result<Auth> decode_auth(Bytes body) {
    return decoded<Auth>([&](Auth& packet) { return read(packet, Reader(body)); });
}

void encode(Writer& out, const Auth& packet) {
    const auto properties = [&](auto& to) { put_properties(to, packet); };
    write_packet(out, PacketType::auth, 0, [&](auto& to) {
        if (packet.reason == ReasonCode::success && !has_properties(packet)) return;
        to.u8(static_cast<std::uint8_t>(packet.reason));
        put_section(to, properties);
    });
}

}  // namespace mqtt
