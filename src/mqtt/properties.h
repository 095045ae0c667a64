// MQTT 5.0 properties, section 2.2.2. A packet struct has the values it may carry; what an earlier
// version's packet lacks stays at its default.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "mqtt/reader.h"
#include "mqtt/writer.h"

namespace mqtt {

enum class PropertyId : std::uint8_t {
    payload_format_indicator = 0x01,
    message_expiry_interval = 0x02,
    content_type = 0x03,
    response_topic = 0x08,
    correlation_data = 0x09,
    subscription_identifier = 0x0B,
    session_expiry_interval = 0x11,
    assigned_client_identifier = 0x12,
    server_keep_alive = 0x13,
    authentication_method = 0x15,
    authentication_data = 0x16,
    request_problem_information = 0x17,
    will_delay_interval = 0x18,
    request_response_information = 0x19,
    response_information = 0x1A,
    server_reference = 0x1C,
    reason_string = 0x1F,
    receive_maximum = 0x21,
    topic_alias_maximum = 0x22,
    topic_alias = 0x23,
    maximum_qos = 0x24,
    retain_available = 0x25,
    user_property = 0x26,
    maximum_packet_size = 0x27,
    wildcard_subscription_available = 0x28,
    subscription_identifier_available = 0x29,
    shared_subscription_available = 0x2A,
};

// User properties in their order, still encoded: a sequence of (0x26, key, value), already checked,
// possibly with other properties between them, which iteration skips.
class UserProperties {
public:
    UserProperties() = default;
    explicit UserProperties(Bytes encoded) : encoded_(encoded) {}

    struct Pair {
        std::string_view key;
        std::string_view value;
    };
    // Calls `each(Pair)` in order.
    template <typename Each>
    void for_each(Each&& each) const {
        Bytes rest = encoded_;
        while (const std::optional<Pair> pair = next(rest)) each(*pair);
    }
    bool empty() const;
    // False is certain, and costs nothing to ask.
    bool may_have_any() const { return !encoded_.empty(); }
    std::size_t count() const;
    // The bytes to encode again: only the user properties of `encoded`, in order.
    void write(Writer& out) const;
    std::size_t encoded_size() const;

private:
    static std::optional<Pair> next(Bytes& rest);
    Bytes encoded_;
};

// What a PUBLISH (section 3.3.2.3) and a will (3.1.3.2) say about their message.
struct MessageProperties {
    std::optional<std::uint8_t> payload_format{};
    std::optional<std::uint32_t> message_expiry_s{};
    std::string_view content_type;
    bool has_content_type = false;
    std::string_view response_topic;
    bool has_response_topic = false;
    Bytes correlation_data;
    bool has_correlation_data = false;
    UserProperties user{};
};

// The part of a property section that a server forwards unaltered (all of MessageProperties but
// message_expiry_s), in the sender's order for user properties [MQTT-3.3.2-17..20]; appended to
// `out` without a length.
void write_forwarded(Writer& out, const MessageProperties& properties);
std::size_t forwarded_size(const MessageProperties& properties);

}  // namespace mqtt
