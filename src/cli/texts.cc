#include "cli/texts.h"

#include <fmt/format.h>

#include <algorithm>

namespace cli {

using mqtt::PacketType;
using mqtt::ReasonCode;

namespace {

struct ReasonRow {
    ReasonCode reason;
    std::string_view text;
};
constexpr ReasonRow reasons[] = {
    {ReasonCode::success, "Success"},
    {ReasonCode::no_matching_subscribers, "No matching subscribers"},
    {ReasonCode::unspecified_error, "Unspecified error"},
    {ReasonCode::malformed_packet, "Malformed packet"},
    {ReasonCode::protocol_error, "Protocol Error"},
    {ReasonCode::implementation_specific_error, "Implementation specific error"},
    {ReasonCode::unsupported_protocol_version, "Unsupported protocol version"},
    {ReasonCode::client_identifier_not_valid, "Client Identifier not valid"},
    {ReasonCode::bad_user_name_or_password, "Bad username or password"},
    {ReasonCode::not_authorized, "Not authorized"},
    {ReasonCode::server_unavailable, "Server unavailable"},
    {ReasonCode::server_busy, "Server busy"},
    {ReasonCode::banned, "Banned"},
    {ReasonCode::server_shutting_down, "Server shutting down"},
    {ReasonCode::bad_authentication_method, "Bad authentication method"},
    {ReasonCode::keep_alive_timeout, "Keep alive timeout"},
    {ReasonCode::session_taken_over, "Session taken over"},
    {ReasonCode::topic_filter_invalid, "Topic filter invalid"},
    {ReasonCode::topic_name_invalid, "Topic name invalid"},
    {ReasonCode::receive_maximum_exceeded, "Receive maximum exceeded"},
    {ReasonCode::topic_alias_invalid, "Topic alias invalid"},
    {ReasonCode::packet_too_large, "Packet too large"},
    {ReasonCode::message_rate_too_high, "Message rate too high"},
    {ReasonCode::quota_exceeded, "Quota exceeded"},
    {ReasonCode::administrative_action, "Administrative action"},
    {ReasonCode::payload_format_invalid, "Payload format invalid"},
    {ReasonCode::retain_not_supported, "Retain not supported"},
    {ReasonCode::qos_not_supported, "QoS not supported"},
    {ReasonCode::use_another_server, "Use another server"},
    {ReasonCode::server_moved, "Server moved"},
    {ReasonCode::shared_subscriptions_not_supported, "Shared subscriptions not supported"},
    {ReasonCode::connection_rate_exceeded, "Connection rate exceeded"},
    {ReasonCode::maximum_connect_time, "Maximum connect time"},
    {ReasonCode::subscription_identifiers_not_supported, "Subscription identifiers not supported"},
    {ReasonCode::wildcard_subscriptions_not_supported, "Wildcard subscriptions not supported"},
};

constexpr std::string_view refusals[] = {
    "Connection Accepted.",
    "Connection Refused: unacceptable protocol version.",
    "Connection Refused: identifier rejected.",
    "Connection Refused: broker unavailable.",
    "Connection Refused: bad user name or password.",
    "Connection Refused: not authorised.",
};

std::string publish_text(const client::Traced& traced) {
    return fmt::format("PUBLISH (d{:d}, q{:d}, r{:d}, m{}, '{}', ... ({} bytes))", traced.dup,
                       static_cast<int>(traced.qos), traced.retain, traced.id,
                       traced.topic.empty() ? "(null)" : traced.topic, traced.payload_size);
}

std::string sent_text(const client::Traced& traced) {
    switch (traced.type) {
        case PacketType::connect:
            return "CONNECT";
        case PacketType::publish:
            return publish_text(traced);
        case PacketType::puback:
            return fmt::format("PUBACK (m{}, rc{})", traced.id, traced.reason);
        case PacketType::pubrec:
            return fmt::format("PUBREC (m{}, rc{})", traced.id, traced.reason);
        case PacketType::pubrel:
            return fmt::format("PUBREL (m{})", traced.id);
        case PacketType::pubcomp:
            return fmt::format("PUBCOMP (m{})", traced.id);
        case PacketType::subscribe:
            return fmt::format("SUBSCRIBE (Mid: {}, Topic: {}, QoS: {}, Options: 0x{:02x})",
                               traced.id, traced.topic, static_cast<int>(traced.qos),
                               traced.options);
        case PacketType::unsubscribe:
            return fmt::format("UNSUBSCRIBE (Mid: {}, Topic: {})", traced.id, traced.topic);
        case PacketType::pingreq:
            return "PINGREQ";
        default:
            return "DISCONNECT";
    }
}

std::string received_text(const client::Traced& traced) {
    switch (traced.type) {
        case PacketType::connack:
            return fmt::format("CONNACK ({})", traced.reason);
        case PacketType::publish:
            return publish_text(traced);
        case PacketType::puback:
            return fmt::format("PUBACK (Mid: {}, RC:{})", traced.id, traced.reason);
        case PacketType::pubrec:
            return fmt::format("PUBREC (Mid: {})", traced.id);
        case PacketType::pubrel:
            return fmt::format("PUBREL (Mid: {})", traced.id);
        case PacketType::pubcomp:
            return fmt::format("PUBCOMP (Mid: {}, RC:{})", traced.id, traced.reason);
        case PacketType::suback:
            return "SUBACK";
        case PacketType::unsuback:
            return "UNSUBACK";
        case PacketType::pingresp:
            return "PINGRESP";
        default:
            return fmt::format("DISCONNECT ({})", traced.reason);
    }
}

}  // namespace

std::string_view reason_text(ReasonCode reason) {
    const auto* const found =
        std::find_if(std::begin(reasons), std::end(reasons),
                     [reason](const ReasonRow& row) { return row.reason == reason; });
    return found == std::end(reasons) ? "Unknown reason" : found->text;
}

std::string connack_text(const mqtt::Connack& connack, mqtt::Version version) {
    if (version == mqtt::Version::v5) return std::string(reason_text(connack.reason));
    if (connack.return_code_v3 >= std::size(refusals)) {
        return "Connection Refused: unknown reason.";
    }
    return std::string(refusals[connack.return_code_v3]);
}

std::string trace_text(const client::Traced& traced, const client::Session& session) {
    const std::string& id = session.client_id();
    return fmt::format("Client {} {} {}", id.empty() ? "(null)" : id,
                       traced.sent ? "sending" : "received",
                       traced.sent ? sent_text(traced) : received_text(traced));
}

}  // namespace cli
