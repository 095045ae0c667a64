// The retained message of each topic [MQTT-3.3.1-5].
//
// Two questions: the message of one topic, which is one look-up, and those that a filter matches,
// which walks a tree of topics, so "a/b/#" costs what is under "a/b" and "+/x" one look-up for each
// first level. Topics are spread over stripes by the hash of their parent ("a/b" of "a/b/c"), so
// that siblings share their parent's node.
//
// Threads: shared by all shards; each stripe has its lock. set() and clear() are atomic for a
// topic; collect() is not one moment for all topics, but misses none that was there before it began
// and stays. Limits: count and bytes of what clients retain, checked before anything changes; the
// broker's own topics ("$SYS/...") are not counted against them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "broker/message.h"
#include "broker/publisher.h"
#include "broker/topic_tree.h"

namespace broker {

struct RetainedLimits {
    std::size_t count_max = 0;  // 0 = no limit.
    std::size_t bytes_max = 0;  // Of Message::bytes(); 0 = no limit.
};

class RetainedStore {
public:
    enum class Outcome : std::uint8_t { added, replaced, over_count, over_bytes };
    struct SetResult {
        Outcome outcome;
        std::int64_t bytes;  // How many more the store has now; 0 if it refused.
        bool is_accepted() const { return outcome <= Outcome::replaced; }
    };

    explicit RetainedStore(const RetainedLimits& limits = {}) { set_limits(limits); }

    // What is over a new limit stays; nothing is added to it.
    void set_limits(const RetainedLimits& limits);

    // Keeps the message for its topic and supersedes the one before. An empty payload is for
    // clear() [MQTT-3.3.1-6].
    SetResult set(const MessageRef& message, const PublisherRef& publisher = {});
    // Drops and supersedes the topic's message; how many bytes it had, 0 if there was none.
    std::size_t clear(std::string_view topic);

    // Nothing if there is none, expired or not.
    MessageRef find(std::string_view topic) const;
    // Appends the messages that the valid filter matches, with or without wildcard; expired ones
    // are dropped from the store instead. Their order is free. A filter that starts with a wildcard
    // does not match topics that start with "$" [MQTT-4.7.2-1]. `Found` is a MessageRef, or
    // Retained for who wants to know the publishers.
    template <typename Found>
    void collect(std::string_view filter, std::int64_t now_wall_ms, std::vector<Found>& out);
    // The same in part_count steps, for a shard that has other work between them: a "#" over a
    // million topics takes a tenth of a second as a whole. `part` < part_count.
    static constexpr std::size_t part_count = 16;
    template <typename Found>
    void collect_part(std::size_t part, std::string_view filter, std::int64_t now_wall_ms,
                      std::vector<Found>& out);
    // Drops what has expired in one part, the next one with each call, for a timer: what nobody
    // asks for must not stay for ever. How many it dropped.
    std::size_t drop_expired(std::int64_t now_wall_ms);

    std::size_t count() const { return of_clients_.count.load() + of_broker_.count.load(); }
    std::size_t bytes() const { return of_clients_.bytes.load() + of_broker_.bytes.load(); }

private:
    // Each part is a stripe. A collect() locks each once, so more of them make it slower.
    static constexpr std::size_t stripe_count = part_count;

    struct Usage {
        std::atomic<std::size_t> count{0};
        std::atomic<std::size_t> bytes{0};
    };
    Usage& usage_of(std::string_view topic);

    using Stripe = base::Guarded<TopicTree, std::shared_mutex>;
    static std::size_t stripe_of(std::string_view topic);
    SetResult account(const Message* before, const Message& message);
    // The topic has a message.
    std::size_t take(TopicTree& tree, std::string_view topic);
    std::size_t drop(Stripe& stripe, const std::vector<MessageRef>& expired);

    std::atomic<std::size_t> count_max_;
    std::atomic<std::size_t> bytes_max_;
    std::array<Stripe, stripe_count> stripes_;
    Usage of_clients_;
    Usage of_broker_;
    std::atomic<std::size_t> next_to_drop_{0};
};

}  // namespace broker
