// CONNECT, section 3.1.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

struct Will {
    std::string_view topic;
    Bytes payload;
    Qos qos{};
    bool retain = false;
    std::uint32_t delay_s = 0;
    MessageProperties properties;
};

struct Connect {
    Version version = Version::v3_1_1;
    bool is_bridge =
        false;  // Bit 7 of the protocol level, set by Mosquitto's bridges (3.1, 3.1.1).
    bool clean_start = true;
    std::uint16_t keep_alive_s = 0;
    std::string_view client_id;  // May be empty: the server decides [MQTT-3.1.3-6..8].
    std::optional<Will> will{};
    std::optional<std::string_view> user_name{};
    std::optional<Bytes> password{};

    // MQTT 5.0 only.
    std::uint32_t session_expiry_s = 0;
    std::uint16_t receive_maximum = 65'535;
    std::optional<std::uint32_t> maximum_packet_size{};
    std::uint16_t topic_alias_maximum = 0;
    bool request_response_information = false;
    bool request_problem_information = true;
    std::optional<std::string_view> authentication_method{};
    Bytes authentication_data{};
    UserProperties user{};
};

// Views live as long as `body`. Fails with unsupported_protocol_version for a known name with an
// unknown level [MQTT-3.1.2-2]; malformed_packet or protocol_error otherwise. A 3.1.1 empty client
// id without clean session is client_identifier_not_valid ([MQTT-3.1.3-8] of 3.1.1); a 3.1 client
// id must have 1 or more bytes. Will topic rules are checked (topic_name_invalid).
Result<Connect> decode_connect(Bytes body);
// The version of a CONNECT, for the CONNACK that answers one which does not decode; nothing if its
// name or level is unknown.
std::optional<Version> peek_version(Bytes body);
void encode(Writer& out, const Connect& packet);

}  // namespace mqtt
