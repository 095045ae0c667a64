// Time as an argument, so that a test can move it.
#pragma once

#include <cstdint>

namespace base {

class Clock {
public:
    virtual ~Clock() = default;

    // Milliseconds that never jump: for every timeout. A shard reads it once a turn.
    virtual std::uint64_t monotonic_ms() const = 0;
    // Milliseconds since 1970: for people and for what outlives the process.
    virtual std::int64_t wall_ms() const = 0;
};

}  // namespace base
