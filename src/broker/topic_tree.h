// Messages by topic, one stripe of the RetainedStore.
//
//     by topic:   hash of the whole topic ──> node      one look-up
//     by level:   (parent, level) ──> node              for the literal levels of a filter
//     siblings:   first child ──> next ──> next         for "+" and "#"
//
// A node has a message, children or both, and goes when it has neither. Nothing here recurses.
// Threads: one at a time, or many that only find and visit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "broker/hash_index.h"
#include "broker/pool.h"
#include "broker/publisher.h"
#include "broker/small_text.h"

namespace broker {

class TopicTree {
public:
    TopicTree() { nodes_.acquire(); }

    const Message* find(std::string_view topic) const;
    // Puts the message in the place of its topic's; returns what was there.
    MessageRef put(Retained retained);
    // The topic has a message.
    MessageRef take(std::string_view topic);
    // Appends every message that the valid filter matches; they stand until the tree is changed.
    void collect(std::string_view filter, std::vector<const Retained*>& out) const;

    // Appends every message that has expired.
    void collect_expired(std::int64_t now_wall_ms, std::vector<MessageRef>& out) const;

    std::size_t size() const { return topics_.size(); }
    // With the root: 1 when it is empty, whatever it had before.
    std::size_t node_count() const { return nodes_.size(); }
    // How many messages will expire.
    std::size_t expiring() const { return expiring_; }

private:
    static constexpr std::uint32_t none = HashIndex::none;
    static constexpr std::uint32_t root = 0;

    struct Node {
        SmallText<14> level;
        std::uint32_t parent = none;
        std::uint32_t first_child = none;
        std::uint32_t next = none;
        std::uint32_t previous = none;
        Retained retained;  // Without a message: none.
    };
    struct Visit;

    std::uint32_t topic_node(std::string_view topic, std::uint64_t hash) const;
    std::uint32_t child(std::uint32_t parent, std::string_view level) const;
    std::uint32_t add_child(std::uint32_t parent, std::string_view level);
    void drop_unused(std::uint32_t node);
    void unlink(std::uint32_t node);
    const Retained* find_retained(std::string_view topic) const;
    void collect_below(std::uint32_t top, std::vector<const Retained*>& out) const;
    static bool is_hidden(const Node& node);

    Pool<Node> nodes_;
    HashIndex children_;
    HashIndex topics_;
    std::size_t expiring_ = 0;
};

}  // namespace broker
