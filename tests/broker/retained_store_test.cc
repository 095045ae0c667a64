#include "broker/retained_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "broker/random_topics.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

MessageRef message(std::string_view topic, std::string_view payload, std::int64_t expiry = 0) {
    MessageParts parts;
    parts.topic = topic;
    parts.payload = base::as_bytes(payload);
    parts.retain = true;
    parts.expiry_wall_ms = expiry;
    return Message::make(parts);
}

using Texts = std::multiset<std::string>;

Texts collected(RetainedStore& store, std::string_view filter, std::int64_t now = 0) {
    std::vector<MessageRef> found;
    store.collect(filter, now, found);
    Texts texts;
    for (const MessageRef& one : found) {
        texts.insert(std::string(one->topic()) + "=" + std::string(base::as_text(one->payload())));
    }
    return texts;
}

TEST(RetainedStore, MQTT_3_3_1_5_keeps_the_last_message_of_a_topic) {
    RetainedStore store;
    const MessageRef old = message("a", "old");
    const auto added = store.set(old);
    EXPECT_EQ(added.outcome, RetainedStore::Outcome::added);
    EXPECT_EQ(added.bytes, static_cast<std::int64_t>(old->bytes()));
    const auto replaced = store.set(message("a", "newer"));
    EXPECT_EQ(replaced.outcome, RetainedStore::Outcome::replaced);
    EXPECT_EQ(replaced.bytes, 2);
    EXPECT_TRUE(old->is_superseded());
    EXPECT_FALSE(store.find("a")->is_superseded());
    EXPECT_EQ(collected(store, "a"), (Texts{"a=newer"}));
    EXPECT_EQ(store.count(), 1U);
    EXPECT_EQ(store.bytes(), old->bytes() + 2);
}

TEST(RetainedStore, knows_who_published_for_who_asks) {
    RetainedStore store;
    const auto ann = PublisherRef::adopt(new Publisher("c", "ann", 1));
    store.set(message("a", "1"), ann);
    store.set(message("b", "1"));
    store.set(message("b", "2"), ann);
    store.set(message("c", "1"), ann);
    store.set(message("c", "2"));
    std::vector<Retained> found;
    store.collect("#", 0, found);
    Texts texts;
    for (const Retained& one : found) {
        texts.insert(fmt::format("{} of {}", one.message->topic(),
                                 one.publisher ? one.publisher->user_name : "nobody"));
    }
    EXPECT_EQ(texts, (Texts{"a of ann", "b of ann", "c of nobody"}));
    store.clear("a");
    store.clear("b");
    found.clear();
    EXPECT_FALSE(ann->is_shared());
}

TEST(RetainedStore, MQTT_3_3_1_6_clears) {
    RetainedStore store;
    EXPECT_EQ(store.clear("a/b"), 0U);
    const MessageRef only = message("a/b", "x");
    store.set(only);
    EXPECT_EQ(store.clear("a"), 0U);
    EXPECT_EQ(store.clear("a/b"), only->bytes());
    EXPECT_TRUE(only->is_superseded());
    EXPECT_FALSE(store.find("a/b"));
    EXPECT_EQ(store.count(), 0U);
    EXPECT_EQ(store.bytes(), 0U);
}

TEST(RetainedStore, the_brokers_own_topics_are_not_counted_against_the_limits) {
    RetainedStore store({.count_max = 1, .bytes_max = 0});
    for (const char* topic : {"$SYS/broker/a", "$SYS/broker/b", "mine"}) {
        EXPECT_TRUE(store.set(message(topic, "x")).is_accepted()) << topic;
    }
    EXPECT_EQ(store.set(message("more", "x")).outcome, RetainedStore::Outcome::over_count);
    EXPECT_EQ(store.count(), 3U);
    store.set_limits({});
    EXPECT_TRUE(store.set(message("more", "x")).is_accepted());
    store.set_limits({.count_max = 1, .bytes_max = 0});
    EXPECT_EQ(store.count(), 4U) << "what is over a new limit stays";
    EXPECT_FALSE(store.set(message("again", "x")).is_accepted());
}

TEST(RetainedStore, collects_what_a_filter_matches) {
    RetainedStore store;
    for (const char* topic : {"a", "a/b", "a/b/c", "x/b", "/", "$SYS/up", "$SYS"}) {
        store.set(message(topic, ""));
    }
    struct Row {
        const char* sentence;
        const char* filter;
        Texts want;
    };
    const Row rows[] = {
        {"MQTT-4.7.2-1: # skips $ topics", "#", {"/=", "a=", "a/b=", "a/b/c=", "x/b="}},
        {"# has its parent", "a/#", {"a=", "a/b=", "a/b/c="}},
        {"+ first", "+/b", {"a/b=", "x/b="}},
        {"MQTT-4.7.2-1: + skips $ topics", "+/up", {}},
        {"+ last", "a/+", {"a/b="}},
        {"+ has empty levels", "+/+", {"/=", "a/b=", "x/b="}},
        {"a literal $ level", "$SYS/#", {"$SYS=", "$SYS/up="}},
        {"+ below $", "$SYS/+", {"$SYS/up="}},
        {"no wildcard", "a/b", {"a/b="}},
        {"an inner node without message", "x", {}},
        {"nothing there", "q/#", {}},
    };
    for (const Row& row : rows) EXPECT_EQ(collected(store, row.filter), row.want) << row.sentence;
}

TEST(RetainedStore, collects_the_same_in_parts) {
    RetainedStore store;
    for (int i = 0; i < 500; ++i)
        store.set(message(std::to_string(i % 90) + "/" + std::to_string(i), ""));
    for (const char* filter : {"#", "+/7", "8/#", "7/7"}) {
        std::vector<MessageRef> whole, parts;
        store.collect(filter, 0, whole);
        std::size_t most = 0;
        for (std::size_t part = 0; part < RetainedStore::part_count; ++part) {
            const std::size_t before = parts.size();
            store.collect_part(part, filter, 0, parts);
            most = std::max(most, parts.size() - before);
        }
        EXPECT_EQ(parts.size(), whole.size()) << filter;
        if (filter == std::string_view("#")) {
            EXPECT_EQ(whole.size(), 500U);
            EXPECT_LT(most, 250U) << "the parts are no parts";
        }
    }
}

TEST(RetainedStore, drops_what_has_expired_when_asked_for_it) {
    RetainedStore store;
    store.set(message("a/1", "", 100));
    store.set(message("a/2", "", 200));
    store.set(message("a/3", ""));
    EXPECT_EQ(collected(store, "a/+", 99).size(), 3U);
    EXPECT_EQ(collected(store, "a/+", 100), (Texts{"a/2=", "a/3="}));
    EXPECT_EQ(store.count(), 2U);
    EXPECT_EQ(collected(store, "a/2", 200), Texts{});
    EXPECT_EQ(store.count(), 1U);
    EXPECT_EQ(store.bytes(), store.find("a/3")->bytes());
}

TEST(RetainedStore, drops_what_has_expired_though_nobody_asks) {
    RetainedStore store;
    for (int i = 0; i < 100; ++i) store.set(message("p" + std::to_string(i) + "/x", "", 1 + i % 2));
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < RetainedStore::part_count; ++i) dropped += store.drop_expired(1);
    EXPECT_EQ(dropped, 50U);
    EXPECT_EQ(store.count(), 50U);
}

TEST(RetainedStore, refuses_what_is_over_a_limit) {
    const std::size_t small = message("a", "x")->bytes();
    RetainedStore by_count({.count_max = 2, .bytes_max = 0});
    EXPECT_TRUE(by_count.set(message("a", "x")).is_accepted());
    EXPECT_TRUE(by_count.set(message("b", "x")).is_accepted());
    EXPECT_EQ(by_count.set(message("c", "x")).outcome, RetainedStore::Outcome::over_count);
    EXPECT_TRUE(by_count.set(message("b", "replacing adds none")).is_accepted());
    by_count.clear("a");
    EXPECT_TRUE(by_count.set(message("c", "x")).is_accepted());

    RetainedStore by_bytes({.count_max = 0, .bytes_max = 2 * small});
    EXPECT_TRUE(by_bytes.set(message("a", "x")).is_accepted());
    EXPECT_TRUE(by_bytes.set(message("b", "x")).is_accepted());
    const MessageRef kept = by_bytes.find("b");
    EXPECT_EQ(by_bytes.set(message("b", "xx")).outcome, RetainedStore::Outcome::over_bytes);
    EXPECT_EQ(by_bytes.set(message("c", "")).outcome, RetainedStore::Outcome::over_bytes);
    EXPECT_FALSE(kept->is_superseded());
    EXPECT_TRUE(by_bytes.set(message("b", "")).is_accepted());
    EXPECT_EQ(by_bytes.count(), 2U);
    EXPECT_EQ(by_bytes.bytes(), 2 * small - 1);
}

using Model = std::map<std::string, std::string>;  // The payload of each topic.

void change(RetainedStore& store, Model& model, RandomTopics& topics, int number) {
    const std::string topic = topics.topic();
    if (topics.below(2) == 0) {
        const std::string payload = std::to_string(number);
        const bool is_new = model.find(topic) == model.end();
        const auto changed = store.set(message(topic, payload));
        EXPECT_EQ(changed.outcome == RetainedStore::Outcome::added, is_new);
        model[topic] = payload;
    } else {
        EXPECT_EQ(store.clear(topic) > 0, model.erase(topic) == 1);
    }
}

Texts collected(const Model& model, std::string_view filter) {
    Texts texts;
    for (const auto& [topic, payload] : model) {
        if (mqtt::matches(filter, topic)) texts.insert(fmt::format("{}={}", topic, payload));
    }
    return texts;
}

TEST(RetainedStore, agrees_with_a_model_after_10k_random_operations) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        RandomTopics topics(seed);
        RetainedStore store;
        Model model;
        for (int i = 0; i < 10'000; ++i) {
            change(store, model, topics, i);
            if (i % 10 != 0) continue;
            const std::string filter = topics.filter();
            ASSERT_EQ(collected(store, filter), collected(model, filter)) << filter;
            ASSERT_EQ(store.count(), model.size());
        }
        for (const auto& [topic, payload] : model) store.clear(topic);
        EXPECT_EQ(store.bytes(), 0U);
        EXPECT_EQ(collected(store, "#"), Texts{});
    }
}

void write_5k_random_changes(RetainedStore& store, unsigned seed) {
    RandomTopics topics(seed);
    for (int i = 0; i < 5'000; ++i) {
        const std::string topic = topics.topic();
        if (topics.below(3) == 0) {
            store.clear(topic);
        } else {
            store.set(message(topic, "payload", i % 3));
        }
    }
}

// Writers of the same topics, a reader of all and a sweeper: what is left must add up.
TEST(RetainedStoreStress, adds_up_after_concurrent_changes) {
    RetainedStore store({.count_max = 40, .bytes_max = 0});
    std::atomic<unsigned> writing{2};
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 2; ++seed) {
        threads.emplace_back([&, seed] {
            write_5k_random_changes(store, seed);
            writing.fetch_sub(1);
        });
    }
    threads.emplace_back([&] {
        while (writing.load() > 0) {
            collected(store, "#", 1);
            collected(store, "+/a", 1);
            store.drop_expired(1);
            store.find("a");
        }
    });
    for (std::thread& thread : threads) thread.join();

    std::vector<MessageRef> left;
    store.collect("#", 0, left);
    EXPECT_LE(left.size(), 40U);
    store.collect("$SYS/#", 0, left);  // What is the broker's is not limited.
    std::size_t bytes = 0;
    for (const MessageRef& one : left) {
        bytes += one->bytes();
        EXPECT_FALSE(one->is_superseded());
    }
    EXPECT_EQ(store.count(), left.size());
    EXPECT_EQ(store.bytes(), bytes);
}

}  // namespace
}  // namespace broker
