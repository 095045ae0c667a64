#include "broker/rate_limit.h"

#include <algorithm>

namespace broker {

void TokenBucket::fill(std::uint64_t now_ms) {
    const std::uint64_t elapsed_ms = now_ms - filled_at_ms_;
    filled_at_ms_ = now_ms;
    if (rate_ == 0) return;
    // A year of silence times the highest rate is more than 64 bits hold.
    const auto missing = static_cast<std::uint64_t>(full() - level_);
    level_ = elapsed_ms > missing / rate_ ? full()
                                          : level_ + static_cast<std::int64_t>(elapsed_ms * rate_);
}

std::uint64_t TokenBucket::wait_ms() const {
    if (has_token()) return 0;
    return (static_cast<std::uint64_t>(token - level_) + rate_ - 1) / rate_;
}

std::optional<Refusal> RateLimit::reached() const {
    if (!messages_.has_token()) return Refusal::message_rate;
    if (!bytes_.has_token()) return Refusal::byte_rate;
    return std::nullopt;
}

std::uint64_t RateLimit::wait_ms() const {
    return std::max(messages_.wait_ms(), bytes_.wait_ms());
}

}  // namespace broker
