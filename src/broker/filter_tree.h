// The wildcard filters of a FilterMap, each with a number: a tree with one node a topic level.
// "a/+/c" and "a/b/#" make
//
//     root ── a ─┬─ + ── c •
//                └─ b •#
//
// A node keeps its "+" child and the number of its "#"; its other children are found in one hash
// table for the whole tree, by (parent, level). So a node is 36 bytes in a pool, and a level costs
// one look-up however many siblings there are.
//
// Cost of match(): the nodes it visits, at most two children of each, so no filter can make it more
// than the number of nodes that the filters have within the topic's depth. It allocates nothing and
// does not recurse. Threads: one at a time, or many that only match and find.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/hash.h"
#include "broker/hash_index.h"
#include "broker/pool.h"
#include "broker/small_text.h"
#include "broker/topic_levels.h"
#include "mqtt/topic.h"

namespace broker {

class FilterTree {
public:
    static constexpr std::uint32_t none = HashIndex::none;

    FilterTree() { nodes_.acquire(); }

    // The filter's number, or none.
    std::uint32_t find(std::string_view filter) const;
    // The filter is valid, has a wildcard and is not in the tree.
    void insert(std::string_view filter, std::uint32_t number);
    // The filter is in the tree.
    void erase(std::string_view filter);
    std::size_t size() const { return size_; }
    // With the root: 1 when it is empty, whatever it had before.
    std::size_t node_count() const { return nodes_.size(); }

    // Calls `each(number)` for every filter that matches the valid topic name. A wildcard in the
    // first level does not match a topic that starts with "$" [MQTT-4.7.2-1].
    template <typename Each>
    void match(std::string_view topic, Each&& each) const;

private:
    static constexpr std::uint32_t root = 0;

    struct Node {
        SmallText<14> level;
        std::uint32_t parent = none;
        std::uint32_t children = 0;  // With the "+" child.
        std::uint32_t plus = none;
        std::uint32_t own = none;   // The filter that ends here.
        std::uint32_t hash = none;  // The filter that ends in "/#" here.

        bool has_literals() const { return children > (plus == none ? 0U : 1U); }
        bool is_unused() const { return children == 0 && own == none && hash == none; }
    };
    // A topic's levels, split and hashed no further than the walk has come.
    class Levels {
    public:
        struct Level {  // Trivial, so that the array below costs nothing until it is used.
            const char* text;
            std::size_t size;
            std::uint64_t hash;

            std::string_view view() const { return {text, size}; }
        };
        // Nothing is initialised: 200 levels of it would cost more than the walk. at() fills a
        // level before it hands it out.
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
        explicit Levels(std::string_view topic) : reader_(topic) {}
        // Nothing after the last level; `depth` is at most one more than ever before.
        const Level* at(std::size_t depth) {
            if (depth < known_) return &levels_[depth];
            if (reader_.at_end()) return nullptr;
            const std::string_view text = reader_.next();
            levels_[known_] = {text.data(), text.size(), base::hash(text)};
            return &levels_[known_++];
        }

    private:
        LevelReader reader_;
        std::size_t known_ = 0;
        std::array<Level, mqtt::topic_levels_max + 1> levels_;  // One more than a topic has.
    };
    struct Visit {
        std::uint32_t node;
        std::uint32_t depth;
    };

    std::uint32_t child(std::uint32_t parent, std::string_view level, std::uint64_t hash) const;
    std::uint32_t step(std::uint32_t parent, std::string_view level) const;
    std::uint32_t add_child(std::uint32_t parent, std::string_view level);
    // The node of the filter, without its "#", or none.
    std::uint32_t node_of(std::string_view filter) const;
    void drop_unused(std::uint32_t node);

    Pool<Node> nodes_;
    HashIndex children_;
    std::size_t size_ = 0;
};

template <typename Each>
void FilterTree::match(std::string_view topic, Each&& each) const {
    if (size_ == 0) return;
    Levels levels(topic);
    // Depth first: a visit takes one place and leaves at most two, so depth bounds the stack.
    std::array<Visit, mqtt::topic_levels_max + 2> stack;  // NOLINT(*-member-init): as Levels.
    std::size_t waiting = 0;
    stack[waiting++] = {root, 0};
    while (waiting > 0) {
        const Visit visit = stack[--waiting];
        const Node& node = nodes_[visit.node];
        const bool wild = visit.depth > 0 || !topic.starts_with('$');
        if (wild && node.hash != none) each(node.hash);
        if (node.children == 0 && node.own == none) continue;

        const Levels::Level* const level = levels.at(visit.depth);
        if (!level) {
            if (node.own != none) each(node.own);
            continue;
        }
        if (visit.depth == mqtt::topic_levels_max) continue;
        if (wild && node.plus != none) stack[waiting++] = {node.plus, visit.depth + 1};
        if (!node.has_literals()) continue;
        const std::uint32_t next = child(visit.node, level->view(), level->hash);
        if (next != none) stack[waiting++] = {next, visit.depth + 1};
    }
}

}  // namespace broker
