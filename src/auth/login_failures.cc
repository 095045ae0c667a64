#include "auth/login_failures.h"

#include <algorithm>

namespace auth {
namespace {

constexpr std::uint64_t sweep_interval_ms = 1'000;
constexpr std::uint32_t doublings_max = 16;

}  // namespace

std::uint64_t LoginFailures::wait_ms(std::string_view address, std::uint64_t now_ms) const {
    const auto found = entries_.find(address);
    if (found == entries_.end()) return 0;
    return found->second.closed_until_ms - std::min(found->second.closed_until_ms, now_ms);
}

void LoginFailures::failed(std::string_view address, std::uint32_t limit, std::uint64_t now_ms) {
    auto found = entries_.find(address);
    if (found == entries_.end()) {
        if (!make_room(now_ms)) return;
        found = entries_.try_emplace(std::string(address)).first;
    }
    Entry& entry = found->second;
    const std::uint64_t patience_ms = entry.failures < limit ? window_ms : forget_ms;
    if (now_ms - entry.last_ms > patience_ms) entry.failures = 0;
    entry.last_ms = now_ms;
    if (++entry.failures < limit) return;
    const std::uint32_t doublings = std::min(entry.failures - limit, doublings_max);
    entry.closed_until_ms = now_ms + std::min(first_wait_ms << doublings, longest_wait_ms);
}

bool LoginFailures::make_room(std::uint64_t now_ms) {
    if (entries_.size() < addresses_max) return true;
    if (now_ms < next_sweep_ms_) return false;
    next_sweep_ms_ = now_ms + sweep_interval_ms;
    std::erase_if(entries_,
                  [&](const auto& each) { return now_ms - each.second.last_ms > forget_ms; });
    return entries_.size() < addresses_max;
}

}  // namespace auth
