// A clock that only moves when a test says so.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace support {

class FakeClock : public base::Clock {
public:
    std::uint64_t monotonic_ms() const override { return monotonic_ms_; }
    std::int64_t wall_ms() const override { return wall_ms_; }

    void advance_to(std::uint64_t monotonic_ms) {
        wall_ms_ += static_cast<std::int64_t>(monotonic_ms - monotonic_ms_);
        monotonic_ms_ = monotonic_ms;
    }

private:
    std::uint64_t monotonic_ms_ = 1'000'000;
    std::int64_t wall_ms_ = 1'700'000'000'000;
};

}  // namespace support
