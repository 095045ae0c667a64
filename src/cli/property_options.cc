// -D COMMAND IDENTIFIER VALUE: MQTT 5 properties from the command line.
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/parse_options.h"
#include "mqtt/properties.h"
#include "mqtt/utf8.h"

namespace cli {
namespace {

using mqtt::PropertyId;

enum class Type : std::uint8_t { byte, two_bytes, four_bytes, variable, binary, text, text_pair };

// The commands a property may go with; values are added.
enum Command : unsigned {
    connect = 1,
    publish = 2,
    subscribe = 4,
    unsubscribe = 8,
    disconnect = 16,
    will = 32,
    other = 64,  // Commands that exist, but that no tool sends with properties.
};

struct CommandRow {
    std::string_view name;
    Command command;
    std::string_view in_errors;
};
constexpr CommandRow commands[] = {
    {"connect", connect, "CONNECT"},
    {"publish", publish, "PUBLISH"},
    {"subscribe", subscribe, "SUBSCRIBE"},
    {"unsubscribe", unsubscribe, "UNSUBSCRIBE"},
    {"disconnect", disconnect, "DISCONNECT"},
    {"will", will, "Will"},
    {"connack", other, ""},
    {"puback", other, ""},
    {"pubrec", other, ""},
    {"pubrel", other, ""},
    {"pubcomp", other, ""},
    {"suback", other, ""},
    {"unsuback", other, ""},
    {"auth", other, ""},
};

struct PropertyRow {
    std::string_view name;
    PropertyId id;
    Type type;
    unsigned commands;
};
constexpr PropertyRow properties[] = {
    {"payload-format-indicator", PropertyId::payload_format_indicator, Type::byte, publish | will},
    {"message-expiry-interval", PropertyId::message_expiry_interval, Type::four_bytes,
     publish | will},
    {"content-type", PropertyId::content_type, Type::text, publish | will},
    {"response-topic", PropertyId::response_topic, Type::text, publish | will},
    {"correlation-data", PropertyId::correlation_data, Type::binary, publish | will},
    {"subscription-identifier", PropertyId::subscription_identifier, Type::variable,
     publish | subscribe},
    {"session-expiry-interval", PropertyId::session_expiry_interval, Type::four_bytes,
     connect | disconnect | other},
    {"assigned-client-identifier", PropertyId::assigned_client_identifier, Type::text, other},
    {"server-keep-alive", PropertyId::server_keep_alive, Type::two_bytes, other},
    {"authentication-method", PropertyId::authentication_method, Type::text, connect | other},
    {"authentication-data", PropertyId::authentication_data, Type::binary, connect | other},
    {"request-problem-information", PropertyId::request_problem_information, Type::byte, connect},
    {"will-delay-interval", PropertyId::will_delay_interval, Type::four_bytes, will},
    {"request-response-information", PropertyId::request_response_information, Type::byte, connect},
    {"response-information", PropertyId::response_information, Type::text, other},
    {"server-reference", PropertyId::server_reference, Type::text, other},
    {"reason-string", PropertyId::reason_string, Type::text, disconnect | other},
    {"receive-maximum", PropertyId::receive_maximum, Type::two_bytes, connect | other},
    {"topic-alias-maximum", PropertyId::topic_alias_maximum, Type::two_bytes, connect | other},
    {"topic-alias", PropertyId::topic_alias, Type::two_bytes, publish},
    {"maximum-qos", PropertyId::maximum_qos, Type::byte, other},
    {"retain-available", PropertyId::retain_available, Type::byte, other},
    {"user-property", PropertyId::user_property, Type::text_pair,
     connect | publish | subscribe | unsubscribe | disconnect | will | other},
    {"maximum-packet-size", PropertyId::maximum_packet_size, Type::four_bytes, connect | other},
    {"wildcard-subscription-available", PropertyId::wildcard_subscription_available, Type::byte,
     other},
    {"subscription-identifier-available", PropertyId::subscription_identifier_available, Type::byte,
     other},
    {"shared-subscription-available", PropertyId::shared_subscription_available, Type::byte, other},
};

// One -D, taken apart.
struct Property {
    const CommandRow* command = nullptr;
    const PropertyRow* row = nullptr;
    std::string key;
    std::string value;
    std::uint32_t number = 0;
};

std::string range_error(long long value, const Property& property) {
    return "Error: Property value (" + std::to_string(value) + ") out of range for property " +
           std::string(property.row->name) + ".\n\n";
}

std::string read_number(Property& property) {
    const Type type = property.row->type;
    char* end = nullptr;
    errno = 0;
    const bool wide = type == Type::four_bytes || type == Type::variable;
    const long long value = std::strtoll(property.value.c_str(), &end, wide ? 0 : 10);
    if (end == property.value.c_str() || *end != '\0') {
        return "Error: Property value '" + property.value + "' not a number.\n\n";
    }
    const long long max = type == Type::byte ? 0xFF : type == Type::two_bytes ? 0xFFFF : 0xFFFFFFFF;
    if (errno != 0 || value < 0 || value > max) return range_error(value, property);
    property.number = static_cast<std::uint32_t>(value);
    return {};
}

std::string check_text(const Property& property) {
    constexpr std::size_t size_max = 65'535;
    const std::string name(property.row->name);
    if (property.value.size() > size_max || property.key.size() > size_max) {
        return "Error: Property value too long for property " + name + ".\n\n";
    }
    if (property.row->type == Type::binary) return {};
    if (mqtt::is_valid_utf8(property.value) && mqtt::is_valid_utf8(property.key)) return {};
    return "Error adding property " + name + " " +
           std::to_string(static_cast<int>(property.row->type) + 1) + "\n";
}

// Values that the protocol does not allow; the error waits for the rest of the command line.
bool is_protocol_error(const Property& property) {
    switch (property.row->id) {
        case PropertyId::payload_format_indicator:
        case PropertyId::request_problem_information:
        case PropertyId::request_response_information:
            return property.number > 1;
        case PropertyId::receive_maximum:
        case PropertyId::topic_alias:
        case PropertyId::maximum_packet_size:
            return property.number == 0;
        case PropertyId::subscription_identifier:
            return property.number == 0 || property.number > mqtt::remaining_length_max;
        default:
            return false;
    }
}

// Each of these stores one property and is false if it was there already.
template <typename T, typename Value>
bool put(std::optional<T>& into, Value&& value) {
    if (into) return false;
    into = std::forward<Value>(value);
    return true;
}
// For what has a default that is not sent: `none` stands for "not given".
template <typename T>
bool put_over(T& into, std::uint32_t value, T none) {
    if (into != none) return false;
    into = static_cast<T>(value);
    return true;
}

bool set_message_property(client::MessageProperties& out, const Property& in) {
    switch (in.row->id) {
        case PropertyId::payload_format_indicator:
            return put(out.payload_format, static_cast<std::uint8_t>(in.number));
        case PropertyId::message_expiry_interval:
            return put(out.message_expiry_s, in.number);
        case PropertyId::content_type:
            return put(out.content_type, in.value);
        case PropertyId::response_topic:
            return put(out.response_topic, in.value);
        case PropertyId::correlation_data:
            return put(out.correlation_data, in.value);
        default:
            out.user.add(in.key, in.value);
            return true;
    }
}

bool set_connect_property(client::Options& out, const Property& in) {
    const client::Options defaults;
    switch (in.row->id) {
        case PropertyId::session_expiry_interval:
            return put_over(out.session_expiry_s, in.number, std::uint32_t{0});
        case PropertyId::authentication_method:
            return put(out.authentication_method, in.value);
        case PropertyId::authentication_data:
            if (!out.authentication_data.empty()) return false;
            out.authentication_data = in.value;
            return true;
        case PropertyId::request_problem_information:
            return put_over(out.request_problem_information, in.number, true);
        case PropertyId::request_response_information:
            return put_over(out.request_response_information, in.number, false);
        case PropertyId::receive_maximum:
            return put_over(out.receive_maximum, in.number, defaults.receive_maximum);
        case PropertyId::topic_alias_maximum:
            return put_over(out.topic_alias_maximum, in.number, std::uint16_t{0});
        case PropertyId::maximum_packet_size:
            return put(out.maximum_packet_size, in.number);
        default:
            out.user.add(in.key, in.value);
            return true;
    }
}

bool set_disconnect_property(DisconnectProperties& out, const Property& in) {
    switch (in.row->id) {
        case PropertyId::session_expiry_interval:
            return put(out.session_expiry_s, in.number);
        case PropertyId::reason_string:
            return put(out.reason_string, in.value);
        default:
            out.user.add(in.key, in.value);
            return true;
    }
}

bool set_property(ToolOptions& out, const Property& in) {
    switch (in.command->command) {
        case connect:
            return set_connect_property(out.connection, in);
        case publish:
            if (in.row->id != PropertyId::topic_alias) {
                return set_message_property(out.publish.properties, in);
            }
            out.has_topic_alias = true;
            return put_over(out.publish.topic_alias, in.number, std::uint16_t{0});
        case subscribe:
            if (in.row->id == PropertyId::subscription_identifier) {
                return put_over(out.subscription_id, in.number, std::uint32_t{0});
            }
            out.subscribe_user.add(in.key, in.value);
            return true;
        case unsubscribe:
            out.unsubscribe_user.add(in.key, in.value);
            return true;
        case disconnect:
            return set_disconnect_property(out.disconnect, in);
        default:
            if (in.row->id == PropertyId::will_delay_interval) {
                return put_over(out.will_delay_s, in.number, std::uint32_t{0});
            }
            return set_message_property(out.will_properties, in);
    }
}

template <typename Row, std::size_t size>
const Row* find_named(const Row (&rows)[size], std::string_view name) {
    const auto same = [name](const Row& row) { return row.name == name; };
    const Row* const found = std::find_if(std::begin(rows), std::end(rows), same);
    return found == std::end(rows) ? nullptr : found;
}

std::string not_for(const Property& property, std::string_view how) {
    return "Error: " + std::string(property.row->name) + " property not " + std::string(how) +
           " for " + std::string(property.command->name) + " in --property argument.\n\n";
}

}  // namespace

std::string parse_property(ToolOptions& options, std::span<const std::string> arguments,
                           std::size_t& used) {
    const char* const too_few =
        "Error: --property argument given but not enough arguments specified.\n\n";
    if (arguments.size() < 3) return too_few;
    Property property;
    property.command = find_named(commands, arguments[0]);
    if (!property.command) return "Error: Invalid command given in --property argument.\n\n";
    property.row = find_named(properties, arguments[1]);
    if (!property.row) return "Error: Invalid property name given in --property argument.\n\n";
    if ((property.row->commands & property.command->command) == 0) {
        return not_for(property, "allowed");
    }
    const bool is_pair = property.row->type == Type::text_pair;
    used = is_pair ? 4 : 3;
    if (arguments.size() < used) return too_few;
    if (is_pair) property.key = arguments[2];
    property.value = arguments[used - 1];
    const bool from_server_only = property.command->command == publish &&
                                  property.row->id == PropertyId::subscription_identifier;
    if (property.command->command == other || from_server_only) {
        return not_for(property, "supported");
    }
    std::string error =
        property.row->type <= Type::variable ? read_number(property) : check_text(property);
    if (!error.empty()) return error;

    const bool wrong = is_protocol_error(property);
    const bool is_new = set_property(options, property);
    if ((wrong || !is_new) && options.property_error.empty()) {
        options.property_error =
            "Error in " + std::string(property.command->in_errors) + " properties: " +
            (wrong ? "A network protocol error occurred when communicating with the broker."
                   : "Duplicate property in property list") +
            "\n";
    }
    return {};
}

}  // namespace cli
