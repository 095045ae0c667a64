// Where messages that clients publish are written to, beside their subscribers: a seam, behind
// which a table of a database may stand. Most brokers have none.
//
// Owned by server/; outlives the shards' connections. Threads: each shard's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "broker/publication.h"

namespace broker {

// Who published a message, and when: the clock is only asked for what is wanted.
struct MessageOrigin {
    std::string_view client_id;
    std::string_view user_name;  // Empty = none.
    const base::Clock& clock;
};

class MessageSink {
public:
    struct Figures {
        std::uint64_t stored = 0;
        std::uint64_t refused = 0;  // For which there was no room.
        std::uint64_t dropped = 0;  // Taken, and not stored in the end.
        std::size_t waiting = 0;
        std::size_t waiting_bytes = 0;
    };

    virtual ~MessageSink() = default;

    // A message that a client, or its will, has published and that is accepted. Never waits. False
    // if it is wanted, and there is no room for it.
    virtual bool take(Publication& publication, const MessageOrigin& origin) = 0;
    virtual Figures figures() const = 0;
};

}  // namespace broker
