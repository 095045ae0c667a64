// Which groups of shared subscriptions a topic reaches, for all shards.
//
// Threads: shared by all shards; readers share the lock, and none is taken while it is held. Once
// join() has returned, every collect() that starts later finds the group, on any thread and through
// any cache. Limit: the subscriptions that there are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/hash.h"
#include "broker/filter_map.h"
#include "broker/shared_group.h"
#include "broker/topic_cache.h"

namespace broker {

class SharedGroups {
public:
    // Puts a member into the group of that name at a valid filter; it is in no group of that name
    // and filter yet. The first one makes the group.
    SharedGroupRef join(std::string_view name, std::string_view filter, const SharedMember& member,
                        bool is_connected);
    // Takes out who has joined. The last one ends the group.
    void leave(const SharedGroup& group, const SharedMember& member);

    // Appends every group whose filter matches the valid topic name.
    void collect(std::string_view topic, std::vector<SharedGroupRef>& found) const;
    // Empty if it has ended.
    SharedGroupRef find(SharedGroupId id) const;
    // By its key, "group/filter".
    SharedGroupRef find(std::string_view key) const;
    // Costs one load, so that a broker without shared subscriptions pays for no more.
    std::size_t count() const { return count_.load(std::memory_order_acquire); }
    // Another number after each group that begins or ends. Members come and go without one.
    std::uint64_t version() const { return version_.load(); }

private:
    struct Entry {
        SharedGroupRef group;
        std::size_t members = 0;
    };
    struct HashText {
        std::size_t operator()(std::string_view text) const { return base::hash(text); }
    };
    struct Groups {
        std::uint64_t next_id = 1;
        std::unordered_map<std::string_view, Entry, HashText> by_key;  // Keys are the groups' own.
        std::unordered_map<SharedGroupId, SharedGroupRef> by_id;
        FilterMap<std::unordered_map<SharedGroupId, SharedGroupRef>> by_filter;
    };
    Entry& begin(Groups& groups, std::string key, std::string_view filter);
    void end(Groups& groups, const SharedGroup& group);

    base::Guarded<Groups, std::shared_mutex> groups_;
    std::atomic<std::size_t> count_{0};
    std::atomic<std::uint64_t> version_{1};
};

// One shard's memory of what SharedGroups answered, good while its version stays. Who is in the
// groups is asked of them each time.
//
// Thread: one shard's own. Limit: 1024 topics, and no answer of more than 64 groups is kept.
class SharedGroupCache {
public:
    explicit SharedGroupCache(const SharedGroups& groups) : groups_(groups), answers_(1024) {}
    // Good until the next call.
    std::span<const SharedGroupRef> groups_for(std::string_view topic);

private:
    static constexpr std::size_t kept_groups_max = 64;

    const SharedGroups& groups_;
    TopicCache<std::vector<SharedGroupRef>> answers_;
    std::vector<SharedGroupRef> found_;
};

}  // namespace broker
