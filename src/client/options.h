// What a client says about itself and its messages. Everything here owns its bytes, because it
// outlives the packets it is encoded into.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/connect.h"
#include "mqtt/subscribe.h"

namespace client {

// User properties in their order, encoded as the wire wants them.
class UserProperties {
public:
    // Key and value are valid UTF-8 of at most 65,535 bytes.
    void add(std::string_view key, std::string_view value);
    bool empty() const { return encoded_.empty(); }
    // Lives as long as this object is not changed.
    mqtt::UserProperties view() const { return mqtt::UserProperties(mqtt::Bytes(encoded_)); }

private:
    std::vector<std::uint8_t> encoded_;
};

struct MessageProperties {
    std::optional<std::uint8_t> payload_format;
    std::optional<std::uint32_t> message_expiry_s;
    std::optional<std::string> content_type;
    std::optional<std::string> response_topic;
    std::optional<std::string> correlation_data;
    UserProperties user;

    // Lives as long as this object is not changed.
    mqtt::MessageProperties view() const;
};

struct Message {
    std::string topic;  // May be empty with a topic alias that the server knows (5.0).
    std::string payload;
    mqtt::Qos qos = mqtt::Qos::at_most_once;
    bool retain = false;
    std::uint16_t topic_alias = 0;  // 0 = none; 5.0 only, as are the properties.
    MessageProperties properties;
};

struct Will {
    Message message;
    std::uint32_t delay_s = 0;
};

struct Options {
    mqtt::Version version = mqtt::Version::v3_1_1;
    std::string client_id;  // Empty: the server makes one.
    bool clean_start = true;
    bool is_bridge = false;
    std::uint16_t keep_alive_s = 60;  // 0 = none.
    std::optional<Will> will;
    std::optional<std::string> user_name;
    std::optional<std::string> password;

    // MQTT 5.0 only.
    std::uint32_t session_expiry_s = 0;
    std::uint16_t receive_maximum = 65'535;
    std::optional<std::uint32_t> maximum_packet_size;
    std::uint16_t topic_alias_maximum = 0;
    bool request_response_information = false;
    bool request_problem_information = true;
    std::optional<std::string> authentication_method;
    std::string authentication_data;
    UserProperties user;

    // Not on the wire.
    std::uint16_t in_flight_max =
        20;  // QoS 1 and 2 sent and not finished; the server may allow less.
    std::size_t queued_max = 1'000;                        // QoS 1 and 2 waiting behind those.
    std::size_t output_bytes_max = std::size_t{64} << 20;  // Beyond it publish() refuses.
    std::uint64_t connack_timeout_ms = 30'000;             // 0 = wait forever.
    bool trace = false;                                    // Emit a Traced event for each packet.
};

struct Subscription {
    std::string filter;
    mqtt::SubscribeOptions options;
};

}  // namespace client
