// A map from topic filters to values that can be asked by topic. SubscriptionIndex and Interest are
// two of them.
//
// Filters without a wildcard are topics: they live in a hash table, and match() finds the only one
// with one look-up. The others are a FilterTree, which costs nothing while it is empty.
//
// Values move never, and are destroyed by erase(). Threads: as FilterTree.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/hash.h"
#include "broker/filter_tree.h"
#include "broker/hash_index.h"
#include "broker/pool.h"
#include "broker/small_text.h"
#include "mqtt/topic.h"

namespace broker {

template <typename Value>
class FilterMap {
public:
    struct Found {
        Value& value;
        bool is_new;
    };

    // The value of a valid filter; a default one if it is new.
    Found insert(std::string_view filter) {
        if (mqtt::has_wildcard(filter)) return insert_wild(filter);
        const std::uint64_t hash = base::hash(filter);
        const std::uint32_t found = find_exact(filter, hash);
        if (found != HashIndex::none) return {exact_[found].value, false};
        const std::uint32_t number = exact_.acquire();
        Exact& entry = exact_[number];
        entry.filter = SmallText<22>(filter);
        exact_index_.insert(hash, number);
        return {entry.value, true};
    }

    const Value* find(std::string_view filter) const {
        if (mqtt::has_wildcard(filter)) {
            const std::uint32_t number = tree_.find(filter);
            return number == FilterTree::none ? nullptr : &wild_[number];
        }
        const std::uint32_t number = find_exact(filter, base::hash(filter));
        return number == HashIndex::none ? nullptr : &exact_[number].value;
    }
    Value* find(std::string_view filter) {
        return const_cast<Value*>(static_cast<const FilterMap*>(this)->find(filter));
    }

    // The filter is in the map.
    void erase(std::string_view filter) {
        if (mqtt::has_wildcard(filter)) {
            const std::uint32_t number = tree_.find(filter);
            tree_.erase(filter);
            wild_.release(number);
            return;
        }
        const std::uint64_t hash = base::hash(filter);
        const std::uint32_t number = find_exact(filter, hash);
        exact_index_.erase(hash, number);
        exact_.release(number);
    }

    // Calls `each(const Value&)` for every filter that matches the valid topic name; `each` does
    // not change the map.
    template <typename Each>
    void match(std::string_view topic, Each&& each) const {
        if (exact_.size() > 0) {
            const std::uint32_t number = find_exact(topic, base::hash(topic));
            if (number != HashIndex::none) each(exact_[number].value);
        }
        tree_.match(topic, [&](std::uint32_t number) { each(wild_[number]); });
    }

    std::size_t size() const { return exact_.size() + wild_.size(); }

private:
    struct Exact {
        SmallText<22> filter;
        Value value{};
    };

    Found insert_wild(std::string_view filter) {
        const std::uint32_t found = tree_.find(filter);
        if (found != FilterTree::none) return {wild_[found], false};
        const std::uint32_t number = wild_.acquire();
        tree_.insert(filter, number);
        return {wild_[number], true};
    }
    std::uint32_t find_exact(std::string_view filter, std::uint64_t hash) const {
        return exact_index_.find(
            hash, [&](std::uint32_t number) { return exact_[number].filter.view() == filter; });
    }

    HashIndex exact_index_;
    Pool<Exact> exact_;
    FilterTree tree_;
    Pool<Value> wild_;
};

}  // namespace broker
