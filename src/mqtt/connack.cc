#include "mqtt/connack.h"

#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"

namespace mqtt {

namespace {

constexpr PropertySet allowed = {PropertyId::session_expiry_interval,
                                 PropertyId::receive_maximum,
                                 PropertyId::maximum_qos,
                                 PropertyId::retain_available,
                                 PropertyId::maximum_packet_size,
                                 PropertyId::assigned_client_identifier,
                                 PropertyId::topic_alias_maximum,
                                 PropertyId::reason_string,
                                 PropertyId::user_property,
                                 PropertyId::wildcard_subscription_available,
                                 PropertyId::subscription_identifier_available,
                                 PropertyId::shared_subscription_available,
                                 PropertyId::server_keep_alive,
                                 PropertyId::response_information,
                                 PropertyId::server_reference,
                                 PropertyId::authentication_method,
                                 PropertyId::authentication_data};

constexpr std::uint8_t session_present_flag = 1;

// The return codes of 3.1 and 3.1.1, by their number.
constexpr ReasonCode reasons_v3[] = {
    ReasonCode::success,
    ReasonCode::unsupported_protocol_version,
    ReasonCode::client_identifier_not_valid,
    ReasonCode::server_unavailable,
    ReasonCode::bad_user_name_or_password,
    ReasonCode::not_authorized,
};

ReasonCode read_properties(Connack& packet, Reader& in) {
    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed);
    if (verdict != ReasonCode::success) return verdict;
    using enum PropertyId;
    packet.session_expiry_s = values.number<std::uint32_t>(session_expiry_interval);
    packet.receive_maximum = values.number<std::uint16_t>(receive_maximum);
    packet.maximum_qos = values.number<std::uint8_t>(maximum_qos);
    packet.retain_available = values.boolean(retain_available);
    packet.maximum_packet_size = values.number<std::uint32_t>(maximum_packet_size);
    packet.assigned_client_id = values.text(assigned_client_identifier);
    packet.topic_alias_maximum = values.number<std::uint16_t>(topic_alias_maximum);
    packet.reason_string = values.text(reason_string);
    packet.user = values.user();
    packet.wildcard_subscription_available = values.boolean(wildcard_subscription_available);
    packet.subscription_identifier_available = values.boolean(subscription_identifier_available);
    packet.shared_subscription_available = values.boolean(shared_subscription_available);
    packet.server_keep_alive_s = values.number<std::uint16_t>(server_keep_alive);
    packet.response_information = values.text(response_information);
    packet.server_reference = values.text(server_reference);
    packet.authentication_method = values.text(authentication_method);
    packet.authentication_data = values.binary(authentication_data);
    return ReasonCode::success;
}

ReasonCode read_code(Connack& packet, std::uint8_t code, Version version) {
    if (version == Version::v5) {
        packet.reason = static_cast<ReasonCode>(code);
        const bool is_known = may_carry(PacketType::connack, packet.reason);
        return is_known ? ReasonCode::success : ReasonCode::malformed_packet;
    }
    if (code >= std::size(reasons_v3)) return ReasonCode::malformed_packet;
    packet.return_code_v3 = code;
    packet.reason = reasons_v3[code];
    return ReasonCode::success;
}

//     body := flags, reason or return code, properties if 5.0
ReasonCode read(Connack& packet, Reader in, Version version) {
    std::uint8_t flags = in.u8();
    if (version == Version::v3_1) flags = 0;  // There the byte has no meaning.
    const std::uint8_t code = in.u8();
    if (in.failed() || flags > session_present_flag) return ReasonCode::malformed_packet;
    packet.session_present = flags == session_present_flag;

    ReasonCode verdict = read_code(packet, code, version);
    if (verdict != ReasonCode::success) return verdict;
    const bool is_refusal = packet.reason != ReasonCode::success;
    if (packet.session_present && is_refusal) return ReasonCode::protocol_error;  // [MQTT-3.2.2-6]
    if (version == Version::v5) verdict = read_properties(packet, in);
    if (verdict != ReasonCode::success) return verdict;
    return in.left() == 0 ? ReasonCode::success : ReasonCode::malformed_packet;
}

template <typename To>
void put_properties(To& to, const Connack& packet) {
    put(to, PropertyId::session_expiry_interval, packet.session_expiry_s);
    put(to, PropertyId::receive_maximum, packet.receive_maximum);
    put(to, PropertyId::maximum_qos, packet.maximum_qos);
    put(to, PropertyId::retain_available, packet.retain_available);
    put(to, PropertyId::maximum_packet_size, packet.maximum_packet_size);
    put(to, PropertyId::assigned_client_identifier, packet.assigned_client_id);
    put(to, PropertyId::topic_alias_maximum, packet.topic_alias_maximum);
    put(to, PropertyId::reason_string, packet.reason_string);
    put(to, packet.user);
    put(to, PropertyId::wildcard_subscription_available, packet.wildcard_subscription_available);
    put(to, PropertyId::subscription_identifier_available,
        packet.subscription_identifier_available);
    put(to, PropertyId::shared_subscription_available, packet.shared_subscription_available);
    put(to, PropertyId::server_keep_alive, packet.server_keep_alive_s);
    put(to, PropertyId::response_information, packet.response_information);
    put(to, PropertyId::server_reference, packet.server_reference);
    put(to, PropertyId::authentication_method, packet.authentication_method);
    put(to, PropertyId::authentication_data, packet.authentication_data);
}

}  // namespace

Result<Connack> decode_connack(Bytes body, Version version) {
    return decoded<Connack>([&](Connack& packet) { return read(packet, Reader(body), version); });
}

void encode(Writer& out, const Connack& packet, Version version) {
    const auto properties = [&](auto& to) { put_properties(to, packet); };
    write_packet(out, PacketType::connack, 0, [&](auto& to) {
        // A refusal has no session to be present [MQTT-3.2.2-6]; 3.1 does not know the flag.
        const bool says_present = packet.session_present && version != Version::v3_1 &&
                                  packet.reason == ReasonCode::success;
        to.u8(says_present ? session_present_flag : 0);
        if (version == Version::v5) {
            to.u8(static_cast<std::uint8_t>(packet.reason));
            put_section(to, properties);
        } else {
            // "Server unavailable" blames nobody.
            to.u8(connack_return_code_v3(packet.reason).value_or(3));
        }
    });
}

}  // namespace mqtt
