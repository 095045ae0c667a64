#include "cli/format.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "cli/parse_options.h"

namespace cli {
namespace {

constexpr std::string_view specifiers = "%ACDEFIPRSUXJdfjlmpqrtx";
// What may stand between the bytes of %x and %X.
constexpr std::string_view separators = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~ ";
// A field cannot be wider than this: the format is the user's, but memory is not endless.
constexpr std::size_t width_max = 1'000'000;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// One %-field, between '%' and its letter.
struct Field {
    bool left = false;
    char pad = ' ';
    std::size_t width = 0;
    std::optional<std::size_t> precision;
    char separator = '\0';
    char letter = '\0';
};

std::size_t take_number(std::string_view format, std::size_t& at) {
    std::size_t value = 0;
    for (; at < format.size() && is_digit(format[at]); ++at) {
        value = std::min(value * 10 + static_cast<std::size_t>(format[at] - '0'), width_max);
    }
    return value;
}

// Reads the field whose '%' is before `at`, and leaves `at` behind its letter.
Field take_field(std::string_view format, std::size_t& at) {
    Field field;
    if (at < format.size() && format[at] == '-') {
        field.left = true;
        ++at;
    }
    if (at < format.size() && format[at] == '0') {
        field.pad = '0';
        ++at;
    }
    field.width = take_number(format, at);
    if (at < format.size() && format[at] == '.') {
        ++at;
        field.precision = take_number(format, at);
    }
    if (at < format.size() && separators.find(format[at]) != std::string_view::npos) {
        field.separator = format[at++];
    }
    if (at < format.size()) field.letter = format[at++];
    return field;
}

void put_padded(std::string& out, std::string_view text, const Field& field, char pad) {
    const std::size_t missing = field.width > text.size() ? field.width - text.size() : 0;
    if (!field.left) out.append(missing, pad);
    out += text;
    if (field.left) out.append(missing, ' ');
}

void put_text(std::string& out, std::string_view text, const Field& field) {
    put_padded(out, text.substr(0, field.precision.value_or(text.size())), field, ' ');
}

void put_number(std::string& out, std::uint64_t value, const Field& field) {
    put_padded(out, std::to_string(value), field, field.pad);
}

void put_absent(std::string& out, const Field& field, char pad) {
    out.append(field.width, pad);
}

std::string to_hex(mqtt::Bytes bytes, bool upper, const Field& field) {
    const char* const digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    const std::size_t group = field.separator == '\0' ? 0 : field.precision.value_or(1);
    std::string hex;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (group != 0 && i != 0 && i % group == 0) hex += field.separator;
        hex += digits[bytes[i] >> 4];
        hex += digits[bytes[i] & 15];
    }
    return hex;
}

void put_payload(std::string& out, mqtt::Bytes payload, const Field& field) {
    if (field.width != 0) payload = payload.first(std::min(payload.size(), field.width));
    put_padded(out, base::as_text(payload), field, field.pad);
}

void put_hex(std::string& out, mqtt::Bytes payload, const Field& field) {
    // As in mosquitto_sub: a width cuts the payload to as many bytes, and then to half of them.
    if (field.width != 0) payload = payload.first(std::min(payload.size(), field.width) / 2);
    put_padded(out, to_hex(payload, field.letter == 'X', field), field, field.pad);
}

template <typename Real, typename Bits>
void put_real(std::string& out, mqtt::Bytes payload, const Field& field) {
    if (payload.size() != sizeof(Real)) return put_absent(out, field, ' ');
    Bits bits{};
    std::memcpy(&bits, payload.data(), sizeof bits);
    const double value = static_cast<double>(std::bit_cast<Real>(bits));
    char text[512];
    const int precision = static_cast<int>(std::min<std::size_t>(field.precision.value_or(6), 100));
    const int size = std::snprintf(text, sizeof text, "%.*f", precision, value);
    put_padded(out, {text, static_cast<std::size_t>(size)}, field, field.pad);
}

void put_user_properties(std::string& out, const mqtt::UserProperties& user) {
    bool first = true;
    user.for_each([&](const mqtt::UserProperties::Pair& pair) {
        if (!first) out += ' ';
        first = false;
        out.append(pair.key).append(":").append(pair.value);
    });
}

void put_time(std::string& out, const char* format, const WallTime& time, const Field& field) {
    char text[100];
    const std::size_t size = std::strftime(text, sizeof text, format, &time.local);
    put_text(out, {text, size}, field);
}

// The fields that MQTT 5 properties fill; false if the letter is none of them.
bool put_property(std::string& out, const Field& field, const mqtt::Publish& publish) {
    const mqtt::MessageProperties& properties = publish.properties;
    const auto number = [&](bool has, std::uint64_t value) {
        has ? put_number(out, value, field) : put_absent(out, field, field.pad);
        return true;
    };
    switch (field.letter) {
        case 'A':
            return number(publish.topic_alias != 0, publish.topic_alias);
        case 'C':
            put_text(out, properties.content_type, field);
            return true;
        case 'D':
            out += base::as_text(properties.correlation_data);
            return true;
        case 'E':
            return number(properties.message_expiry_s.has_value(),
                          properties.message_expiry_s.value_or(0));
        case 'F':
            return number(properties.payload_format.has_value(),
                          properties.payload_format.value_or(0));
        case 'P':
            put_user_properties(out, properties.user);
            return true;
        case 'R':
            if (properties.has_response_topic) put_text(out, properties.response_topic, field);
            return true;
        case 'S': {
            const std::vector<std::uint32_t> ids = subscription_ids(publish);
            return number(!ids.empty(), ids.empty() ? 0 : ids.front());
        }
        default:
            return false;
    }
}

struct Context {
    const client::Received& message;
    const WallTime& time;
    bool pretty;
};

std::optional<std::string> put_json(std::string& out, const Context& context,
                                    bool payload_is_json) {
    const std::optional<std::string> json =
        format_json(context.message, context.time, payload_is_json, context.pretty);
    if (json) {
        out += *json;
        return std::nullopt;
    }
    return "Error: Message payload is not valid JSON on topic " +
           std::string(context.message.publish.topic) + ".\n";
}

std::optional<std::string> put_field(std::string& out, const Field& field, const Context& context) {
    const mqtt::Publish& publish = context.message.publish;
    if (put_property(out, field, publish)) return std::nullopt;
    switch (field.letter) {
        case 'I':
            put_time(out, "%FT%T%z", context.time, field);
            break;
        case 'U': {
            char text[64];
            const int size = std::snprintf(text, sizeof text, "%lld.%09ld",
                                           static_cast<long long>(context.time.seconds),
                                           context.time.nanoseconds);
            out.append(text, static_cast<std::size_t>(size));
            break;
        }
        case 'j':
        case 'J':
            return put_json(out, context, field.letter == 'J');
        case 'd':
            put_real<double, std::uint64_t>(out, publish.payload, field);
            break;
        case 'f':
            put_real<float, std::uint32_t>(out, publish.payload, field);
            break;
        case 'l':
            put_number(out, publish.payload.size(), field);
            break;
        case 'm':
            put_number(out, publish.id, field);
            break;
        case 'p':
            put_payload(out, publish.payload, field);
            break;
        case 'q':
            out += static_cast<char>('0' + static_cast<int>(publish.qos));
            break;
        case 'r':
            out += publish.retain ? '1' : '0';
            break;
        case 't':
            put_text(out, publish.topic, field);
            break;
        case 'x':
        case 'X':
            put_hex(out, publish.payload, field);
            break;
        default:
            out += field.letter;  // "%%"; check_format() has refused all others.
    }
    return std::nullopt;
}

char unescaped(char c) {
    constexpr std::string_view from = "0aenrtv";
    constexpr char to[] = {'\0', '\a', '\033', '\n', '\r', '\t', '\v'};
    const std::size_t at = from.find(c);
    return at == std::string_view::npos ? c : to[at];
}

void put_clock(std::string& out, char letter, const WallTime& time) {
    char text[100];
    if (letter == '@') {
        out += '@';
    } else if (letter == 'N') {
        const int size = std::snprintf(text, sizeof text, "%09ld", time.nanoseconds);
        out.append(text, static_cast<std::size_t>(size));
    } else {
        const char format[] = {'%', letter, '\0'};
        out.append(text, std::strftime(text, sizeof text, format, &time.local));
    }
}

constexpr const char* incomplete = "Error: Incomplete format specifier.\n";

std::string check_field(const Field& field) {
    if (field.letter == '\0') return incomplete;
    if (specifiers.find(field.letter) != std::string_view::npos) return {};
    return std::string("Error: Invalid format specifier '") + field.letter + "'.\n";
}

// `rest` is what follows the backslash.
std::string check_escape(std::string_view rest) {
    if (rest.empty()) return "Error: Incomplete escape specifier.\n";
    if (std::string_view("\\0aenrtv").find(rest[0]) != std::string_view::npos) return {};
    return std::string("Error: Invalid escape specifier '") + rest[0] + "'.\n";
}

}  // namespace

WallTime WallTime::now() {
    std::timespec now{};
    std::timespec_get(&now, TIME_UTC);
    WallTime time;
    time.seconds = now.tv_sec;
    time.nanoseconds = now.tv_nsec;
    ::localtime_r(&now.tv_sec, &time.local);
    return time;
}

std::string check_format(std::string_view format) {
    for (std::size_t at = 0; at < format.size();) {
        const char c = format[at++];
        std::string error;
        if (c == '%') {
            error = check_field(take_field(format, at));
        } else if (c == '@') {
            if (at++ == format.size()) error = incomplete;
        } else if (c == '\\') {
            error = check_escape(format.substr(at++));
        }
        if (!error.empty()) return error;
    }
    return {};
}

std::optional<std::string> format_message(std::string& out, std::string_view format,
                                          const OutputOptions& options,
                                          const client::Received& message, const WallTime& time) {
    const Context context{message, time, options.pretty};
    std::optional<std::string> error;
    for (std::size_t at = 0; at < format.size();) {
        const char c = format[at++];
        if (c == '%') {
            std::optional<std::string> wrong = put_field(out, take_field(format, at), context);
            if (wrong) error = std::move(wrong);
        } else if (c == '@' && at < format.size()) {
            put_clock(out, format[at++], time);
        } else if (c == '\\' && at < format.size()) {
            out += unescaped(format[at++]);
        } else {
            out += c;
        }
    }
    if (options.end_of_line) out += '\n';
    return error;
}

std::optional<std::string> print_message(std::string& out, const OutputOptions& options,
                                         const client::Received& message, const WallTime& time) {
    if (options.format) return format_message(out, *options.format, options, message, time);
    const std::string_view payload = base::as_text(message.publish.payload);
    if (options.verbose) {
        // Without an end of line mosquitto_sub prints nothing for an empty message.
        if (payload.empty() && !options.end_of_line) return std::nullopt;
        out.append(message.publish.topic).append(" ").append(payload.empty() ? "(null)" : payload);
    } else {
        if (payload.empty()) return std::nullopt;
        out += payload;
    }
    if (options.end_of_line) out += '\n';
    return std::nullopt;
}

}  // namespace cli
