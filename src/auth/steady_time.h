// The monotonic clock, for what is kept and waited for on workers' threads. What runs on a shard
// has base::Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace auth {

inline std::uint64_t steady_us() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

inline std::uint64_t steady_ms() {
    return steady_us() / 1000;
}

}  // namespace auth
