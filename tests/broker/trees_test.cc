// What FilterTree and TopicTree do that the classes around them do not show: giving nodes back.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "broker/filter_tree.h"
#include "broker/random_topics.h"
#include "broker/topic_tree.h"

namespace broker {
namespace {

TEST(FilterTree, shares_prefixes_and_gives_every_node_back) {
    FilterTree tree;
    tree.insert("a/+/c", 1);
    tree.insert("a/+/#", 2);
    tree.insert("a/b/#", 3);
    EXPECT_EQ(tree.node_count(), 5U) << "root, a, +, c, b";
    tree.erase("a/+/c");
    EXPECT_EQ(tree.node_count(), 4U);
    tree.erase("a/+/#");
    tree.erase("a/b/#");
    EXPECT_EQ(tree.node_count(), 1U);
}

TEST(FilterTree, is_empty_after_random_filters_came_and_went) {
    RandomTopics topics(1);
    FilterTree tree;
    std::set<std::string> known;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        const std::string filter = topics.filter();
        if (known.insert(filter).second) {
            tree.insert(filter, i);
        } else {
            tree.erase(filter);
            known.erase(filter);
        }
    }
    EXPECT_GT(tree.node_count(), 1U);
    for (const std::string& filter : known) tree.erase(filter);
    EXPECT_EQ(tree.node_count(), 1U);
    EXPECT_EQ(tree.size(), 0U);
}

TEST(TopicTree, is_empty_after_random_topics_came_and_went) {
    RandomTopics topics(1);
    TopicTree tree;
    std::set<std::string> known;
    for (int i = 0; i < 10'000; ++i) {
        const std::string topic = topics.topic();
        if (known.insert(topic).second) {
            MessageParts parts;
            parts.topic = topic;
            parts.expiry_wall_ms = i % 2;
            tree.put({Message::make(parts)});
        } else {
            tree.take(topic);
            known.erase(topic);
        }
    }
    EXPECT_GT(tree.expiring(), 0U);
    for (const std::string& topic : known) tree.take(topic);
    EXPECT_EQ(tree.node_count(), 1U);
    EXPECT_EQ(tree.size(), 0U);
    EXPECT_EQ(tree.expiring(), 0U);
}

}  // namespace
}  // namespace broker
