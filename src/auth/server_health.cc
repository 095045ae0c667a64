#include "auth/server_health.h"

#include <algorithm>
#include <utility>

#include "auth/steady_time.h"

namespace auth {

using base::LogType;

bool CircuitBreaker::may_ask(std::uint64_t now_ms) {
    if (rest_ms_ == 0) return true;
    if (now_ms < next_try_ms_) return false;
    next_try_ms_ = now_ms + rest_ms_;  // The others wait for what this one finds.
    is_trying_ = true;
    return true;
}

bool CircuitBreaker::failed(std::uint64_t now_ms) {
    ++failures_;
    // Those that were on their way when the rest began say nothing new.
    if (rest_ms_ != 0 && !std::exchange(is_trying_, false)) return false;
    if (rest_ms_ == 0 && failures_ < failures_max) return false;
    const bool is_news = rest_ms_ == 0;
    rest_ms_ = is_news ? first_rest_ms : std::min(2 * rest_ms_, longest_rest_ms);
    next_try_ms_ = now_ms + rest_ms_;
    return is_news;
}

bool CircuitBreaker::succeeded() {
    failures_ = 0;
    is_trying_ = false;
    return std::exchange(rest_ms_, 0) != 0;
}

bool ServerHealth::may_ask(std::uint64_t now_us) {
    if (breaker_.with([&](CircuitBreaker& breaker) { return breaker.may_ask(now_us / 1000); })) {
        return true;
    }
    not_asked_.fetch_add(1, std::memory_order_relaxed);
    return false;
}

void ServerHealth::answered(std::uint64_t began_us) {
    count(began_us, steady_us());
    note_success();
}

void ServerHealth::failed(std::uint64_t began_us, const std::string& error, bool is_lost) {
    const std::uint64_t ended_us = steady_us();
    count(began_us, ended_us);
    errors_.fetch_add(1, std::memory_order_relaxed);
    if (is_lost) {
        note_loss(ended_us / 1000);
    } else {
        note_success();
    }
    report(error, ended_us / 1000);
}

void ServerHealth::count(std::uint64_t began_us, std::uint64_t ended_us) {
    asked_.fetch_add(1, std::memory_order_relaxed);
    microseconds_.fetch_add(ended_us - began_us, std::memory_order_relaxed);
}

void ServerHealth::note_success() {
    if (!breaker_.with([](CircuitBreaker& breaker) { return breaker.succeeded(); })) return;
    log_.print(LogType::notice, "The {} {} answers again.", kind_, name_);
}

void ServerHealth::note_loss(std::uint64_t now_ms) {
    if (!breaker_.with([&](CircuitBreaker& breaker) { return breaker.failed(now_ms); })) return;
    log_.print(LogType::error, "Error: {} {} is lost, and tried again from time to time.", kind_,
               name_);
}

void ServerHealth::report(const std::string& error, std::uint64_t now_ms) {
    constexpr std::uint64_t minute_ms = 60'000;
    std::uint64_t last_ms = reported_ms_.load();
    if (last_ms != 0 && now_ms < last_ms + minute_ms) return;
    if (!reported_ms_.compare_exchange_strong(last_ms, now_ms)) return;
    log_.print(LogType::error, "Error: {} {}: {}", kind_, name_, error);
}

ServerHealth::Figures ServerHealth::figures() const {
    const auto value = [](const std::atomic<std::uint64_t>& counter) {
        return counter.load(std::memory_order_relaxed);
    };
    return {.asked = value(asked_),
            .errors = value(errors_),
            .microseconds = value(microseconds_),
            .not_asked = value(not_asked_)};
}

}  // namespace auth
