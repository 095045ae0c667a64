// Writes the PUBLISH packets that subscribers get, straight into their output queues.
//
// mqtt::encode() serves every packet; this one serves the one that a broker sends a million times a
// second: its size is known before the first byte, nothing is allocated, and a message for many
// subscribers is encoded once and copied from then on.
#pragma once

#include <cstdint>
#include <optional>

#include "base/output_queue.h"
#include "broker/publication.h"
#include "broker/subscription_ids.h"
#include "mqtt/types.h"

namespace broker {

// The number that the client knows the topic by, or learns it by with this packet.
struct Alias {
    std::uint16_t number = 0;  // 0 = none.
    bool is_known = false;     // The topic itself is left out.
};

struct OutgoingPublish {
    std::string_view topic;
    Alias alias;  // v5 only.
    Bytes payload;
    Bytes properties;                            // As Publication's; v5 only.
    std::optional<std::uint32_t> expiry_left_s;  // v5 only.
    const SubscriptionIds* ids = nullptr;        // v5 only; may be null.
    mqtt::PacketId id = 0;
    mqtt::Qos qos{};
    bool retain = false;
    bool dup = false;
    mqtt::Version version = mqtt::Version::v3_1_1;
    // Set to have a large payload referenced instead of copied.
    const Message* shared_payload = nullptr;
};

// Where a packet landed, so that the same packet for the next subscriber is one copy.
struct EncodedPublish {
    const std::uint8_t* bytes =
        nullptr;                     // The part that was copied; null if the payload is shared.
    std::uint32_t size = 0;          // Of the whole packet, shared payload included.
    std::uint32_t id_offset = 0;     // Of the packet identifier; 0 with QoS 0.
    std::uint32_t alias_offset = 0;  // Of the topic alias; 0 without.
};

// What the previous subscriber was sent, for the next one.
struct EncodingCache {
    std::uint32_t key = 0;  // 0 = empty.
    EncodedPublish encoded;
};

// Size of the whole packet on the wire.
std::size_t encoded_size(const OutgoingPublish& packet);
EncodedPublish encode(base::OutputQueue& out, const OutgoingPublish& packet);
// Appends a packet that encode() made a moment ago (its bytes must still be queued), with an
// identifier and a topic alias of its own; the alias is known to the client if the copied one was.
void append_copy(base::OutputQueue& out, const EncodedPublish& encoded, mqtt::PacketId id,
                 std::uint16_t alias);

}  // namespace broker
