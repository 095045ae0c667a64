// What a Session has to say. Views in an event live until the next call of Session::next_event().
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "mqtt/ack.h"
#include "mqtt/connack.h"
#include "mqtt/disconnect.h"
#include "mqtt/publish.h"

namespace client {

// The server accepted the CONNECT. publish() and subscribe() may be called from now on.
struct Connected {
    mqtt::Connack connack;
};

// A message from the server, already acknowledged; one of QoS 2 comes once, when it is released.
struct Received {
    mqtt::Publish publish;           // With its topic, even if only an alias was sent.
    mqtt::Bytes properties_as_sent;  // 5.0: the property section without its length, in order.
};

// An outgoing message is finished: written (QoS 0), acknowledged, or refused by the server.
struct Published {
    mqtt::PacketId id = 0;
    mqtt::ReasonCode reason = mqtt::ReasonCode::success;
    std::string_view reason_string = {};
};

struct Subscribed {
    mqtt::PacketId id = 0;
    std::vector<mqtt::ReasonCode> reasons;  // One a filter.
};

struct Unsubscribed {
    mqtt::PacketId id = 0;
    std::vector<mqtt::ReasonCode> reasons;  // Empty below 5.0.
};

// The network connection is over, or has to be closed now: drain the output, then close. The
// session's messages stay, and open() starts again.
struct Disconnected {
    enum class Cause : std::uint8_t {
        by_us,           // disconnect() was called.
        by_server,       // A DISCONNECT (5.0); `reason` is its.
        refused,         // A CONNACK with an error; `connack` is it.
        lost,            // The transport ended.
        timed_out,       // No CONNACK, or no answer to a ping, in time.
        protocol_error,  // The server broke the protocol: `reason` says how.
    };
    Cause cause{};
    mqtt::ReasonCode reason = mqtt::ReasonCode::success;
    mqtt::Connack connack = {};
};

// A packet that was sent or received, for debug output.
struct Traced {
    bool sent = false;
    mqtt::PacketType type{};
    mqtt::PacketId id = 0;
    std::uint8_t reason = 0;  // The byte of an ack, a CONNACK or a DISCONNECT.
    bool dup = false;
    bool retain = false;
    mqtt::Qos qos{};           // Of PUBLISH and SUBSCRIBE.
    std::uint8_t options = 0;  // Of SUBSCRIBE, without the QoS.
    std::string topic = {};    // Of PUBLISH; or the filter, one event a filter.
    std::size_t payload_size = 0;
};

using Event =
    std::variant<Connected, Received, Published, Subscribed, Unsubscribed, Disconnected, Traced>;

}  // namespace client
