#include "base/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/assert.h"

namespace base {

void Timer::cancel() {
    if (!is_armed()) return;
    wheel_->unlink(*this);
}

TimerWheel::~TimerWheel() {
    for (Timer*& head : wheel_) {
        while (head) unlink(*head);
    }
}

void TimerWheel::add(Timer& timer, std::uint64_t deadline_ms) {
    timer.cancel();
    // Rounded up, so as not to fire early; at least one tick ahead, so that a callback that arms
    // its timer for now does not run for ever.
    const std::uint64_t tick = deadline_ms / tick_ms + (deadline_ms % tick_ms != 0 ? 1 : 0);
    timer.deadline_tick_ = std::max(tick, now_tick_ + 1);
    timer.wheel_ = this;
    place(timer);
    ++size_;
}

void TimerWheel::place(Timer& timer) {
    constexpr std::uint64_t horizon = (std::uint64_t{1} << (slot_bits * levels)) - 1;
    const std::uint64_t ticks = std::min(timer.deadline_tick_ - now_tick_, horizon);
    std::size_t level = 0;
    while (ticks >> (slot_bits * (level + 1)) != 0) ++level;
    const std::size_t slot = ((now_tick_ + ticks) >> (slot_bits * level)) % slots;

    Timer*& head = wheel_[level * slots + slot];
    timer.next_ = head;
    timer.previous_ = &head;
    if (head) head->previous_ = &timer.next_;
    head = &timer;
    occupied_[level] |= std::uint64_t{1} << slot;
}

void TimerWheel::unlink(Timer& timer) {
    ASSERT(timer.is_armed());
    *timer.previous_ = timer.next_;
    if (timer.next_) {
        timer.next_->previous_ = timer.previous_;
    } else if (timer.previous_ >= wheel_.data() &&
               timer.previous_ < wheel_.data() + wheel_.size()) {
        // It was the last of its slot.
        const auto index = static_cast<std::size_t>(timer.previous_ - wheel_.data());
        occupied_[index / slots] &= ~(std::uint64_t{1} << (index % slots));
    }
    timer.next_ = nullptr;
    timer.previous_ = nullptr;
    --size_;
}

bool TimerWheel::fire_due(std::uint64_t now_ms, std::size_t max) {
    const std::uint64_t until = now_ms / tick_ms;
    run_slot(max);
    while (max > 0 && now_tick_ < until) {
        // Straight to the next slot with something in it, however long the loop has slept.
        now_tick_ = std::min(next_tick().value_or(until), until);
        for (std::size_t level = levels - 1; level > 0; --level) cascade(level);
        run_slot(max);
    }
    return has_left_over() || now_tick_ < until;
}

// Spreads the slot of `level` that begins now over the levels below it.
void TimerWheel::cascade(std::size_t level) {
    const unsigned shift = slot_bits * static_cast<unsigned>(level);
    if (now_tick_ % (std::uint64_t{1} << shift) != 0) return;
    const std::size_t slot = (now_tick_ >> shift) % slots;
    Timer* timer = std::exchange(wheel_[level * slots + slot], nullptr);
    occupied_[level] &= ~(std::uint64_t{1} << slot);
    while (timer) {
        Timer* next = timer->next_;
        place(*timer);
        timer = next;
    }
}

void TimerWheel::run_slot(std::size_t& max) {
    // One by one from the front: a callback may take any other timer out. It cannot put one in
    // here, since add() keeps one tick's distance.
    Timer* const& front = wheel_[now_tick_ % slots];
    while (front && max > 0) {
        Timer* const timer = front;
        --max;
        unlink(*timer);
        timer->callback_(*timer, timer->context_);
    }
}

std::optional<std::uint64_t> TimerWheel::next_tick() const {
    std::optional<std::uint64_t> next;
    for (std::size_t level = 0; level < levels; ++level) {
        if (occupied_[level] == 0) continue;
        const unsigned shift = slot_bits * static_cast<unsigned>(level);
        // Slots ahead, from the next one on; the present one comes last, a whole round away.
        const std::uint64_t position = (now_tick_ >> shift) + 1;
        const std::uint64_t ahead = std::rotr(occupied_[level], static_cast<int>(position % slots));
        const std::uint64_t tick = (position + static_cast<std::uint64_t>(std::countr_zero(ahead)))
                                   << shift;
        if (!next || tick < *next) next = tick;
    }
    return next;
}

std::optional<std::uint64_t> TimerWheel::next_deadline_ms() const {
    if (has_left_over()) return now_tick_ * tick_ms;
    const std::optional<std::uint64_t> tick = next_tick();
    if (!tick) return std::nullopt;
    return *tick * tick_ms;
}

}  // namespace base
