// Many timers, few of which ever fire: keep-alives, wills, expiries.
//
// A wheel of 4 levels x 64 slots, one tick = 100 ms:
//
//     level 0   0.1 s .. 6.4 s      level 1   .. 6.8 min
//     level 2   .. 7.3 h            level 3   .. 19 days (later deadlines wait in its last slot)
//
// add() and cancel() cost O(1); a timer moves down at most three times before it fires. A timer
// fires up to one tick late, never early. Thread: one; nothing locks. Ownership: the Timer belongs
// to whoever embeds it, and leaves the wheel when it dies; a wheel that dies first disarms them
// all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace base {

class TimerWheel;

class Timer {
public:
    using Callback = void (*)(Timer& timer, void* context);

    Timer(Callback callback, void* context) : callback_(callback), context_(context) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { cancel(); }

    bool is_armed() const { return previous_ != nullptr; }
    void cancel();

private:
    friend class TimerWheel;
    Timer* next_ = nullptr;
    Timer** previous_ = nullptr;  // The pointer that points here.
    std::uint64_t deadline_tick_ = 0;
    Callback callback_;
    void* context_;
    TimerWheel* wheel_ = nullptr;
};

class TimerWheel {
public:
    static constexpr std::uint64_t tick_ms = 100;

    explicit TimerWheel(std::uint64_t now_ms) : now_tick_(now_ms / tick_ms) {}
    TimerWheel(const TimerWheel&) = delete;
    TimerWheel& operator=(const TimerWheel&) = delete;
    ~TimerWheel();

    // Arms `timer` for `deadline_ms` on the monotonic clock; replaces an earlier deadline.
    void add(Timer& timer, std::uint64_t deadline_ms);
    // Runs the callback of each timer that is due, but of no more than `max`; true if that left
    // some out, which the next call begins with. A callback may add, cancel and destroy timers.
    bool fire_due(std::uint64_t now_ms, std::size_t max = SIZE_MAX);
    // When fire_due() should next be called, or nothing while no timer is armed. May be early
    // (when a slot of a higher level has to be spread), never late.
    std::optional<std::uint64_t> next_deadline_ms() const;

    std::size_t size() const { return size_; }

private:
    friend class Timer;
    static constexpr std::size_t levels = 4;
    static constexpr unsigned slot_bits = 6;
    static constexpr std::size_t slots = std::size_t{1} << slot_bits;

    // Links an unlinked timer into the slot for its deadline, which is not before now_tick_.
    void place(Timer& timer);
    void cascade(std::size_t level);
    // Runs what the present slot holds, and counts it down from `max`.
    void run_slot(std::size_t& max);
    // A call of fire_due() has left timers of the present tick for the next one.
    bool has_left_over() const { return wheel_[now_tick_ % slots] != nullptr; }
    void unlink(Timer& timer);
    // The next tick at which a slot has to be run or spread.
    std::optional<std::uint64_t> next_tick() const;

    std::array<Timer*, levels * slots> wheel_{};    // [level * slots + slot], lists of timers.
    std::array<std::uint64_t, levels> occupied_{};  // One bit for each slot that is not empty.
    std::uint64_t now_tick_;
    std::size_t size_ = 0;
};

}  // namespace base
