// An immutable text of at most 65535 bytes that is kept in place when it has at most `capacity`
// bytes, else in one allocation. Half the size of std::string for what topic levels are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace broker {

template <std::size_t capacity>
class SmallText {
    static_assert(capacity >= sizeof(char*));

public:
    SmallText() = default;
    explicit SmallText(std::string_view text) : size_(static_cast<std::uint16_t>(text.size())) {
        ASSERT(text.size() <= 0xFFFF);
        if (text.size() <= capacity) {
            text.copy(bytes_, text.size());
            return;
        }
        char* const block = new char[text.size()];
        text.copy(block, text.size());
        std::memcpy(bytes_, &block, sizeof block);
    }
    SmallText(SmallText&& other) noexcept { swap(other); }
    SmallText& operator=(SmallText&& other) noexcept {
        SmallText taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~SmallText() {
        if (size_ > capacity) delete[] block();
    }

    std::string_view view() const { return {size_ > capacity ? block() : bytes_, size_}; }

private:
    char* block() const {
        char* block;
        std::memcpy(&block, bytes_, sizeof block);
        return block;
    }
    void swap(SmallText& other) noexcept {
        std::swap(size_, other.size_);
        std::swap(bytes_, other.bytes_);
    }

    std::uint16_t size_ = 0;
    char bytes_[capacity] = {};
};

}  // namespace broker
