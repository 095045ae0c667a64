#include "mqtt/reason_code.h"

#include <algorithm>
#include <array>
#include <span>

namespace mqtt {

namespace {

using enum ReasonCode;

constexpr std::array in_connack = {
    success,
    unspecified_error,
    malformed_packet,
    protocol_error,
    implementation_specific_error,
    unsupported_protocol_version,
    client_identifier_not_valid,
    bad_user_name_or_password,
    not_authorized,
    server_unavailable,
    server_busy,
    banned,
    bad_authentication_method,
    topic_name_invalid,
    packet_too_large,
    quota_exceeded,
    payload_format_invalid,
    retain_not_supported,
    qos_not_supported,
    use_another_server,
    server_moved,
    connection_rate_exceeded,
};
// PUBACK and PUBREC.
constexpr std::array in_first_ack = {
    success,
    no_matching_subscribers,
    unspecified_error,
    implementation_specific_error,
    not_authorized,
    topic_name_invalid,
    packet_id_in_use,
    quota_exceeded,
    payload_format_invalid,
};
// PUBREL and PUBCOMP.
constexpr std::array in_later_ack = {success, packet_id_not_found};
constexpr std::array in_suback = {
    success,
    granted_qos_1,
    granted_qos_2,
    unspecified_error,
    implementation_specific_error,
    not_authorized,
    topic_filter_invalid,
    packet_id_in_use,
    quota_exceeded,
    shared_subscriptions_not_supported,
    subscription_identifiers_not_supported,
    wildcard_subscriptions_not_supported,
};
constexpr std::array in_unsuback = {
    success,        no_subscription_existed, unspecified_error, implementation_specific_error,
    not_authorized, topic_filter_invalid,    packet_id_in_use,
};
// Either side's; who may send which is for the caller, who knows whose packet it is.
constexpr std::array in_disconnect = {
    success,
    disconnect_with_will,
    unspecified_error,
    malformed_packet,
    protocol_error,
    implementation_specific_error,
    not_authorized,
    server_busy,
    server_shutting_down,
    bad_authentication_method,
    keep_alive_timeout,
    session_taken_over,
    topic_filter_invalid,
    topic_name_invalid,
    receive_maximum_exceeded,
    topic_alias_invalid,
    packet_too_large,
    message_rate_too_high,
    quota_exceeded,
    administrative_action,
    payload_format_invalid,
    retain_not_supported,
    qos_not_supported,
    use_another_server,
    server_moved,
    shared_subscriptions_not_supported,
    connection_rate_exceeded,
    maximum_connect_time,
    subscription_identifiers_not_supported,
    wildcard_subscriptions_not_supported,
};
constexpr std::array in_auth = {success, continue_authentication, reauthenticate};

std::span<const ReasonCode> reasons_in(PacketType type) {
    switch (type) {
        case PacketType::connack:
            return in_connack;
        case PacketType::puback:
        case PacketType::pubrec:
            return in_first_ack;
        case PacketType::pubrel:
        case PacketType::pubcomp:
            return in_later_ack;
        case PacketType::suback:
            return in_suback;
        case PacketType::unsuback:
            return in_unsuback;
        case PacketType::disconnect:
            return in_disconnect;
        case PacketType::auth:
            return in_auth;
        default:
            return {};
    }
}

struct Description {
    ReasonCode code;
    std::string_view words;
};
constexpr Description descriptions[] = {
    {success, "success"},
    {granted_qos_1, "granted QoS 1"},
    {granted_qos_2, "granted QoS 2"},
    {disconnect_with_will, "disconnect with will message"},
    {no_matching_subscribers, "no matching subscribers"},
    {no_subscription_existed, "no subscription existed"},
    {continue_authentication, "continue authentication"},
    {reauthenticate, "re-authenticate"},
    {unspecified_error, "unspecified error"},
    {malformed_packet, "malformed packet"},
    {protocol_error, "protocol error"},
    {implementation_specific_error, "implementation specific error"},
    {unsupported_protocol_version, "unsupported protocol version"},
    {client_identifier_not_valid, "client identifier not valid"},
    {bad_user_name_or_password, "bad user name or password"},
    {not_authorized, "not authorized"},
    {server_unavailable, "server unavailable"},
    {server_busy, "server busy"},
    {banned, "banned"},
    {server_shutting_down, "server shutting down"},
    {bad_authentication_method, "bad authentication method"},
    {keep_alive_timeout, "keep alive timeout"},
    {session_taken_over, "session taken over"},
    {topic_filter_invalid, "topic filter invalid"},
    {topic_name_invalid, "topic name invalid"},
    {packet_id_in_use, "packet identifier in use"},
    {packet_id_not_found, "packet identifier not found"},
    {receive_maximum_exceeded, "receive maximum exceeded"},
    {topic_alias_invalid, "topic alias invalid"},
    {packet_too_large, "packet too large"},
    {message_rate_too_high, "message rate too high"},
    {quota_exceeded, "quota exceeded"},
    {administrative_action, "administrative action"},
    {payload_format_invalid, "payload format invalid"},
    {retain_not_supported, "retain not supported"},
    {qos_not_supported, "QoS not supported"},
    {use_another_server, "use another server"},
    {server_moved, "server moved"},
    {shared_subscriptions_not_supported, "shared subscriptions not supported"},
    {connection_rate_exceeded, "connection rate exceeded"},
    {maximum_connect_time, "maximum connect time"},
    {subscription_identifiers_not_supported, "subscription identifiers not supported"},
    {wildcard_subscriptions_not_supported, "wildcard subscriptions not supported"},
};

}  // namespace

std::string_view describe(ReasonCode code) {
    for (const Description& description : descriptions) {
        if (description.code == code) return description.words;
    }
    return "unknown reason";
}

bool may_carry(PacketType type, ReasonCode code) {
    const std::span<const ReasonCode> reasons = reasons_in(type);
    return std::find(reasons.begin(), reasons.end(), code) != reasons.end();
}

std::optional<std::uint8_t> connack_return_code_v3(ReasonCode code) {
    switch (code) {
        case success:
            return 0;
        case unsupported_protocol_version:
            return 1;
        case client_identifier_not_valid:
            return 2;
        case server_unavailable:
        case server_busy:
        case server_shutting_down:
        case quota_exceeded:
        case use_another_server:
        case server_moved:
        case connection_rate_exceeded:
        case unspecified_error:
        case implementation_specific_error:
            return 3;
        case bad_user_name_or_password:
            return 4;
        case not_authorized:
        case banned:
        case bad_authentication_method:
            return 5;
        default:
            return std::nullopt;
    }
}

}  // namespace mqtt
