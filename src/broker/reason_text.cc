#include "broker/reason_text.h"

#include <fmt/format.h>

#include <array>

#include "mqtt/utf8.h"

namespace broker {
namespace {

constexpr std::size_t quoted_max = 100;

// Not in the middle of a character: a Reason String is UTF-8. `text` is.
std::string_view beginning_of(std::string_view text) {
    std::size_t size = 0;
    while (size < quoted_max) {
        const std::size_t next = mqtt::leading_character_size(text.substr(size));
        if (next == 0) break;
        size += next;
    }
    return text.substr(0, size);
}

}  // namespace

std::string_view name_of(mqtt::PacketType type) {
    static constexpr std::array<std::string_view, 16> names{
        "?",       "CONNECT",  "CONNACK",    "PUBLISH", "PUBACK",      "PUBREC",
        "PUBREL",  "PUBCOMP",  "SUBSCRIBE",  "SUBACK",  "UNSUBSCRIBE", "UNSUBACK",
        "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};
    return names[static_cast<std::size_t>(type) % names.size()];
}

std::string quoted(std::string_view text) {
    if (text.size() <= quoted_max) return fmt::format("'{}'", text);
    return fmt::format("'{}...'", beginning_of(text));
}

std::string broken(mqtt::PacketType type) {
    // The specification has a section for each packet, in the order of their types.
    return fmt::format("{} breaks a rule of section 3.{}", name_of(type), static_cast<int>(type));
}

}  // namespace broker
