// One of the places for connections of a listener that have not finished their handshake: given
// back when it is destroyed.
//
// Threads: places of one count may be taken and given back in any; one place has one owner.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace net {

class HandshakePlace {
public:
    // Nobody's place, which costs none.
    HandshakePlace() = default;
    // Nothing if `max` are taken; max <= 0: there is no limit. `count` outlives the place.
    static std::optional<HandshakePlace> take(std::atomic<std::int64_t>& count, std::int64_t max) {
        const bool has_room = count.fetch_add(1, std::memory_order_relaxed) < max || max <= 0;
        HandshakePlace place(&count);
        if (!has_room) return std::nullopt;
        return place;
    }
    HandshakePlace(HandshakePlace&& other) noexcept
        : count_(std::exchange(other.count_, nullptr)) {}
    HandshakePlace& operator=(HandshakePlace&& other) noexcept {
        std::swap(count_, other.count_);
        return *this;
    }
    ~HandshakePlace() {
        if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
    }
    void give_back() { *this = HandshakePlace(); }

private:
    explicit HandshakePlace(std::atomic<std::int64_t>* count) : count_(count) {}
    std::atomic<std::int64_t>* count_ = nullptr;
};

}  // namespace net
