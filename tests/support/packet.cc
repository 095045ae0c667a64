#include "support/packet.h"

#include "mqtt/ack.h"
#include "mqtt/auth.h"
#include "mqtt/connack.h"
#include "mqtt/disconnect.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/unsubscribe.h"

namespace support {

using mqtt::PacketType;

namespace {

bool read_connack(Packet& out, base::Bytes body, mqtt::Version version) {
    const auto packet = mqtt::decode_connack(body, version);
    if (!packet) return false;
    out.reason = packet->reason;
    out.session_present = packet->session_present;
    out.return_code_v3 = packet->return_code_v3;
    out.assigned_client_id = packet->assigned_client_id.value_or("");
    out.receive_maximum = packet->receive_maximum;
    out.server_keep_alive_s = packet->server_keep_alive_s;
    out.topic_alias_maximum = packet->topic_alias_maximum;
    out.maximum_qos = packet->maximum_qos;
    out.retain_available = packet->retain_available;
    out.maximum_packet_size = packet->maximum_packet_size;
    out.session_expiry_s = packet->session_expiry_s;
    out.response_information = packet->response_information;
    out.reason_string = packet->reason_string.value_or("");
    out.server_reference = packet->server_reference.value_or("");
    out.authentication_method = packet->authentication_method;
    out.authentication_data = base::as_text(packet->authentication_data.value_or(base::Bytes{}));
    return true;
}

bool read_auth(Packet& out, base::Bytes body) {
    const auto packet = mqtt::decode_auth(body);
    if (!packet) return false;
    out.reason = packet->reason;
    out.authentication_method = packet->authentication_method;
    out.authentication_data = base::as_text(packet->authentication_data);
    return true;
}

bool read_publish(Packet& out, const mqtt::Frame& frame, mqtt::Version version) {
    const auto packet = mqtt::decode_publish(frame.flags, frame.body, version, true);
    if (!packet) return false;
    out.id = packet->id;
    out.topic = packet->topic;
    out.payload = base::as_text(packet->payload);
    out.qos = static_cast<int>(packet->qos);
    out.retain = packet->retain;
    out.dup = packet->dup;
    out.expiry_s = packet->properties.message_expiry_s;
    out.alias = packet->topic_alias;
    out.payload_format = packet->properties.payload_format;
    out.content_type = packet->properties.content_type;
    out.response_topic = packet->properties.response_topic;
    out.correlation_data = base::as_text(packet->properties.correlation_data);
    packet->properties.user.for_each(
        [&](const auto& pair) { out.user.emplace_back(pair.key, pair.value); });
    out.subscription_ids = mqtt::subscription_ids(*packet);
    mqtt::Writer forwarded(out.forwarded);
    mqtt::write_forwarded(forwarded, packet->properties);
    return true;
}

bool read_ack(Packet& out, const mqtt::Frame& frame, mqtt::Version version) {
    const auto packet = mqtt::decode_ack(frame.type, frame.body, version);
    if (!packet) return false;
    out.id = packet->id;
    out.reason = packet->reason;
    out.reason_string = packet->reason_string.value_or("");
    return true;
}

template <typename Decoded>
bool read_reasons(Packet& out, const Decoded& packet) {
    if (!packet) return false;
    out.id = packet->id;
    out.reasons.assign(packet->reasons.begin(), packet->reasons.end());
    out.reason_string = packet->reason_string.value_or("");
    return true;
}

bool read(Packet& out, const mqtt::Frame& frame, mqtt::Version version) {
    switch (frame.type) {
        case PacketType::connack:
            return read_connack(out, frame.body, version);
        case PacketType::publish:
            return read_publish(out, frame, version);
        case PacketType::puback:
        case PacketType::pubrec:
        case PacketType::pubrel:
        case PacketType::pubcomp:
            return read_ack(out, frame, version);
        case PacketType::suback:
            return read_reasons(out, mqtt::decode_suback(frame.body, version));
        case PacketType::unsuback:
            return read_reasons(out, mqtt::decode_unsuback(frame.body, version));
        case PacketType::auth:
            return version == mqtt::Version::v5 && read_auth(out, frame.body);
        case PacketType::pingresp:
            return frame.body.empty();
        case PacketType::disconnect: {
            const auto packet = mqtt::decode_disconnect(frame.body, version);
            if (!packet || version != mqtt::Version::v5) return false;
            if (packet->session_expiry_s) return false;  // [MQTT-3.14.2-2]
            out.reason = packet->reason;
            out.reason_string = packet->reason_string.value_or("");
            out.server_reference = packet->server_reference.value_or("");
            return true;
        }
        default:
            return false;
    }
}

}  // namespace

std::optional<Packet> decode_from_server(const mqtt::Frame& frame, mqtt::Version version) {
    Packet packet;
    packet.type = frame.type;
    packet.size = frame.size;
    if (!read(packet, frame, version)) return std::nullopt;
    return packet;
}

std::string to_text(const Packet& packet) {
    static constexpr const char* names[] = {"?",         "CONNECT",  "CONNACK",     "PUBLISH",
                                            "PUBACK",    "PUBREC",   "PUBREL",      "PUBCOMP",
                                            "SUBSCRIBE", "SUBACK",   "UNSUBSCRIBE", "UNSUBACK",
                                            "PINGREQ",   "PINGRESP", "DISCONNECT",  "AUTH"};
    const std::string name = names[static_cast<std::size_t>(packet.type)];
    if (packet.type == PacketType::publish) {
        return name + "(" + packet.topic + ", " + packet.payload.substr(0, 40) + ", q" +
               std::to_string(packet.qos) + (packet.retain ? ", retain" : "") +
               (packet.dup ? ", dup" : "") + ", m" + std::to_string(packet.id) + ")";
    }
    return name + "(m" + std::to_string(packet.id) + ", " +
           std::string(mqtt::describe(packet.reason)) + ")";
}

}  // namespace support
