#include "broker/publish_encoder.h"

#include <cstring>

#include "mqtt/properties.h"
#include "mqtt/writer.h"

namespace broker {
namespace {

// Writes forward through memory that is known to be large enough.
class Cursor {
public:
    explicit Cursor(std::uint8_t* at) : at_(at) {}
    void u8(std::uint8_t value) { *at_++ = value; }
    void u16(std::uint16_t value) {
        u8(static_cast<std::uint8_t>(value >> 8));
        u8(static_cast<std::uint8_t>(value));
    }
    void u32(std::uint32_t value) {
        u16(static_cast<std::uint16_t>(value >> 16));
        u16(static_cast<std::uint16_t>(value));
    }
    void variable_int(std::uint32_t value) {
        while (value > 127) {
            u8(static_cast<std::uint8_t>(value | 128));
            value >>= 7;
        }
        u8(static_cast<std::uint8_t>(value));
    }
    void raw(Bytes bytes) {
        if (bytes.empty()) return;
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
    }
    std::uint8_t* at() const { return at_; }

private:
    std::uint8_t* at_;
};

constexpr std::size_t expiry_property_size = 5;
constexpr std::size_t alias_property_size = 3;

std::string_view written_topic(const OutgoingPublish& packet) {
    return packet.alias.is_known ? std::string_view() : packet.topic;
}

std::size_t properties_size(const OutgoingPublish& packet) {
    std::size_t size = packet.properties.size();
    if (packet.alias.number != 0) size += alias_property_size;
    if (packet.expiry_left_s) size += expiry_property_size;
    if (packet.ids) {
        packet.ids->for_each([&](std::uint32_t id) { size += 1 + mqtt::variable_int_size(id); });
    }
    return size;
}

std::size_t remaining_length(const OutgoingPublish& packet, std::size_t properties) {
    std::size_t size = 2 + written_topic(packet).size() + packet.payload.size();
    if (packet.qos != mqtt::Qos::at_most_once) size += 2;
    if (packet.version == mqtt::Version::v5) {
        size += mqtt::variable_int_size(static_cast<std::uint32_t>(properties)) + properties;
    }
    return size;
}

// Returns where the topic alias went, or null.
const std::uint8_t* write_properties(Cursor& out, const OutgoingPublish& packet, std::size_t size) {
    const std::uint8_t* alias_at = nullptr;
    out.variable_int(static_cast<std::uint32_t>(size));
    if (packet.alias.number != 0) {
        out.u8(static_cast<std::uint8_t>(mqtt::PropertyId::topic_alias));
        alias_at = out.at();
        out.u16(packet.alias.number);
    }
    if (packet.expiry_left_s) {
        out.u8(static_cast<std::uint8_t>(mqtt::PropertyId::message_expiry_interval));
        out.u32(*packet.expiry_left_s);
    }
    out.raw(packet.properties);
    if (!packet.ids) return alias_at;
    packet.ids->for_each([&](std::uint32_t id) {
        out.u8(static_cast<std::uint8_t>(mqtt::PropertyId::subscription_identifier));
        out.variable_int(id);
    });
    return alias_at;
}

void put_u16(std::uint8_t* at, std::uint16_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}

std::uint8_t first_byte(const OutgoingPublish& packet) {
    return static_cast<std::uint8_t>(
        static_cast<unsigned>(mqtt::PacketType::publish) << 4 | (packet.dup ? 8U : 0U) |
        static_cast<unsigned>(packet.qos) << 1 | (packet.retain ? 1U : 0U));
}

}  // namespace

std::size_t encoded_size(const OutgoingPublish& packet) {
    const bool v5 = packet.version == mqtt::Version::v5;
    const std::size_t body = remaining_length(packet, v5 ? properties_size(packet) : 0);
    return 1 + mqtt::variable_int_size(static_cast<std::uint32_t>(body)) + body;
}

EncodedPublish encode(base::OutputQueue& out, const OutgoingPublish& packet) {
    const bool v5 = packet.version == mqtt::Version::v5;
    const std::size_t properties = v5 ? properties_size(packet) : 0;
    const auto body = static_cast<std::uint32_t>(remaining_length(packet, properties));
    const std::size_t size = 1 + mqtt::variable_int_size(body) + body;
    const std::size_t copied = packet.shared_payload ? size - packet.payload.size() : size;

    std::uint8_t* const start = out.extend(copied);
    Cursor cursor(start);
    cursor.u8(first_byte(packet));
    cursor.variable_int(body);
    const std::string_view topic = written_topic(packet);
    cursor.u16(static_cast<std::uint16_t>(topic.size()));
    cursor.raw(base::as_bytes(topic));
    EncodedPublish encoded{start, static_cast<std::uint32_t>(size)};
    if (packet.qos != mqtt::Qos::at_most_once) {
        encoded.id_offset = static_cast<std::uint32_t>(cursor.at() - start);
        cursor.u16(packet.id);
    }
    const std::uint8_t* const alias_at =
        v5 ? write_properties(cursor, packet, properties) : nullptr;
    if (alias_at) encoded.alias_offset = static_cast<std::uint32_t>(alias_at - start);
    if (!packet.shared_payload) {
        cursor.raw(packet.payload);
        return encoded;
    }
    packet.shared_payload->add_ref();
    out.append_shared({packet.payload, packet.shared_payload, [](const void* message) {
                           static_cast<const Message*>(message)->release();
                       }});
    encoded.bytes = nullptr;
    return encoded;
}

void append_copy(base::OutputQueue& out, const EncodedPublish& encoded, mqtt::PacketId id,
                 std::uint16_t alias) {
    std::uint8_t* const start = out.extend(encoded.size);
    std::memcpy(start, encoded.bytes, encoded.size);
    if (encoded.id_offset != 0) put_u16(start + encoded.id_offset, id);
    if (encoded.alias_offset != 0) put_u16(start + encoded.alias_offset, alias);
}

}  // namespace broker
