// What one group does to the records of the store, in order: put, erase, erase a range. All of it
// happens or none (Engine::write()).
//
// A plain value: keys and values lie in one block, so that a record costs no allocation of its own.
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"

namespace storage {

using base::Bytes;

class WriteList {
public:
    enum class Action : std::uint8_t { put, erase, erase_range };
    // `first` is a key; `second` a value, nothing, or the key at which a range ends.
    struct Write {
        Action action;
        Bytes first;
        Bytes second;
    };
    // Where begin() and end_key() put what they are given.
    std::vector<std::uint8_t>& bytes() { return bytes_; }

    // A write is begun, its first part appended to bytes(), then its second, then ended.
    void begin(Action action) { open_ = {action, bytes_.size(), bytes_.size()}; }
    void end_first() { open_.second = bytes_.size(); }
    void end() { writes_.push_back({open_.action, open_.first, open_.second, bytes_.size()}); }
    Bytes open_first() const { return part(open_.first, open_.second); }
    Bytes open_second() const { return part(open_.second, bytes_.size()); }

    template <typename Each>
    void for_each(Each&& each) const {
        for (const Span& span : writes_) {
            each(Write{span.action, part(span.first, span.second), part(span.second, span.end)});
        }
    }
    bool empty() const { return writes_.empty(); }
    std::size_t size() const { return writes_.size(); }
    std::size_t byte_count() const { return bytes_.size(); }
    // Keeps its memory for the next group, unless that was an unusually large one.
    void clear() {
        writes_.clear();
        bytes_.clear();
        if (bytes_.capacity() > kept_bytes_max) bytes_.shrink_to_fit();
    }

private:
    static constexpr std::size_t kept_bytes_max = std::size_t{1} << 20;
    struct Open {
        Action action{};
        std::size_t first = 0;
        std::size_t second = 0;
    };
    struct Span {
        Action action;
        std::size_t first;
        std::size_t second;
        std::size_t end;
    };
    Bytes part(std::size_t from, std::size_t to) const {
        return Bytes(bytes_).subspan(from, to - from);
    }

    std::vector<std::uint8_t> bytes_;
    std::vector<Span> writes_;
    Open open_;
};

}  // namespace storage
