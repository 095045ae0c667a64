// How long a group may wait for clients to acknowledge what is in it, which then need not be
// written: as long as writing one takes, so that waiting in vain costs twice what it had to, at the
// most. Who waits in vain again and again does so more and more rarely.
//
// A plain value. Thread: one at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace storage {

class Patience {
public:
    using Duration = std::chrono::steady_clock::duration;

    // Never longer than `longest`, which is also what a write is taken for before the first.
    explicit Patience(Duration longest) : longest_(longest), write_(longest) {}

    // For the next group; none if it is one of those that do not wait.
    Duration next() {
        if (unasked_ > 0) {
            --unasked_;
            return {};
        }
        return std::min(write_, longest_);
    }
    // A group that waited; whether that was worth it.
    void learn(bool was_worth_it) {
        rest_ = was_worth_it ? 0 : std::min(rest_ * 2 + 1, rest_max);
        unasked_ = rest_;
    }
    // A group was written, which took so long.
    void learn_write(Duration taken) { write_ += (taken - write_) / weight; }

private:
    static constexpr int weight = 8;
    static constexpr std::uint32_t rest_max = 63;

    const Duration longest_;
    Duration write_;             // What one takes, of late.
    std::uint32_t rest_ = 0;     // How many groups do not wait after one that did in vain.
    std::uint32_t unasked_ = 0;  // How many of them are left.
};

}  // namespace storage
