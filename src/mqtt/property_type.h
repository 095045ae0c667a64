// The wire type of each property, table 2-4 of section 2.2.2.2. Only this room's .cc files include
// it.
#pragma once

#include "mqtt/properties.h"

namespace mqtt {

enum class PropertyType : std::uint8_t {
    byte,
    two_bytes,
    four_bytes,
    variable,
    binary,
    text,
    text_pair
};

constexpr PropertyType type_of(PropertyId id) {
    switch (id) {
        case PropertyId::payload_format_indicator:
        case PropertyId::request_problem_information:
        case PropertyId::request_response_information:
        case PropertyId::maximum_qos:
        case PropertyId::retain_available:
        case PropertyId::wildcard_subscription_available:
        case PropertyId::subscription_identifier_available:
        case PropertyId::shared_subscription_available:
            return PropertyType::byte;
        case PropertyId::server_keep_alive:
        case PropertyId::receive_maximum:
        case PropertyId::topic_alias_maximum:
        case PropertyId::topic_alias:
            return PropertyType::two_bytes;
        case PropertyId::message_expiry_interval:
        case PropertyId::session_expiry_interval:
        case PropertyId::will_delay_interval:
        case PropertyId::maximum_packet_size:
            return PropertyType::four_bytes;
        case PropertyId::subscription_identifier:
            return PropertyType::variable;
        case PropertyId::correlation_data:
        case PropertyId::authentication_data:
            return PropertyType::binary;
        case PropertyId::content_type:
        case PropertyId::response_topic:
        case PropertyId::assigned_client_identifier:
        case PropertyId::authentication_method:
        case PropertyId::response_information:
        case PropertyId::server_reference:
        case PropertyId::reason_string:
            return PropertyType::text;
        case PropertyId::user_property:
            return PropertyType::text_pair;
    }
    return PropertyType::byte;  // No such id: who asks has looked it up in a set of known ones.
}

constexpr bool is_number(PropertyType type) {
    return type <= PropertyType::variable;
}

inline std::uint32_t take_number(Reader& in, PropertyType type) {
    switch (type) {
        case PropertyType::byte:
            return in.u8();
        case PropertyType::two_bytes:
            return in.u16();
        case PropertyType::four_bytes:
            return in.u32();
        default:
            return in.variable_int();
    }
}

// Passes a value that is already checked.
inline void skip_property_value(Reader& in, PropertyId id) {
    const PropertyType type = type_of(id);
    if (is_number(type)) {
        take_number(in, type);
        return;
    }
    in.binary();
    if (type == PropertyType::text_pair) in.binary();
}

}  // namespace mqtt
