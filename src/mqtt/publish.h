// PUBLISH, section 3.3.
#pragma once

#include <string_view>
#include <vector>

#include "mqtt/properties.h"

namespace mqtt {

struct Publish {
    Qos qos{};
    bool retain = false;
    bool dup = false;
    PacketId id = 0;         // 0 with QoS 0.
    std::string_view topic;  // Empty only with a topic alias (5.0).
    Bytes payload;

    // MQTT 5.0 only.
    std::uint16_t topic_alias = 0;  // 0 = none.
    MessageProperties properties;
    Bytes subscription_ids;  // Still encoded as properties; only a server sends them.
};

// Views live as long as `body`; allocates nothing. Fails with malformed_packet, protocol_error,
// topic_name_invalid, topic_alias_invalid. A subscription identifier from a client is a protocol
// error [MQTT-3.3.4-6]: set `from_server` to accept it.
Result<Publish> decode_publish(std::uint8_t flags, Bytes body, Version version,
                               bool from_server = false);
void encode(Writer& out, const Publish& packet, Version version);

// The property section of a PUBLISH by itself, as others keep it in files: length and properties,
// and nothing after them. Sets properties, subscription_ids and topic_alias; views of `section`.
Result<Publish> decode_publish_properties(Bytes section);

// The subscription identifiers of a received PUBLISH, in order.
std::vector<std::uint32_t> subscription_ids(const Publish& packet);

}  // namespace mqtt
