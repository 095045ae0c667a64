#include "mqtt/publish.h"

#include "mqtt/decoded.h"
#include "mqtt/property_type.h"
#include "mqtt/property_values.h"
#include "mqtt/sizer.h"
#include "mqtt/topic.h"
#include "mqtt/utf8.h"

namespace mqtt {

namespace {

constexpr std::uint8_t retain_flag = 0x01;
constexpr std::uint8_t dup_flag = 0x08;

// Of a topic that is_valid_topic_name() refused. Apart, because it runs once a bad packet.
ReasonCode why_refused(std::string_view topic, Version version) {
    if (!is_valid_utf8(topic)) return ReasonCode::malformed_packet;
    // Without an alias; section 3.3.2.3.4.
    if (topic.empty() && version == Version::v5) return ReasonCode::protocol_error;
    return ReasonCode::topic_name_invalid;
}

ReasonCode read_properties(Publish& packet, Reader& in, bool from_server) {
    PropertySet allowed = message_property_ids;
    allowed.add(PropertyId::topic_alias);
    allowed.add(PropertyId::subscription_identifier);
    PropertyValues values;
    const ReasonCode verdict = values.read(in, allowed, {PropertyId::subscription_identifier});
    if (verdict != ReasonCode::success) return verdict;
    if (values.has(PropertyId::subscription_identifier)) {
        if (!from_server) return ReasonCode::protocol_error;  // [MQTT-3.3.4-6]
        packet.subscription_ids = values.subscription_ids();
    }
    packet.topic_alias = values.number<std::uint16_t>(PropertyId::topic_alias).value_or(0);
    packet.properties = values.message();
    return ReasonCode::success;
}

//     flags: DUP, QoS, QoS, RETAIN
//     body := topic: text, packet id if QoS > 0, properties if 5.0, payload
ReasonCode read(Publish& packet, std::uint8_t flags, Reader in, Version version, bool from_server) {
    const unsigned qos = (flags >> 1) & 3U;
    packet.qos = static_cast<Qos>(qos);
    packet.retain = (flags & retain_flag) != 0;
    packet.dup = (flags & dup_flag) != 0;
    if (qos == 3) return ReasonCode::malformed_packet;                // [MQTT-3.3.1-4]
    if (packet.dup && qos == 0) return ReasonCode::malformed_packet;  // [MQTT-3.3.1-2]

    packet.topic = in.raw_text();
    if (qos != 0) packet.id = in.u16();
    if (in.failed()) return ReasonCode::malformed_packet;
    if (qos != 0 && packet.id == 0) return ReasonCode::malformed_packet;  // [MQTT-2.2.1-3]
    if (version == Version::v5) {
        const ReasonCode verdict = read_properties(packet, in, from_server);
        if (verdict != ReasonCode::success) return verdict;
    }
    packet.payload = in.remainder();
    if (is_valid_topic_name(packet.topic)) [[likely]]
        return ReasonCode::success;
    if (packet.topic.empty() && packet.topic_alias != 0) return ReasonCode::success;
    return why_refused(packet.topic, version);
}

template <typename Each>
void for_each_subscription_id(Bytes encoded, const Each& each) {
    Reader in(encoded);
    while (in.left() > 0) {
        const auto id = static_cast<PropertyId>(in.u8());
        if (id == PropertyId::subscription_identifier) {
            each(in.variable_int());
        } else {
            skip_property_value(in, id);
        }
    }
}

template <typename To>
void put_properties(To& to, const Publish& packet) {
    if (packet.topic_alias != 0) {
        put(to, PropertyId::topic_alias, std::optional(packet.topic_alias));
    }
    put(to, PropertyId::message_expiry_interval, packet.properties.message_expiry_s);
    for_each_subscription_id(packet.subscription_ids, [&](std::uint32_t id) {
        put_id(to, PropertyId::subscription_identifier);
        to.variable_int(id);
    });
    put_forwarded(to, packet.properties);
}

}  // namespace

Result<Publish> decode_publish(std::uint8_t flags, Bytes body, Version version, bool from_server) {
    return decoded<Publish>(
        [&](Publish& packet) { return read(packet, flags, Reader(body), version, from_server); });
}

Result<Publish> decode_publish_properties(Bytes section) {
    return decoded<Publish>([&](Publish& packet) {
        Reader in(section);
        const ReasonCode verdict = read_properties(packet, in, true);
        if (verdict != ReasonCode::success) return verdict;
        return in.left() == 0 ? ReasonCode::success : ReasonCode::malformed_packet;
    });
}

void encode(Writer& out, const Publish& packet, Version version) {
    const unsigned flags = static_cast<unsigned>(packet.qos) << 1 |
                           (packet.retain ? retain_flag : 0U) | (packet.dup ? dup_flag : 0U);
    const auto properties = [&](auto& to) { put_properties(to, packet); };
    write_packet(out, PacketType::publish, static_cast<std::uint8_t>(flags), [&](auto& to) {
        to.text(packet.topic);
        if (packet.qos != Qos::at_most_once) to.u16(packet.id);
        if (version == Version::v5) put_section(to, properties);
        to.raw(packet.payload);
    });
}

std::vector<std::uint32_t> subscription_ids(const Publish& packet) {
    std::vector<std::uint32_t> ids;
    for_each_subscription_id(packet.subscription_ids, [&](std::uint32_t id) { ids.push_back(id); });
    return ids;
}

}  // namespace mqtt
