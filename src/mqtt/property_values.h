// One packet's property section, read and checked as a whole, then asked value by value.
//
//     section := length: variable byte integer, property*
//     property := id: variable byte integer (all known ones fit one byte), value by the id's type
//
// Only where each value starts is kept, so reading allocates nothing and a value is decoded when it
// is asked for. Lives no longer than the bytes it was read from. Only this room's .cc files include
// it.
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "mqtt/properties.h"

namespace mqtt {

// A set of property ids, a bit each.
class PropertySet {
public:
    constexpr PropertySet() = default;
    constexpr PropertySet(std::initializer_list<PropertyId> ids) {
        for (const PropertyId id : ids) bits_ |= bit(id);
    }
    constexpr bool has(PropertyId id) const { return (bits_ & bit(id)) != 0; }
    constexpr void add(PropertyId id) { bits_ |= bit(id); }

private:
    static constexpr std::uint64_t bit(PropertyId id) {
        return std::uint64_t{1} << static_cast<unsigned>(id);
    }
    std::uint64_t bits_ = 0;
};

inline constexpr unsigned property_id_max =
    static_cast<unsigned>(PropertyId::shared_subscription_available);

class PropertyValues {
public:
    // Takes the section off the front of `in`; success if all of it is well-formed, is in `allowed`
    // (malformed_packet otherwise, section 2.2.2.2), has an allowed value, and appears once
    // (protocol_error), unless it is a user property or is in `repeatable`.
    ReasonCode read(Reader& in, PropertySet allowed, PropertySet repeatable = {});

    bool has(PropertyId id) const { return seen_.has(id); }
    // Any of the three integer types and the variable byte integer, as the width its id has.
    template <typename Integer>
    std::optional<Integer> number(PropertyId id) const {
        if (!has(id)) return std::nullopt;
        return static_cast<Integer>(number_at(id));
    }
    std::optional<bool> boolean(PropertyId id) const {
        if (!has(id)) return std::nullopt;
        return number_at(id) != 0;
    }
    std::optional<std::string_view> text(PropertyId id) const {
        if (!has(id)) return std::nullopt;
        return base::as_text(value_at(id));
    }
    std::optional<Bytes> binary(PropertyId id) const {
        if (!has(id)) return std::nullopt;
        return value_at(id);
    }
    // From the first to the last one of a property that may repeat, others between them included.
    UserProperties user() const { return UserProperties(span_of(user_)); }
    Bytes subscription_ids() const { return span_of(subscription_ids_); }
    MessageProperties message() const;

private:
    struct Range {
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };
    void note(PropertyId id, Range whole);
    std::uint32_t number_at(PropertyId id) const;
    Bytes value_at(PropertyId id) const;
    Bytes span_of(Range range) const {
        return section_.subspan(range.begin, range.end - range.begin);
    }

    Bytes section_;
    PropertySet seen_;
    std::array<std::uint32_t, property_id_max + 1> starts_{};  // Of the value, after the id.
    Range user_;
    Range subscription_ids_;
};

// What MessageProperties holds.
inline constexpr std::initializer_list<PropertyId> message_property_ids = {
    PropertyId::payload_format_indicator,
    PropertyId::message_expiry_interval,
    PropertyId::content_type,
    PropertyId::response_topic,
    PropertyId::correlation_data,
    PropertyId::user_property};

}  // namespace mqtt
