#include "mqtt/property_values.h"

#include "mqtt/property_type.h"
#include "mqtt/topic.h"

namespace mqtt {

namespace {

// The values that section 2.2.2.2's types allow and the property's own section does not.
ReasonCode judge_number(PropertyId id, std::uint32_t value) {
    switch (id) {
        case PropertyId::payload_format_indicator:
        case PropertyId::request_problem_information:
        case PropertyId::request_response_information:
        case PropertyId::maximum_qos:
        case PropertyId::retain_available:
        case PropertyId::wildcard_subscription_available:
        case PropertyId::subscription_identifier_available:
        case PropertyId::shared_subscription_available:
            return value <= 1 ? ReasonCode::success : ReasonCode::protocol_error;
        case PropertyId::subscription_identifier:
        case PropertyId::receive_maximum:
        case PropertyId::maximum_packet_size:
            return value != 0 ? ReasonCode::success : ReasonCode::protocol_error;
        case PropertyId::topic_alias:  // [MQTT-3.3.2-8]
            return value != 0 ? ReasonCode::success : ReasonCode::topic_alias_invalid;
        default:
            return ReasonCode::success;
    }
}

// Takes one value of the id's type off `in` and judges it.
ReasonCode take_value(Reader& in, PropertyId id) {
    const PropertyType type = type_of(id);
    if (is_number(type)) return judge_number(id, take_number(in, type));
    if (type == PropertyType::binary) {
        in.binary();
        return ReasonCode::success;
    }
    const std::string_view text = in.text();
    if (type == PropertyType::text_pair) in.text();
    // [MQTT-3.3.2-14]; an empty one is no topic name at all [MQTT-4.7.3-1].
    if (id == PropertyId::response_topic && !in.failed() && !is_valid_topic_name(text)) {
        return ReasonCode::protocol_error;
    }
    return ReasonCode::success;
}

}  // namespace

ReasonCode PropertyValues::read(Reader& in, PropertySet allowed, PropertySet repeatable) {
    section_ = in.take(in.variable_int());
    if (in.failed()) return ReasonCode::malformed_packet;

    repeatable.add(PropertyId::user_property);
    Reader rest(section_);
    const auto position = [&] { return static_cast<std::uint32_t>(section_.size() - rest.left()); };
    while (rest.left() > 0) {
        const std::uint32_t begin = position();
        const std::uint32_t number = rest.variable_int();
        const auto id = static_cast<PropertyId>(number);
        if (rest.failed() || number > property_id_max || !allowed.has(id)) {
            return ReasonCode::malformed_packet;
        }
        const ReasonCode verdict = take_value(rest, id);
        if (rest.failed()) return ReasonCode::malformed_packet;
        if (verdict != ReasonCode::success) return verdict;
        if (has(id) && !repeatable.has(id)) return ReasonCode::protocol_error;
        note(id, {begin, position()});
    }
    return ReasonCode::success;
}

void PropertyValues::note(PropertyId id, Range whole) {
    const bool is_first = !has(id);
    seen_.add(id);
    starts_[static_cast<unsigned>(id)] = whole.begin + 1;
    if (id != PropertyId::user_property && id != PropertyId::subscription_identifier) return;
    Range& range = id == PropertyId::user_property ? user_ : subscription_ids_;
    if (is_first) range.begin = whole.begin;
    range.end = whole.end;
}

std::uint32_t PropertyValues::number_at(PropertyId id) const {
    Reader value(section_.subspan(starts_[static_cast<unsigned>(id)]));
    return take_number(value, type_of(id));
}

Bytes PropertyValues::value_at(PropertyId id) const {
    return Reader(section_.subspan(starts_[static_cast<unsigned>(id)])).binary();
}

MessageProperties PropertyValues::message() const {
    MessageProperties message;
    message.payload_format = number<std::uint8_t>(PropertyId::payload_format_indicator);
    message.message_expiry_s = number<std::uint32_t>(PropertyId::message_expiry_interval);
    message.has_content_type = has(PropertyId::content_type);
    message.content_type = text(PropertyId::content_type).value_or(std::string_view{});
    message.has_response_topic = has(PropertyId::response_topic);
    message.response_topic = text(PropertyId::response_topic).value_or(std::string_view{});
    message.has_correlation_data = has(PropertyId::correlation_data);
    message.correlation_data = binary(PropertyId::correlation_data).value_or(Bytes{});
    message.user = user();
    return message;
}

}  // namespace mqtt
