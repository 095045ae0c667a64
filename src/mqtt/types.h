// The words every packet shares. Names are the specification's.
#pragma once

#include <cstdint>

namespace mqtt {

// The protocol level byte of CONNECT.
enum class Version : std::uint8_t { v3_1 = 3, v3_1_1 = 4, v5 = 5 };

enum class PacketType : std::uint8_t {
    connect = 1,
    connack,
    publish,
    puback,
    pubrec,
    pubrel,
    pubcomp,
    subscribe,
    suback,
    unsubscribe,
    unsuback,
    pingreq,
    pingresp,
    disconnect,
    auth,
};

enum class Qos : std::uint8_t { at_most_once, at_least_once, exactly_once };

// Never 0 on the wire; 0 means "none" (a QoS 0 PUBLISH) [MQTT-2.2.1-2].
using PacketId = std::uint16_t;

inline constexpr std::uint32_t remaining_length_max = 268'435'455;
inline constexpr std::uint32_t session_never_expires = 0xFFFFFFFF;

}  // namespace mqtt
