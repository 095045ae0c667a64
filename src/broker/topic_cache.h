// What was answered about a topic, good while a version stays. A topic has one place, which the
// next topic of the same place takes over, so the size is fixed and nothing is evicted.
//
// Thread: one shard's own. Memory: none until the first answer is kept; then `places` topics of up
// to 256 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/hash.h"

namespace broker {

template <typename Answer>
class TopicCache {
public:
    // `places` is a power of two.
    explicit TopicCache(std::size_t places) : place_count_(places) {
        ASSERT(places > 0 && (places & (places - 1)) == 0);
    }

    // Null if it is not known at this version, which is not 0; good until the next keep().
    const Answer* find(std::string_view topic, std::uint64_t version) const {
        if (places_.empty() || topic.size() > topic_bytes_max) return nullptr;
        const Place& place = places_[place_of(topic)];
        return place.version == version && place.topic == topic ? &place.answer : nullptr;
    }
    void keep(std::string_view topic, std::uint64_t version, Answer answer) {
        if (topic.size() > topic_bytes_max) return;
        if (places_.empty()) places_.resize(place_count_);
        Place& place = places_[place_of(topic)];
        place.answer = std::move(answer);
        place.topic.assign(topic);
        place.version = version;
    }

private:
    // Longer topics are not kept: 65535 bytes in each place would be a peer's way to our memory.
    static constexpr std::size_t topic_bytes_max = 256;

    struct Place {
        std::uint64_t version = 0;  // 0 = none.
        Answer answer{};
        std::string topic;
    };
    std::size_t place_of(std::string_view topic) const {
        return base::hash(topic) & (place_count_ - 1);
    }

    std::size_t place_count_;
    std::vector<Place> places_;
};

}  // namespace broker
