// The shared subscriptions of one session, by the mark that each message which came by one carries.
//
// Owned by its Session; thread: the shard's. Limit: 4095, since a message has 12 bits for its mark.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"
#include "broker/shared_group.h"
#include "broker/subscription_index.h"

namespace broker {

struct SharedSubscription {
    SharedGroupRef group;  // Empty = there is none of that mark.
    Subscription subscription;
};

class SharedSubscriptions {
public:
    static constexpr std::size_t count_max = 0xFFF;

    bool empty() const { return marks_.empty(); }
    bool is_full() const { return marks_.size() == count_max; }
    // Null if there is none. `name` is "$share/group/filter".
    SharedSubscription* find(SharedMark mark) {
        if (mark == 0 || mark > by_mark_.size()) return nullptr;
        SharedSubscription& one = by_mark_[mark - 1U];
        return one.group ? &one : nullptr;
    }
    SharedMark mark_of(std::string_view name) const {
        const auto found = marks_.find(name);
        return found == marks_.end() ? SharedMark{0} : found->second;
    }
    // The mark that add() is to give. Not if is_full().
    SharedMark next_mark() const {
        ASSERT(!is_full());
        return free_.empty() ? static_cast<SharedMark>(by_mark_.size() + 1) : free_.back();
    }
    // `mark` is the next_mark().
    void add(std::string_view name, SharedMark mark, SharedSubscription one) {
        if (free_.empty()) {
            by_mark_.push_back(std::move(one));
        } else {
            free_.pop_back();
            by_mark_[mark - 1U] = std::move(one);
        }
        marks_.emplace(name, mark);
    }
    // The mark may be given again: no message may carry it any more.
    void remove(std::string_view name) {
        const auto found = marks_.find(name);
        by_mark_[found->second - 1U] = {};
        free_.push_back(found->second);
        marks_.erase(found);
    }
    // Calls `each(SharedMark, SharedSubscription&)`.
    template <typename Each>
    void for_each(Each&& each) {
        for (const auto& [name, mark] : marks_) each(mark, by_mark_[mark - 1U]);
    }

private:
    struct HashName {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const { return base::hash(name); }
    };

    std::vector<SharedSubscription> by_mark_;
    std::vector<SharedMark> free_;
    std::unordered_map<std::string, SharedMark, HashName, std::equal_to<>> marks_;
};

}  // namespace broker
