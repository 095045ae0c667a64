// Measuring and writing packets. MQTT puts every length before what it measures, so an encoder
// describes its packet once, as a generic lambda over `to`, and that runs twice: over a Sizer,
// which counts, then over the Writer. No copy, no insertion in the middle. Only this room's .cc
// files include it.
#pragma once

#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

// The same calls as Writer's.
class Sizer {
public:
    void u8(std::uint8_t) { size_ += 1; }
    void u16(std::uint16_t) { size_ += 2; }
    void u32(std::uint32_t) { size_ += 4; }
    void variable_int(std::uint32_t value) { size_ += variable_int_size(value); }
    void binary(Bytes bytes) { size_ += 2 + bytes.size(); }
    void text(std::string_view text) { size_ += 2 + text.size(); }
    void raw(Bytes bytes) { size_ += bytes.size(); }
    void count(std::size_t size) { size_ += size; }

    // Saturates, so that a Writer refuses what is too long for a packet.
    std::uint32_t size() const {
        return static_cast<std::uint32_t>(size_ < 0xFFFFFFFF ? size_ : 0xFFFFFFFF);
    }

private:
    std::size_t size_ = 0;
};

template <typename Describe>
std::uint32_t size_of(const Describe& describe) {
    Sizer sizer;
    describe(sizer);
    return sizer.size();
}

// A whole packet: `body` describes what follows the fixed header.
template <typename Describe>
void write_packet(Writer& out, PacketType type, std::uint8_t flags, const Describe& body) {
    out.fixed_header(type, flags, size_of(body));
    body(out);
}

// A property section with its length.
template <typename To, typename Describe>
void put_section(To& to, const Describe& properties) {
    to.variable_int(size_of(properties));
    properties(to);
}

// Single properties; an absent one puts nothing.
template <typename To>
void put_id(To& to, PropertyId id) {
    to.u8(static_cast<std::uint8_t>(id));
}
template <typename To>
void put(To& to, PropertyId id, const std::optional<bool>& value) {
    if (!value) return;
    put_id(to, id);
    to.u8(*value ? 1 : 0);
}
template <typename To>
void put(To& to, PropertyId id, const std::optional<std::uint8_t>& value) {
    if (!value) return;
    put_id(to, id);
    to.u8(*value);
}
template <typename To>
void put(To& to, PropertyId id, const std::optional<std::uint16_t>& value) {
    if (!value) return;
    put_id(to, id);
    to.u16(*value);
}
template <typename To>
void put(To& to, PropertyId id, const std::optional<std::uint32_t>& value) {
    if (!value) return;
    put_id(to, id);
    to.u32(*value);
}
template <typename To>
void put(To& to, PropertyId id, const std::optional<std::string_view>& value) {
    if (!value) return;
    put_id(to, id);
    to.text(*value);
}
template <typename To>
void put(To& to, PropertyId id, const std::optional<Bytes>& value) {
    if (!value) return;
    put_id(to, id);
    to.binary(*value);
}
inline void put(Sizer& to, const UserProperties& user) {
    to.count(user.encoded_size());
}
inline void put(Writer& to, const UserProperties& user) {
    user.write(to);
}

// What a will and a PUBLISH forward.
template <typename To>
void put_forwarded(To& to, const MessageProperties& message) {
    put(to, PropertyId::payload_format_indicator, message.payload_format);
    if (message.has_content_type) {
        put_id(to, PropertyId::content_type);
        to.text(message.content_type);
    }
    if (message.has_response_topic) {
        put_id(to, PropertyId::response_topic);
        to.text(message.response_topic);
    }
    if (message.has_correlation_data) {
        put_id(to, PropertyId::correlation_data);
        to.binary(message.correlation_data);
    }
    put(to, message.user);
}

}  // namespace mqtt
