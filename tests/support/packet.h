// A packet that the broker sent, taken apart into plain values for a test to look at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mqtt/framer.h"
#include "mqtt/reason_code.h"
#include "mqtt/types.h"

namespace support {

struct Packet {
    mqtt::PacketType type{};
    std::size_t size = 0;  // On the wire.
    mqtt::PacketId id = 0;
    mqtt::ReasonCode reason{};  // Of CONNACK, acks, DISCONNECT and AUTH.

    // PUBLISH
    std::string topic;
    std::string payload;
    int qos = 0;
    bool retain = false;
    bool dup = false;
    std::optional<std::uint32_t> expiry_s;
    std::uint16_t alias = 0;
    std::optional<std::uint8_t> payload_format;
    std::string content_type;
    std::string response_topic;
    std::string correlation_data;
    std::vector<std::uint32_t> subscription_ids;
    std::vector<std::pair<std::string, std::string>> user;
    std::vector<std::uint8_t> forwarded;  // The properties that mqtt::write_forwarded() writes.

    // CONNACK
    bool session_present = false;
    std::uint8_t return_code_v3 = 0;
    std::string assigned_client_id;
    std::optional<std::uint16_t> receive_maximum;
    std::optional<std::uint16_t> server_keep_alive_s;
    std::optional<std::uint16_t> topic_alias_maximum;
    std::optional<std::uint8_t> maximum_qos;
    std::optional<bool> retain_available;
    std::optional<std::uint32_t> maximum_packet_size;
    std::optional<std::uint32_t> session_expiry_s;
    std::optional<std::string> response_information;

    // CONNACK, acks, SUBACK, UNSUBACK and DISCONNECT
    std::string reason_string;
    std::string server_reference;

    // CONNACK, AUTH
    std::optional<std::string> authentication_method;
    std::string authentication_data;

    // SUBACK, UNSUBACK
    std::vector<std::uint8_t> reasons;
};

// Nothing if it is not a well-formed packet of a server: a bug of the broker.
std::optional<Packet> decode_from_server(const mqtt::Frame& frame, mqtt::Version version);

// For messages: "PUBLISH(x/y, hi, q1)".
std::string to_text(const Packet& packet);

}  // namespace support
