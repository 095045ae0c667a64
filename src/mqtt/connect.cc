#include "mqtt/connect.h"

#include "base/assert.h"
#include "mqtt/decoded.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace mqtt {

namespace {

constexpr std::string_view name_v3_1 = "MQIsdp";
constexpr std::string_view name_since_v3_1_1 = "MQTT";
constexpr std::uint8_t bridge_bit = 0x80;

// The connect flags, section 3.1.2.3.
constexpr unsigned reserved_flag = 0x01;
constexpr unsigned clean_start_flag = 0x02;
constexpr unsigned will_flag = 0x04;
constexpr unsigned will_qos_shift = 3;
constexpr unsigned will_retain_flag = 0x20;
constexpr unsigned will_bits = 0x38;  // Will QoS and Will Retain.
constexpr unsigned password_flag = 0x40;
constexpr unsigned user_name_flag = 0x80;

constexpr PropertySet allowed = {PropertyId::session_expiry_interval,
                                 PropertyId::receive_maximum,
                                 PropertyId::maximum_packet_size,
                                 PropertyId::topic_alias_maximum,
                                 PropertyId::request_response_information,
                                 PropertyId::request_problem_information,
                                 PropertyId::user_property,
                                 PropertyId::authentication_method,
                                 PropertyId::authentication_data};

ReasonCode read_protocol(Connect& packet, Reader& in) {
    const std::string_view name = in.text();
    const std::uint8_t level = in.u8();
    if (in.failed()) return ReasonCode::malformed_packet;
    if (name != name_v3_1 && name != name_since_v3_1_1) return ReasonCode::protocol_error;

    packet.is_bridge = (level & bridge_bit) != 0;
    const auto version = static_cast<Version>(level & ~bridge_bit);
    const bool is_known = name == name_v3_1 ? version == Version::v3_1
                                            : version == Version::v3_1_1 ||
                                                  (version == Version::v5 && !packet.is_bridge);
    if (!is_known) return ReasonCode::unsupported_protocol_version;  // [MQTT-3.1.2-2]
    packet.version = version;
    return ReasonCode::success;
}

ReasonCode judge_flags(unsigned flags, Version version) {
    const bool has_orphan_password = (flags & password_flag) != 0 && (flags & user_name_flag) == 0;
    // 5.0 made a password without a name legal; before, see [MQTT-3.1.2-22] of 3.1.1.
    if (version != Version::v5 && has_orphan_password) return ReasonCode::malformed_packet;
    if ((flags & will_flag) != 0 && (flags >> will_qos_shift & 3U) == 3) {
        return ReasonCode::malformed_packet;  // [MQTT-3.1.2-12]
    }
    if (version == Version::v3_1) return ReasonCode::success;  // Says nothing about unused bits.
    if ((flags & reserved_flag) != 0) return ReasonCode::malformed_packet;  // [MQTT-3.1.2-3]
    const bool has_orphan_will_bits = (flags & will_flag) == 0 && (flags & will_bits) != 0;
    // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
    return has_orphan_will_bits ? ReasonCode::malformed_packet : ReasonCode::success;
}

ReasonCode read_properties(Connect& packet, Reader& in) {
    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed);
    if (verdict != ReasonCode::success) return verdict;
    const bool has_method = values.has(PropertyId::authentication_method);
    if (values.has(PropertyId::authentication_data) && !has_method) {
        return ReasonCode::protocol_error;  // Section 3.1.2.11.10.
    }
    packet.session_expiry_s =
        values.number<std::uint32_t>(PropertyId::session_expiry_interval).value_or(0);
    packet.receive_maximum =
        values.number<std::uint16_t>(PropertyId::receive_maximum).value_or(65'535);
    packet.maximum_packet_size = values.number<std::uint32_t>(PropertyId::maximum_packet_size);
    packet.topic_alias_maximum =
        values.number<std::uint16_t>(PropertyId::topic_alias_maximum).value_or(0);
    packet.request_response_information =
        values.boolean(PropertyId::request_response_information).value_or(false);
    packet.request_problem_information =
        values.boolean(PropertyId::request_problem_information).value_or(true);
    packet.authentication_method = values.text(PropertyId::authentication_method);
    packet.authentication_data = values.binary(PropertyId::authentication_data).value_or(Bytes{});
    packet.user = values.user();
    return ReasonCode::success;
}

ReasonCode read_client_id(Connect& packet, Reader& in) {
    packet.client_id = in.text();
    if (in.failed()) return ReasonCode::malformed_packet;
    if (!packet.client_id.empty() || packet.version == Version::v5) return ReasonCode::success;
    // 3.1 wants 1 byte or more; 3.1.1 allows none for a clean session only [MQTT-3.1.3-8] of 3.1.1.
    const bool may_be_empty = packet.version == Version::v3_1_1 && packet.clean_start;
    return may_be_empty ? ReasonCode::success : ReasonCode::client_identifier_not_valid;
}

ReasonCode read_will(Will& will, Reader& in, unsigned flags, Version version) {
    will.qos = static_cast<Qos>(flags >> will_qos_shift & 3U);
    will.retain = (flags & will_retain_flag) != 0;
    if (version == Version::v5) {
        PropertySet allowed_in_will = message_property_ids;
        allowed_in_will.add(PropertyId::will_delay_interval);
        PropertyValues values;
        const ReasonCode verdict = values.read(in, allowed_in_will);
        if (verdict != ReasonCode::success) return verdict;
        will.delay_s = values.number<std::uint32_t>(PropertyId::will_delay_interval).value_or(0);
        will.properties = values.message();
    }
    will.topic = in.text();
    will.payload = in.binary();
    if (in.failed()) return ReasonCode::malformed_packet;
    return is_valid_topic_name(will.topic) ? ReasonCode::success : ReasonCode::topic_name_invalid;
}

ReasonCode read_credentials(Connect& packet, Reader& in, unsigned flags) {
    // In 3.1 the packet's length overrides the flags: a name that is not there was not sent.
    const bool may_be_absent = packet.version == Version::v3_1;
    const auto is_next = [&](unsigned flag) {
        return (flags & flag) != 0 && !(may_be_absent && in.left() == 0);
    };
    if (is_next(user_name_flag)) packet.user_name = in.text();
    if (is_next(password_flag)) packet.password = in.binary();
    const bool has_surplus = in.left() > 0;
    return in.failed() || has_surplus ? ReasonCode::malformed_packet : ReasonCode::success;
}

//     body := name: text, level, flags, keep alive, properties if 5.0,
//             client id: text, [will], [user name: text], [password: binary]
ReasonCode read(Connect& packet, Reader in) {
    ReasonCode verdict = read_protocol(packet, in);
    if (verdict != ReasonCode::success) return verdict;

    const unsigned flags = in.u8();
    packet.keep_alive_s = in.u16();
    if (in.failed()) return ReasonCode::malformed_packet;
    verdict = judge_flags(flags, packet.version);
    if (verdict != ReasonCode::success) return verdict;
    packet.clean_start = (flags & clean_start_flag) != 0;

    if (packet.version == Version::v5) verdict = read_properties(packet, in);
    if (verdict == ReasonCode::success) verdict = read_client_id(packet, in);
    if (verdict == ReasonCode::success && (flags & will_flag) != 0) {
        verdict = read_will(packet.will.emplace(), in, flags, packet.version);
    }
    if (verdict == ReasonCode::success) verdict = read_credentials(packet, in, flags);
    return verdict;
}

unsigned flags_of(const Connect& packet) {
    unsigned flags = 0;
    if (packet.clean_start) flags |= clean_start_flag;
    if (packet.will) {
        flags |= will_flag | static_cast<unsigned>(packet.will->qos) << will_qos_shift;
        if (packet.will->retain) flags |= will_retain_flag;
    }
    if (packet.user_name) flags |= user_name_flag;
    if (packet.password) flags |= password_flag;
    return flags;
}

// `value`, or nothing if the peer takes its absence for the same.
template <typename Value>
std::optional<Value> unless(Value value, Value default_value) {
    if (value == default_value) return std::nullopt;
    return value;
}

template <typename To>
void put_properties(To& to, const Connect& packet) {
    put(to, PropertyId::session_expiry_interval, unless(packet.session_expiry_s, 0U));
    put(to, PropertyId::receive_maximum, unless(packet.receive_maximum, std::uint16_t{65'535}));
    put(to, PropertyId::maximum_packet_size, packet.maximum_packet_size);
    put(to, PropertyId::topic_alias_maximum, unless(packet.topic_alias_maximum, std::uint16_t{0}));
    put(to, PropertyId::request_response_information,
        unless(packet.request_response_information, false));
    put(to, PropertyId::request_problem_information,
        unless(packet.request_problem_information, true));
    if (packet.authentication_method) {
        put(to, PropertyId::authentication_method, packet.authentication_method);
        // Absent and empty are one to the struct, and either is legal beside a method.
        if (!packet.authentication_data.empty()) {
            put(to, PropertyId::authentication_data, std::optional(packet.authentication_data));
        }
    }
    put(to, packet.user);
}

template <typename To>
void put_will(To& to, const Will& will, Version version) {
    if (version == Version::v5) {
        put_section(to, [&](auto& section) {
            put(section, PropertyId::will_delay_interval, unless(will.delay_s, 0U));
            put(section, PropertyId::message_expiry_interval, will.properties.message_expiry_s);
            put_forwarded(section, will.properties);
        });
    }
    to.text(will.topic);
    to.binary(will.payload);
}

}  // namespace

Result<Connect> decode_connect(Bytes body) {
    return decoded<Connect>([&](Connect& packet) { return read(packet, Reader(body)); });
}

std::optional<Version> peek_version(Bytes body) {
    Connect packet;
    Reader in(body);
    if (read_protocol(packet, in) != ReasonCode::success) return std::nullopt;
    return packet.version;
}

void encode(Writer& out, const Connect& packet) {
    ASSERT(!packet.is_bridge || packet.version != Version::v5);
    const auto properties = [&](auto& to) { put_properties(to, packet); };
    write_packet(out, PacketType::connect, 0, [&](auto& to) {
        to.text(packet.version == Version::v3_1 ? name_v3_1 : name_since_v3_1_1);
        const unsigned level = static_cast<unsigned>(packet.version);
        to.u8(static_cast<std::uint8_t>(packet.is_bridge ? level | bridge_bit : level));
        to.u8(static_cast<std::uint8_t>(flags_of(packet)));
        to.u16(packet.keep_alive_s);
        if (packet.version == Version::v5) put_section(to, properties);
        to.text(packet.client_id);
        if (packet.will) put_will(to, *packet.will, packet.version);
        if (packet.user_name) to.text(*packet.user_name);
        if (packet.password) to.binary(*packet.password);
    });
}

}  // namespace mqtt
