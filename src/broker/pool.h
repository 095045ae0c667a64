// Many small things of one type, named by 32-bit numbers, without an allocation each: they live in
// chunks that never move, so a reference holds until its release(), and growth copies nothing.
// Memory goes back to the system when the last one is released. Threads: the owner's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/assert.h"

namespace broker {

template <typename T>
class Pool {
public:
    // The number of a default T; numbers of released ones come again.
    std::uint32_t acquire() {
        ++in_use_;
        if (!free_.empty()) {
            const std::uint32_t number = free_.back();
            free_.pop_back();
            return number;
        }
        if (end_ % chunk_size == 0) chunks_.push_back(std::make_unique<T[]>(chunk_size));
        ASSERT(end_ != 0xFFFFFFFF);
        return end_++;
    }
    void release(std::uint32_t number) {
        (*this)[number] = T{};
        if (--in_use_ == 0) {
            *this = Pool{};
        } else {
            free_.push_back(number);
        }
    }

    T& operator[](std::uint32_t number) {
        return chunks_[number / chunk_size][number % chunk_size];
    }
    const T& operator[](std::uint32_t number) const {
        return chunks_[number / chunk_size][number % chunk_size];
    }
    std::size_t size() const { return in_use_; }

private:
    static constexpr std::uint32_t chunk_size = 256;

    std::vector<std::unique_ptr<T[]>> chunks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t end_ = 0;
    std::size_t in_use_ = 0;
};

}  // namespace broker
