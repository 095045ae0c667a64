// Sentences for people, which a reason code is not: what a Reason String and the log say about one
// packet. Made only when something is refused. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "mqtt/types.h"

namespace broker {

// Why nobody else publishes below $SYS.
inline constexpr std::string_view of_the_broker = "$SYS is the broker's own";

// "PUBACK".
std::string_view name_of(mqtt::PacketType type);
// The topic, filter or client id in quotes; of a long one the beginning.
std::string quoted(std::string_view text);
// Of a packet that does not decode: which one, and where its rules are.
std::string broken(mqtt::PacketType type);

}  // namespace broker
