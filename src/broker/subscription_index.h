// Which sessions of a shard want a topic.
//
// Thread: one shard owns an index; nothing here locks. Sessions are named by id, so one may die
// first. Cost: add, remove and find do not depend on how many subscriptions there are, match() is
// one look-up and the FilterTree's visits, and allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "broker/filter_map.h"
#include "broker/ids.h"
#include "mqtt/subscribe.h"

namespace broker {

struct Subscription {
    SessionId session{};
    mqtt::SubscribeOptions options;
    std::uint32_t subscription_id = 0;  // 0 = none.
};

class SubscriptionIndex {
public:
    struct AddResult {
        bool is_new;    // False if it replaced the session's subscription to the same filter.
        bool is_first;  // The filter was not in the index before: tell Interest.
    };
    struct RemoveResult {
        bool existed;
        bool was_last;  // The filter is no longer in the index: tell Interest.
    };

    // Adds a subscription or replaces its options [MQTT-3.8.4-3]. The filter is valid.
    AddResult add(std::string_view filter, const Subscription& subscription);
    RemoveResult remove(std::string_view filter, SessionId session);
    // Nothing if there is none; good until the next change.
    const Subscription* find(std::string_view filter, SessionId session) const;

    // Calls `each(std::span<const Subscription>)` once for every filter that matches the valid
    // topic name, so a session with overlapping filters comes once for each of them [MQTT-3.3.4-2].
    // The order is free. `each` does not change the index.
    template <typename Each>
    void match(std::string_view topic, Each&& each) const {
        filters_.match(topic, [&](const Subscribers& subscribers) { each(subscribers.all()); });
    }

    std::size_t size() const { return size_; }
    std::size_t filter_count() const { return filters_.size(); }

private:
    // A filter's subscriptions: most filters have one, which is kept in place.
    class Subscribers {
    public:
        Subscribers();
        Subscribers(Subscribers&& other) noexcept;
        Subscribers& operator=(Subscribers&& other) noexcept;
        ~Subscribers();

        std::span<const Subscription> all() const;
        const Subscription* find(SessionId session) const;
        // False if the session is not in the list.
        bool replace(const Subscription& subscription);
        // The session is not in the list.
        void add(const Subscription& subscription);
        // False if the session is not in the list.
        bool remove(SessionId session);
        bool empty() const { return !list_ && !has_one_; }

    private:
        class List;
        Subscription one_;
        bool has_one_ = false;
        std::unique_ptr<List> list_;
    };

    FilterMap<Subscribers> filters_;
    std::size_t size_ = 0;
};

static_assert(sizeof(Subscription) == 12);

}  // namespace broker
