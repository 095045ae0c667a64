// A message while it is being routed: views of the publisher's packet, and what is made from them
// at most once, however many subscribers there are.
//
// Lives on the stack of one call; its views outlive it. A Message is only made when somebody has to
// keep one (a queue, another shard, a retained topic): a QoS 0 message to connected clients of one
// shard allocates nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "broker/message.h"
#include "broker/publisher.h"
#include "mqtt/types.h"

namespace broker {

using base::Bytes;

// Names the publisher across shards, for No Local: a hash of its client id, so that what is
// retained outlives its session and names no other. 0 = the broker itself.
using SourceId = std::uint64_t;

SourceId source_named(std::string_view client_id);

struct Publication {
    std::string_view topic;
    Bytes payload;
    Bytes properties;  // The v5 properties that are forwarded unaltered, encoded, without length.
    mqtt::Qos qos{};
    bool retain = false;
    std::int64_t expiry_wall_ms = 0;  // 0 = never.
    SourceId source = 0;
    // Nobody will send it again: on its way to another shard it is in the store.
    bool must_arrive = false;
    Durability durability = Durability::disk;
    const Publisher* publisher = nullptr;  // Of one that is to be retained; null = not asked again.
    MessageRef kept;                       // Made by message().
    std::uint64_t topic_hash = 0;          // Made by hash_of_topic(); 0 = not yet.

    // Whether its acknowledgement says that it outlives the process.
    bool is_promised() const {
        return qos != mqtt::Qos::at_most_once && durability != Durability::memory;
    }
    // The message as an object that may outlive the packet.
    const MessageRef& message();
    // Before it is routed; without effect on a copy that is the same already.
    void set_durability(Durability level);
    // The same for all subscribers, so computed once.
    std::uint64_t hash_of_topic();
    static Publication of(const MessageRef& message);
};

}  // namespace broker
