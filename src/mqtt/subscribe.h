// SUBSCRIBE, section 3.8, and SUBACK, section 3.9.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

enum class RetainHandling : std::uint8_t { send, send_if_new, do_not_send };

struct SubscribeOptions {
    Qos qos{};
    bool no_local = false;
    bool retain_as_published = false;
    RetainHandling retain_handling = RetainHandling::send;
};

struct SubscribeEntry {
    std::string_view filter;  // Valid UTF-8; whether it is a valid filter is the server's question.
    SubscribeOptions options;
};

struct Subscribe {
    PacketId id = 0;
    std::uint32_t subscription_id = 0;  // 0 = none.
    UserProperties user{};
    Version version = Version::v3_1_1;
    Bytes entries{};  // Still encoded, already checked.

    // Calls `each(SubscribeEntry)` in order.
    template <typename Each>
    void for_each(Each&& each) const {
        Bytes rest = entries;
        while (const std::optional<SubscribeEntry> entry = next(rest)) each(*entry);
    }
    // The next one, which leaves `entries`; nothing if there is none.
    std::optional<SubscribeEntry> take() { return next(entries); }
    std::size_t count() const;

private:
    std::optional<SubscribeEntry> next(Bytes& rest) const;
};

// Allocates nothing. At least one entry [MQTT-3.8.3-2], reserved option bits 0 [MQTT-3.8.3-5].
Result<Subscribe> decode_subscribe(Bytes body, Version version);
// For clients: the entries to send.
void encode_subscribe(Writer& out, const Subscribe& packet, std::span<const SubscribeEntry> entries,
                      Version version);

struct Suback {
    PacketId id = 0;
    std::optional<std::string_view> reason_string{};
    UserProperties user{};
    Bytes reasons{};  // One ReasonCode byte for each entry, in order [MQTT-3.8.4-6].
};

Result<Suback> decode_suback(Bytes body, Version version);
// Below v5 every failure becomes 0x80; 3.1 has no failure code and gets QoS 0.
void encode(Writer& out, const Suback& packet, Version version);

}  // namespace mqtt
