// A queue in one block of memory, with access by position: an empty one holds no memory, a push
// costs no allocation but when it grows. std::deque would hold 600 bytes per idle session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/assert.h"

namespace base {

// T is default-constructible and movable. Limit: 2^31 elements.
template <typename T>
class Ring {
public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    T& operator[](std::size_t position) { return slots_[(head_ + position) & (capacity_ - 1)]; }
    const T& operator[](std::size_t position) const {
        return slots_[(head_ + position) & (capacity_ - 1)];
    }
    T& front() { return (*this)[0]; }

    void push_back(T value) {
        if (size_ == capacity_) resize(capacity_ == 0 ? 4 : capacity_ * 2);
        (*this)[size_] = std::move(value);
        ++size_;
    }
    void pop_front() {
        ASSERT(size_ > 0);
        slots_[head_] = T{};
        head_ = (head_ + 1) & (capacity_ - 1);
        if (--size_ == 0 && capacity_ > kept_when_empty) clear();
    }
    T take_back() {
        ASSERT(size_ > 0);
        T back = std::exchange((*this)[--size_], T{});
        if (capacity_ > kept_when_empty && size_ <= capacity_ / 4) resize(capacity_ / 2);
        return back;
    }
    void clear() {
        slots_.reset();
        capacity_ = head_ = size_ = 0;
    }

private:
    static constexpr std::uint32_t kept_when_empty = 64;

    void resize(std::uint32_t capacity) {
        auto slots = std::make_unique<T[]>(capacity);
        for (std::uint32_t i = 0; i < size_; ++i) slots[i] = std::move((*this)[i]);
        slots_ = std::move(slots);
        capacity_ = capacity;
        head_ = 0;
    }

    std::unique_ptr<T[]> slots_;
    std::uint32_t capacity_ = 0;  // A power of two, or 0.
    std::uint32_t head_ = 0;
    std::uint32_t size_ = 0;
};

}  // namespace base
