#include "broker/interest.h"

#include "base/assert.h"

namespace broker {

void Interest::add(std::string_view filter, unsigned shard) {
    ASSERT(shard < shards_max);
    filters_.with([&](FilterMap<Shards>& filters) {
        filters.insert(filter).value.mask |= std::uint64_t{1} << shard;
        // Before the lock is free, so that no cache can tag an old answer with the new version.
        version_.fetch_add(1);
    });
}

void Interest::remove(std::string_view filter, unsigned shard) {
    ASSERT(shard < shards_max);
    filters_.with([&](FilterMap<Shards>& filters) {
        Shards* const shards = filters.find(filter);
        if (!shards) return;
        shards->mask &= ~(std::uint64_t{1} << shard);
        if (shards->mask == 0) filters.erase(filter);
        version_.fetch_add(1);
    });
}

std::uint64_t Interest::shards_for(std::string_view topic) const {
    return filters_.read([&](const FilterMap<Shards>& filters) {
        std::uint64_t mask = 0;
        filters.match(topic, [&](const Shards& shards) { mask |= shards.mask; });
        return mask;
    });
}

std::size_t Interest::filter_count() const {
    return filters_.read([](const FilterMap<Shards>& filters) { return filters.size(); });
}

std::uint64_t InterestCache::shards_for(std::string_view topic) {
    // Read before the question: an answer may be newer than its tag, never older.
    const std::uint64_t version = interest_.version();
    if (const std::uint64_t* const known = answers_.find(topic, version)) {
        ++hits_;
        return *known;
    }
    const std::uint64_t shards = interest_.shards_for(topic);
    answers_.keep(topic, version, shards);
    return shards;
}

}  // namespace broker
