// How fast one connection may send: PUBLISH packets and bytes a second. Who has used up a second's
// worth is not read until there is more; what it sends meanwhile waits in its socket.
//
// Owned by the Connection, if its listener has such a limit. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>

#include "base/timer_wheel.h"
#include "broker/counters.h"

namespace broker {

// Fills by `rate` tokens a second, and holds no more than a second's worth. What is taken need not
// be there: a packet is handled whole, and the debt is waited for.
class TokenBucket {
public:
    // 0 = no limit.
    TokenBucket(std::uint32_t rate, std::uint64_t now_ms)
        : rate_(rate), level_(full()), filled_at_ms_(now_ms) {}

    void fill(std::uint64_t now_ms);
    void take(std::uint64_t tokens) { level_ -= static_cast<std::int64_t>(tokens) * token; }
    bool has_token() const { return rate_ == 0 || level_ >= token; }
    // Until there is one, from the last fill().
    std::uint64_t wait_ms() const;

private:
    static constexpr std::int64_t token = 1000;  // So that `rate` is what a millisecond brings.

    std::int64_t full() const { return std::int64_t{rate_} * token; }

    std::uint32_t rate_;
    std::int64_t level_;
    std::uint64_t filled_at_ms_;
};

class RateLimit {
public:
    RateLimit(std::uint32_t messages_per_s, std::uint32_t bytes_per_s, std::uint64_t now_ms,
              base::Timer::Callback on_filled, void* context)
        : messages_(messages_per_s, now_ms),
          bytes_(bytes_per_s, now_ms),
          rest_(on_filled, context) {}

    void fill(std::uint64_t now_ms) {
        messages_.fill(now_ms);
        bytes_.fill(now_ms);
    }
    void take(bool is_publish, std::uint64_t bytes) {
        if (is_publish) messages_.take(1);
        bytes_.take(bytes);
    }
    // The limit that is reached.
    std::optional<Refusal> reached() const;
    std::uint64_t wait_ms() const;
    // Armed while the connection is not read.
    base::Timer& rest() { return rest_; }

private:
    TokenBucket messages_;
    TokenBucket bytes_;
    base::Timer rest_;
};

}  // namespace broker
