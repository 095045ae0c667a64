// Bytes that grow at the end, without filling what is about to be written anyway.
//
// One owner, one thread. Keeps its memory when cleared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include "base/bytes.h"

namespace net {

class ByteBuffer {
public:
    // At least `size` bytes of room at the end, until the next call; commit() says how many count.
    std::span<std::uint8_t> room(std::size_t size) {
        if (capacity_ - size_ < size) grow(std::max(2 * capacity_, size_ + size));
        return {data_.get() + size_, capacity_ - size_};
    }
    void commit(std::size_t size) { size_ += size; }
    void append(base::Bytes bytes) {
        if (bytes.empty()) return;
        std::memcpy(room(bytes.size()).data(), bytes.data(), bytes.size());
        commit(bytes.size());
    }
    void clear() { size_ = 0; }
    // Drops the first `size` bytes.
    void consume(std::size_t size) {
        size_ -= size;
        if (size_ > 0 && size > 0) std::memmove(data_.get(), data_.get() + size, size_);
    }
    void release() {
        data_.reset();
        size_ = capacity_ = 0;
    }

    base::Bytes bytes() const { return {data_.get(), size_}; }
    std::uint8_t* data() { return data_.get(); }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

private:
    void grow(std::size_t capacity) {
        std::unique_ptr<std::uint8_t[]> larger(new std::uint8_t[capacity]);
        if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
        data_ = std::move(larger);
        capacity_ = capacity;
    }

    std::unique_ptr<std::uint8_t[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace net
