// What every decoder returns through. The packet is built inside the Result, never moved into it:
// some are 200 bytes, and PUBLISH is decoded once per message. Only this room's .cc files include
// it.
#pragma once

#include "mqtt/reader.h"

namespace mqtt {

// Calls `read(Packet&)`, which fills the packet in and returns success or why it cannot.
template <typename Packet, typename Read>
Result<Packet> decoded(const Read& read) {
    Result<Packet> result;
    const ReasonCode reason = read(*result);
    if (reason != ReasonCode::success) [[unlikely]]
        result = base::fail(reason);
    return result;
}

}  // namespace mqtt
