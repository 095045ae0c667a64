// How far a SUBSCRIBE or UNSUBSCRIBE has come. One with many filters takes several turns, so that
// the others on the shard do not wait for it: the packet stays unconsumed and its connection unread
// meanwhile, and it is answered once, at the end.
//
//     filters in slices -> the acknowledgement -> SUBSCRIBE only: what is retained, in slices
//
// Owned by its Connection, while the packet is being worked on. Limits: of the packet.
#pragma once

#include <string>
#include <vector>

#include "broker/subscription_index.h"
#include "mqtt/subscribe.h"

namespace broker {

struct LongRequest {
    // Filters that one turn acts on, retained messages that it puts in line: about a millisecond.
    static constexpr std::size_t slice = 1000;

    mqtt::PacketId id = 0;
    std::uint32_t subscription_id = 0;
    std::size_t bytes = 0;       // Of the packet's entries, which are its end.
    std::size_t bytes_left = 0;  // Of those that are still to be acted on.
    std::vector<std::uint8_t> reasons;
    std::string first_refusal;          // In words; empty if there is none.
    std::vector<Subscription> granted;  // Of SUBSCRIBE, in its order.
    bool is_answered = false;
    std::size_t retained_entry = 0;  // Whose retained messages are next,
    std::size_t retained_part = 0;   // and from which part of the store.
};

}  // namespace broker
