#include "broker/interest.h"

#include "base/assert.h"
#include "base/hash.h"

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

InterestCache::InterestCache(const Interest& interest, std::size_t places)
    : interest_(interest), answers_(places) {
    ASSERT(places > 0 && (places & (places - 1)) == 0);
}

std::uint64_t InterestCache::shards_for(std::string_view topic) {
    if (topic.size() > topic_bytes_max) return interest_.shards_for(topic);
    // Read before the question: an answer may be newer than its tag, never older.
    const std::uint64_t version = interest_.version();
    Answer& answer = answers_[base::hash(topic) & (answers_.size() - 1)];
    if (answer.version == version && answer.topic == topic) {
        ++hits_;
        return answer.shards;
    }
    answer.shards = interest_.shards_for(topic);
    answer.topic.assign(topic);
    answer.version = version;
    return answer.shards;
}

}  // namespace broker
