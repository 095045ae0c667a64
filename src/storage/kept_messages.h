// The messages that the store keeps for one session: which content each has, by its order.
//
// A sorted vector that is appended to at its end and used up from its front; a message that is done
// in between leaves a gap, and the gaps go when they are the larger half. 16 bytes a message.
// Thread: one at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "storage/record.h"

namespace storage {

class KeptMessages {
public:
    struct Entry {
        std::uint64_t order : 62;
        std::uint64_t is_sent : 1;  // There is a record of how far it has come.
        std::uint64_t is_done : 1;
        ContentNumber content;  // 0: none, or no longer needed.
    };

    // Null if there is none of that order.
    Entry* find(std::uint64_t order) {
        const auto at = position(order);
        return at != entries_.end() && at->order == order && !at->is_done ? &*at : nullptr;
    }
    // Not if there is one of that order.
    void add(std::uint64_t order, ContentNumber content, bool is_sent) {
        Entry entry{};
        entry.order = order & order_max;
        entry.is_sent = is_sent ? 1 : 0;
        entry.content = content;
        const auto at =
            entries_.empty() || entries_.back().order < order ? entries_.end() : position(order);
        if (at != entries_.end() && at->order == order) {
            *at = entry;
            --gaps_;
        } else {
            entries_.insert(at, entry);
        }
    }
    void remove(Entry& entry) {
        entry.is_done = 1;
        entry.content = {};
        ++gaps_;
        if (gaps_ == entries_.size()) {
            entries_.clear();
            gaps_ = 0;
        } else if (gaps_ > gaps_min && gaps_ > entries_.size() / 2) {
            std::erase_if(entries_, [](const Entry& one) { return one.is_done != 0; });
            gaps_ = 0;
        }
    }
    std::size_t size() const { return entries_.size() - gaps_; }
    template <typename Each>
    void for_each(Each&& each) {
        for (Entry& entry : entries_) {
            if (!entry.is_done) each(entry);
        }
    }

private:
    static constexpr std::uint64_t order_max = (std::uint64_t{1} << 62) - 1;
    static constexpr std::size_t gaps_min = 32;

    std::vector<Entry>::iterator position(std::uint64_t order) {
        return std::lower_bound(
            entries_.begin(), entries_.end(), order,
            [](const Entry& entry, std::uint64_t wanted) { return entry.order < wanted; });
    }

    std::vector<Entry> entries_;
    std::size_t gaps_ = 0;
};

}  // namespace storage
