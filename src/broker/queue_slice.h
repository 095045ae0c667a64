// What a session asks back of its queue that lies in the store only, and what it gets: a slice at a
// time, so that a queue of millions costs the memory of some hundred.
//
// Plain values. Thread: whoever holds one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "broker/ids.h"
#include "broker/inflight_window.h"
#include "broker/message.h"
#include "broker/subscription_ids.h"

namespace broker {

// What one slice brings, whichever is reached first; one message at least.
inline constexpr std::size_t slice_messages_max = 256;
inline constexpr std::size_t slice_bytes_max = std::size_t{64} << 10;

// A message that waits for a session's client: in the queue, or in flight from the start.
struct MessageKept {
    SessionNumber session{};
    std::uint64_t order = 0;  // Within the session, ascending as they are sent; from 1.
    MessageRef message{};     // Empty from PUBREC on: only the identifier matters then.
    SubscriptionIds ids{};
    mqtt::Qos qos{};
    bool retain = false;
    OutgoingState state = OutgoingState::done;  // Where packet_id is not 0.
    mqtt::PacketId packet_id = 0;               // 0 = in the queue.
    // Only as restored: the message stays in the store, and its payload has so many bytes.
    std::optional<std::uint32_t> stored_bytes{};
};

struct QueueRequest {
    SessionId reader{};  // Who gets the answer, if it is that session still.
    SessionNumber session{};
    std::uint64_t first_order = 0;
    std::uint64_t last_order = 0;  // All up to this one is safe, and no longer in memory.
};

struct QueueSlice {
    SessionId reader{};
    SessionNumber session{};
    std::uint64_t first_order = 0;
    std::vector<MessageKept> messages{};  // By their order.
    std::uint64_t next_order = 0;         // From which to go on; beyond the last = that was all.
    std::size_t unreadable = 0;           // Damaged records among them, left out.
    std::string error{};                  // Not empty: it cannot be read any further.
};

}  // namespace broker
