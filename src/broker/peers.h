// The seam from a shard to the others. Implemented by server/, or a test.
//
// Thread: the calling shard's.
#pragma once

#include <cstdint>

#include "broker/route_batch.h"

namespace broker {

class Peers {
public:
    virtual ~Peers() = default;
    // Hands a turn's messages from one shard to another, which will call receive(). False if that
    // one is too far behind: the batch stays here, and the shard calls again next turn.
    virtual bool post(std::uint32_t from, std::uint32_t to, RouteBatch& batch) = 0;
    // That shard is to have a turn: what it waits for has happened.
    virtual void wake(std::uint32_t shard) = 0;
};

}  // namespace broker
