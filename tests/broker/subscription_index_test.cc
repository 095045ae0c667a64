#include "broker/subscription_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/random_topics.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

using Sessions = std::multiset<unsigned>;

Subscription from(unsigned session, std::uint32_t subscription_id = 0) {
    Subscription subscription;
    subscription.session = SessionId{session};
    subscription.subscription_id = subscription_id;
    return subscription;
}

Sessions matched(const SubscriptionIndex& index, std::string_view topic) {
    Sessions found;
    index.match(topic, [&](std::span<const Subscription> subscriptions) {
        EXPECT_FALSE(subscriptions.empty());
        for (const Subscription& one : subscriptions) {
            found.insert(static_cast<unsigned>(one.session));
        }
    });
    return found;
}

TEST(SubscriptionIndex, matches_as_section_4_7_says) {
    struct Row {
        const char* sentence;
        const char* filter;
        const char* topic;
        bool want;
    };
    const Row rows[] = {
        {"the same topic", "a/b", "a/b", true},
        {"case matters", "a/B", "a/b", false},
        {"a longer topic", "a/b", "a/b/c", false},
        {"# has its parent", "a/b/#", "a/b", true},
        {"# has every depth", "a/#", "a/b/c/d", true},
        {"# alone has all", "#", "/", true},
        {"# has no sibling of its parent", "a/b/#", "a/bc", false},
        {"+ is one level", "a/+/c", "a/b/c", true},
        {"+ is not two", "a/+", "a/b/c", false},
        {"+ is not none", "a/+", "a", false},
        {"+ has an empty level", "a/+", "a/", true},
        {"+/+ has /finance", "+/+", "/finance", true},
        {"+ has not /finance", "+", "/finance", false},
        {"+ then #", "+/b/#", "a/b", true},
        {"MQTT-4.7.2-1: # skips $ topics", "#", "$SYS/uptime", false},
        {"MQTT-4.7.2-1: + skips $ topics", "+/uptime", "$SYS/uptime", false},
        {"a literal $ level has them", "$SYS/#", "$SYS/uptime", true},
        {"$ later is a letter", "a/+", "a/$b", true},
        {"a long level", "+/abcdefghijklmnopqrstuvwxyz", "a/abcdefghijklmnopqrstuvwxyz", true},
    };
    for (const Row& row : rows) {
        SubscriptionIndex index;
        index.add(row.filter, from(1));
        EXPECT_EQ(matched(index, row.topic), row.want ? Sessions{1} : Sessions{}) << row.sentence;
        EXPECT_EQ(index.remove(row.filter, SessionId{1}).was_last, true) << row.sentence;
        EXPECT_EQ(matched(index, row.topic), Sessions{}) << row.sentence;
    }
}

TEST(SubscriptionIndex, tells_what_is_new_first_and_last) {
    for (const char* filter : {"a/b", "a/+", "a/#"}) {
        SubscriptionIndex index;
        const auto first = index.add(filter, from(1));
        EXPECT_TRUE(first.is_new && first.is_first);
        const auto second = index.add(filter, from(2));
        EXPECT_TRUE(second.is_new && !second.is_first);
        EXPECT_EQ(index.size(), 2U);
        EXPECT_EQ(index.filter_count(), 1U);
        const auto one_gone = index.remove(filter, SessionId{1});
        EXPECT_TRUE(one_gone.existed && !one_gone.was_last);
        EXPECT_FALSE(index.remove(filter, SessionId{1}).existed);
        const auto all_gone = index.remove(filter, SessionId{2});
        EXPECT_TRUE(all_gone.existed && all_gone.was_last);
        EXPECT_FALSE(index.remove(filter, SessionId{2}).existed);
        EXPECT_EQ(index.filter_count(), 0U);
    }
}

// A subscription to the same filter replaces the one before.
TEST(SubscriptionIndex, MQTT_3_8_4_3_replaces_the_options) {
    SubscriptionIndex index;
    for (unsigned others : {0U, 1U, 40U}) {
        index.add("a", from(1000, 5));
        for (unsigned i = 0; i < others; ++i) index.add("a", from(i));
        Subscription again = from(1000, 6);
        again.options.qos = mqtt::Qos::exactly_once;
        EXPECT_FALSE(index.add("a", again).is_new);
        EXPECT_EQ(index.size(), others + 1);
        const Subscription* const found = index.find("a", SessionId{1000});
        ASSERT_NE(found, nullptr);
        EXPECT_EQ(found->subscription_id, 6U);
        EXPECT_EQ(found->options.qos, mqtt::Qos::exactly_once);
        EXPECT_EQ(index.find("a", SessionId{1001}), nullptr);
        EXPECT_EQ(index.find("a/+", SessionId{1000}), nullptr);
    }
}

std::string repeated(std::string_view level, std::size_t count) {
    std::string text(level);
    for (std::size_t i = 1; i < count; ++i) text.append("/").append(level);
    return text;
}

TEST(SubscriptionIndex, serves_the_deepest_filter_and_no_deeper_topic) {
    SubscriptionIndex index;
    const std::size_t deepest = mqtt::topic_levels_max;
    index.add(repeated("+", deepest), from(1));
    index.add(repeated("a", deepest - 1) + "/+", from(2));
    index.add(repeated("+", deepest - 1) + "/#", from(3));
    EXPECT_EQ(matched(index, repeated("a", deepest)), (Sessions{1, 2, 3}));
    EXPECT_EQ(matched(index, repeated("a", deepest - 1)), (Sessions{3}));
    EXPECT_EQ(matched(index, repeated("b", deepest + 1)), (Sessions{3}));
    EXPECT_EQ(matched(index, repeated("b", deepest + 50)), (Sessions{3}));
}

// Fault 14: each filter here has 2^12 siblings, but a topic visits what exists, once.
TEST(SubscriptionIndex, visits_each_filter_of_a_wildcard_bomb_once) {
    SubscriptionIndex index;
    for (unsigned bits = 0; bits < 4096; ++bits) {
        std::string filter;
        for (unsigned i = 0; i < 12; ++i) filter += (bits >> i & 1) != 0 ? "+/" : "a/";
        index.add(filter + "#", from(bits));
    }
    EXPECT_EQ(matched(index, repeated("a", 12)).size(), 4096U);
    EXPECT_EQ(matched(index, repeated("a", 11)).size(), 0U);
}

TEST(SubscriptionIndex, keeps_a_large_fan_out_through_swaps) {
    SubscriptionIndex index;
    constexpr unsigned many = 100'000;
    for (unsigned i = 0; i < many; ++i) index.add("news", from(i));
    for (unsigned i = 0; i < many; i += 2) ASSERT_TRUE(index.remove("news", SessionId{i}).existed);
    const Sessions left = matched(index, "news");
    ASSERT_EQ(left.size(), many / 2);
    EXPECT_TRUE(std::all_of(left.begin(), left.end(), [](unsigned s) { return s % 2 == 1; }));
    for (unsigned i = 1; i < many; i += 2) {
        ASSERT_EQ(index.remove("news", SessionId{i}).was_last, i == many - 1);
    }
    EXPECT_EQ(index.filter_count(), 0U);
}

class AgainstModel : public ::testing::TestWithParam<unsigned> {
protected:
    void change() {
        const std::string filter = topics_.filter();
        const unsigned session = static_cast<unsigned>(topics_.below(40));
        auto& sessions = model_[filter];
        if (topics_.below(5) < 3) {
            const auto result = index_.add(filter, from(session));
            EXPECT_EQ(result.is_first, sessions.empty());
            EXPECT_EQ(result.is_new, sessions.insert(session).second);
        } else {
            const auto result = index_.remove(filter, SessionId{session});
            EXPECT_EQ(result.existed, sessions.erase(session) == 1);
            EXPECT_EQ(result.was_last, result.existed && sessions.empty());
        }
        if (sessions.empty()) model_.erase(filter);
    }
    void compare() {
        const std::string topic = topics_.topic();
        Sessions want;
        std::size_t size = 0;
        for (const auto& [filter, sessions] : model_) {
            size += sessions.size();
            if (mqtt::matches(filter, topic)) want.insert(sessions.begin(), sessions.end());
        }
        ASSERT_EQ(matched(index_, topic), want) << topic;
        ASSERT_EQ(index_.size(), size);
        ASSERT_EQ(index_.filter_count(), model_.size());
    }

    RandomTopics topics_{GetParam()};
    SubscriptionIndex index_;
    std::map<std::string, std::set<unsigned>> model_;
};

TEST_P(AgainstModel, agrees_after_10k_random_operations) {
    for (int i = 0; i < 10'000; ++i) {
        change();
        if (i % 10 == 0) compare();
    }
    while (!model_.empty()) {
        const auto [filter, sessions] = *model_.begin();
        for (const unsigned session : sessions) {
            ASSERT_TRUE(index_.remove(filter, SessionId{session}).existed);
        }
        model_.erase(filter);
    }
    compare();
}
INSTANTIATE_TEST_SUITE_P(Seeds, AgainstModel, ::testing::Range(1U, 7U));

}  // namespace
}  // namespace broker
