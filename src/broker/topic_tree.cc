#include "broker/topic_tree.h"

#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "broker/topic_levels.h"
#include "mqtt/topic.h"

namespace broker {

std::uint32_t TopicTree::topic_node(std::string_view topic, std::uint64_t hash) const {
    return topics_.find(
        hash, [&](std::uint32_t node) { return nodes_[node].retained.message->topic() == topic; });
}

const Retained* TopicTree::find_retained(std::string_view topic) const {
    const std::uint32_t number = topic_node(topic, base::hash(topic));
    return number == none ? nullptr : &nodes_[number].retained;
}

const Message* TopicTree::find(std::string_view topic) const {
    const Retained* const found = find_retained(topic);
    return found ? found->message.get() : nullptr;
}

MessageRef TopicTree::put(Retained retained) {
    const std::string_view topic = retained.message->topic();
    const std::uint64_t hash = base::hash(topic);
    if (retained.message->expiry_wall_ms() != 0) ++expiring_;

    const std::uint32_t known = topic_node(topic, hash);
    if (known != none) {
        Retained before = std::exchange(nodes_[known].retained, std::move(retained));
        if (before.message->expiry_wall_ms() != 0) --expiring_;
        return std::move(before.message);
    }
    std::uint32_t node = root;
    for (LevelReader levels(topic); !levels.at_end();) {
        const std::string_view level = levels.next();
        const std::uint32_t next = child(node, level);
        node = next == none ? add_child(node, level) : next;
    }
    nodes_[node].retained = std::move(retained);
    topics_.insert(hash, node);
    return {};
}

MessageRef TopicTree::take(std::string_view topic) {
    const std::uint64_t hash = base::hash(topic);
    const std::uint32_t node = topic_node(topic, hash);
    ASSERT(node != none);
    topics_.erase(hash, node);
    Retained taken = std::exchange(nodes_[node].retained, Retained{});
    if (taken.message->expiry_wall_ms() != 0) --expiring_;
    drop_unused(node);
    return std::move(taken.message);
}

std::uint32_t TopicTree::child(std::uint32_t parent, std::string_view level) const {
    return children_.find(child_key(parent, base::hash(level)), [&](std::uint32_t number) {
        const Node& node = nodes_[number];
        return node.parent == parent && node.level.view() == level;
    });
}

std::uint32_t TopicTree::add_child(std::uint32_t parent, std::string_view level) {
    const std::uint32_t number = nodes_.acquire();
    Node& node = nodes_[number];
    node.level = SmallText<14>(level);
    node.parent = parent;
    node.next = std::exchange(nodes_[parent].first_child, number);
    if (node.next != none) nodes_[node.next].previous = number;
    children_.insert(child_key(parent, base::hash(level)), number);
    return number;
}

void TopicTree::unlink(std::uint32_t number) {
    const Node& node = nodes_[number];
    if (node.next != none) nodes_[node.next].previous = node.previous;
    if (node.previous != none) {
        nodes_[node.previous].next = node.next;
    } else {
        nodes_[node.parent].first_child = node.next;
    }
    children_.erase(child_key(node.parent, base::hash(node.level.view())), number);
}

void TopicTree::drop_unused(std::uint32_t node) {
    while (node != root && !nodes_[node].retained.message && nodes_[node].first_child == none) {
        const std::uint32_t parent = nodes_[node].parent;
        unlink(node);
        nodes_.release(node);
        node = parent;
    }
}

// A node that still has to be looked at, with the levels of the filter below it.
struct TopicTree::Visit {
    std::uint32_t node;
    bool siblings;  // And those after it.
    LevelReader rest;
};

void TopicTree::collect(std::string_view filter, std::vector<const Retained*>& out) const {
    if (!mqtt::has_wildcard(filter)) {
        if (const Retained* const found = find_retained(filter)) out.push_back(found);
        return;
    }
    // Depth first, and siblings one by one: at most two places a level.
    std::vector<Visit> waiting{{root, false, LevelReader(filter)}};
    while (!waiting.empty()) {
        Visit visit = waiting.back();
        waiting.pop_back();
        const Node& node = nodes_[visit.node];
        if (visit.siblings && node.next != none) waiting.push_back({node.next, true, visit.rest});
        if (visit.siblings && is_hidden(node)) continue;
        if (visit.rest.at_end()) {
            if (node.retained.message) out.push_back(&node.retained);
            continue;
        }
        const std::string_view level = visit.rest.next();
        if (level == "#") {
            collect_below(visit.node, out);
            continue;
        }
        const bool any = level == "+";
        const std::uint32_t next = any ? node.first_child : child(visit.node, level);
        if (next != none) waiting.push_back({next, any, visit.rest});
    }
}

void TopicTree::collect_expired(std::int64_t now_wall_ms, std::vector<MessageRef>& out) const {
    topics_.for_each([&](std::uint32_t number) {
        const MessageRef& message = nodes_[number].retained.message;
        if (message->is_expired(now_wall_ms)) out.push_back(message);
    });
}

void TopicTree::collect_below(std::uint32_t top, std::vector<const Retained*>& out) const {
    std::uint32_t at = top;
    for (;;) {
        const bool hidden = top == root && is_hidden(nodes_[at]);
        if (nodes_[at].retained.message && !hidden) out.push_back(&nodes_[at].retained);
        if (nodes_[at].first_child != none && !hidden) {
            at = nodes_[at].first_child;
            continue;
        }
        while (at != top && nodes_[at].next == none) at = nodes_[at].parent;
        if (at == top) return;
        at = nodes_[at].next;
    }
}

// A wildcard in the first level does not match topics that start with "$" [MQTT-4.7.2-1].
bool TopicTree::is_hidden(const Node& node) {
    return node.parent == root && node.level.view().starts_with('$');
}

}  // namespace broker
