// Which shards want a topic: a filter has one bit for each shard that has a subscription to it.
//
// Threads: shared by all shards; readers share the lock. Once add() has returned, every
// shards_for() that starts later sees it, on any thread and through any cache.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <string_view>

#include "base/guarded.h"
#include "broker/filter_map.h"
#include "broker/topic_cache.h"

namespace broker {

inline constexpr unsigned shards_max = 64;

class Interest {
public:
    // A shard's first subscription to a valid filter comes. Twice is once.
    void add(std::string_view filter, unsigned shard);
    // Its last one goes. Without an add() it does nothing.
    void remove(std::string_view filter, unsigned shard);

    // Bit n is set if shard n has a filter that matches the valid topic name.
    std::uint64_t shards_for(std::string_view topic) const;
    // Another number after each change, never one that was before. Sequentially consistent, as
    // RetainedStore::count() is: of a publisher that sets, then asks here, and a subscriber that
    // adds here, then collects, at least one sees the other.
    std::uint64_t version() const { return version_.load(); }
    std::size_t filter_count() const;

private:
    struct Shards {
        std::uint64_t mask = 0;
    };
    base::Guarded<FilterMap<Shards>, std::shared_mutex> filters_;
    std::atomic<std::uint64_t> version_{1};
};

// One shard's memory of what Interest answered, good while its version stays.
//
// Thread: one shard's own.
class InterestCache {
public:
    // `places` is a power of two.
    explicit InterestCache(const Interest& interest, std::size_t places = 4096)
        : interest_(interest), answers_(places) {}

    std::uint64_t shards_for(std::string_view topic);
    std::uint64_t hits() const { return hits_; }

private:
    const Interest& interest_;
    TopicCache<std::uint64_t> answers_;
    std::uint64_t hits_ = 0;
};

}  // namespace broker
