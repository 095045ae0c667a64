// CONNACK, section 3.2.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

struct Connack {
    bool session_present = false;
    ReasonCode reason = ReasonCode::success;  // Mapped to a return code for 3.1 and 3.1.1.
    // The byte as received, for clients of 3.x servers (0..5); decode sets it, encode ignores it.
    std::uint8_t return_code_v3 = 0;

    // MQTT 5.0 only. A value that equals the protocol's default need not be set.
    std::optional<std::uint32_t> session_expiry_s{};
    std::optional<std::uint16_t> receive_maximum{};
    std::optional<std::uint8_t> maximum_qos{};
    std::optional<bool> retain_available{};
    std::optional<std::uint32_t> maximum_packet_size{};
    std::optional<std::string_view> assigned_client_id{};
    std::optional<std::uint16_t> topic_alias_maximum{};
    std::optional<std::string_view> reason_string{};
    UserProperties user{};
    std::optional<bool> wildcard_subscription_available{};
    std::optional<bool> subscription_identifier_available{};
    std::optional<bool> shared_subscription_available{};
    std::optional<std::uint16_t> server_keep_alive_s{};
    std::optional<std::string_view> response_information{};
    std::optional<std::string_view> server_reference{};
    std::optional<std::string_view> authentication_method{};
    std::optional<Bytes> authentication_data{};
};

Result<Connack> decode_connack(Bytes body, Version version);
void encode(Writer& out, const Connack& packet, Version version);

}  // namespace mqtt
