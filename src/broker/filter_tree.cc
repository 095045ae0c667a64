#include "broker/filter_tree.h"

#include "base/assert.h"

namespace broker {

std::uint32_t FilterTree::child(std::uint32_t parent, std::string_view level,
                                std::uint64_t hash) const {
    return children_.find(child_key(parent, hash), [&](std::uint32_t number) {
        const Node& node = nodes_[number];
        return node.parent == parent && node.level.view() == level;
    });
}

std::uint32_t FilterTree::step(std::uint32_t parent, std::string_view level) const {
    return level == "+" ? nodes_[parent].plus : child(parent, level, base::hash(level));
}

std::uint32_t FilterTree::add_child(std::uint32_t parent, std::string_view level) {
    const std::uint32_t number = nodes_.acquire();
    Node& node = nodes_[number];
    node.parent = parent;
    ++nodes_[parent].children;
    if (level == "+") {
        nodes_[parent].plus = number;
        return number;
    }
    node.level = SmallText<14>(level);
    children_.insert(child_key(parent, base::hash(level)), number);
    return number;
}

std::uint32_t FilterTree::node_of(std::string_view filter) const {
    std::uint32_t node = root;
    for (LevelReader levels(filter); node != none && !levels.at_end();) {
        const std::string_view level = levels.next();
        if (level == "#") break;
        node = step(node, level);
    }
    return node;
}

std::uint32_t FilterTree::find(std::string_view filter) const {
    const std::uint32_t node = node_of(filter);
    if (node == none) return none;
    return filter.ends_with('#') ? nodes_[node].hash : nodes_[node].own;
}

void FilterTree::insert(std::string_view filter, std::uint32_t number) {
    std::uint32_t node = root;
    for (LevelReader levels(filter); !levels.at_end();) {
        const std::string_view level = levels.next();
        if (level == "#") break;
        const std::uint32_t next = step(node, level);
        node = next == none ? add_child(node, level) : next;
    }
    std::uint32_t& place = filter.ends_with('#') ? nodes_[node].hash : nodes_[node].own;
    ASSERT(place == none);
    place = number;
    ++size_;
}

void FilterTree::erase(std::string_view filter) {
    const std::uint32_t node = node_of(filter);
    ASSERT(node != none);
    std::uint32_t& place = filter.ends_with('#') ? nodes_[node].hash : nodes_[node].own;
    ASSERT(place != none);
    place = none;
    --size_;
    drop_unused(node);
}

void FilterTree::drop_unused(std::uint32_t node) {
    while (node != root && nodes_[node].is_unused()) {
        const std::uint32_t parent = nodes_[node].parent;
        if (nodes_[parent].plus == node) {
            nodes_[parent].plus = none;
        } else {
            children_.erase(child_key(parent, base::hash(nodes_[node].level.view())), node);
        }
        --nodes_[parent].children;
        nodes_.release(node);
        node = parent;
    }
}

}  // namespace broker
