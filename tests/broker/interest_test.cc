#include "broker/interest.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "broker/random_topics.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

TEST(Interest, names_the_shards_of_every_matching_filter) {
    Interest interest;
    interest.add("a/b", 0);
    interest.add("a/+", 5);
    interest.add("#", 63);
    interest.add("x", 7);
    EXPECT_EQ(interest.shards_for("a/b"), 1ULL | 1ULL << 5 | 1ULL << 63);
    EXPECT_EQ(interest.shards_for("$SYS"), 0U);
    interest.remove("#", 63);
    interest.remove("a/b", 1);  // Never added.
    EXPECT_EQ(interest.shards_for("a/b"), 1ULL | 1ULL << 5);
    EXPECT_EQ(interest.filter_count(), 3U);
}

TEST(InterestCache, answers_again_until_something_changes) {
    Interest interest;
    InterestCache cache(interest, 8);
    EXPECT_EQ(cache.shards_for("a"), 0U);
    EXPECT_EQ(cache.shards_for("a"), 0U);
    EXPECT_EQ(cache.hits(), 1U);
    interest.add("+", 3);
    EXPECT_EQ(cache.shards_for("a"), 8U);
    interest.remove("+", 3);
    EXPECT_EQ(cache.shards_for("a"), 0U);
    EXPECT_EQ(cache.hits(), 1U);

    const std::string too_long(1000, 't');
    EXPECT_EQ(cache.shards_for(too_long), cache.shards_for(too_long));
    EXPECT_EQ(cache.hits(), 1U) << "a topic that long is not kept";
}

using Model = std::map<std::string, std::uint64_t>;  // The shards of each filter.

void change(Interest& interest, Model& model, RandomTopics& topics) {
    const std::string filter = topics.filter();
    const unsigned shard = static_cast<unsigned>(topics.below(shards_max));
    const std::uint64_t bit = std::uint64_t{1} << shard;
    if (topics.below(2) == 0) {
        interest.add(filter, shard);
        model[filter] |= bit;
    } else {
        interest.remove(filter, shard);
        model[filter] &= ~bit;
    }
    if (model[filter] == 0) model.erase(filter);
}

std::uint64_t shards_for(const Model& model, std::string_view topic) {
    std::uint64_t shards = 0;
    for (const auto& [filter, mask] : model) {
        if (mqtt::matches(filter, topic)) shards |= mask;
    }
    return shards;
}

TEST(InterestCache, agrees_with_a_model_after_10k_random_operations) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        RandomTopics topics(seed);
        Interest interest;
        InterestCache cache(interest, 16);
        Model model;
        for (int i = 0; i < 10'000; ++i) {
            change(interest, model, topics);
            if (i % 10 != 0) continue;
            const std::string topic = topics.topic();
            const std::uint64_t want = shards_for(model, topic);
            ASSERT_EQ(cache.shards_for(topic), want) << topic;
            ASSERT_EQ(cache.shards_for(topic), want) << topic;
            ASSERT_EQ(interest.filter_count(), model.size());
        }
    }
}

constexpr unsigned rounds = 1'000;

std::string number_of(unsigned round) {
    return std::to_string(round % 50);
}

// How far the threads of the stress are.
struct Progress {
    std::atomic<unsigned> added{0};
    std::atomic<unsigned> asked{0};
    std::atomic<unsigned> missed{0};
};

// Asks all the time, and looks at the answer once the round's filter is said to be there.
void ask(Interest& interest, Progress& progress) {
    InterestCache cache(interest, 64);
    for (unsigned round = 1; round <= rounds; ++round) {
        const std::string topic = "t/" + number_of(round);
        while (progress.added.load() < round) {
            cache.shards_for(topic);
            std::this_thread::yield();
        }
        if (cache.shards_for(topic) != 1ULL << round % shards_max) progress.missed.fetch_add(1);
        progress.asked.fetch_add(1);
    }
}

void change_other_filters(Interest& interest, const Progress& progress) {
    while (progress.added.load() < rounds) {
        interest.add("other/+/#", 1);
        interest.remove("other/+/#", 1);
        std::this_thread::yield();
    }
}

// One thread adds and says so; the others then ask through their caches, which must see it, while a
// fourth changes other filters all the time.
TEST(InterestStress, who_asks_after_add_returned_sees_it) {
    constexpr unsigned readers = 3;
    Interest interest;
    Progress progress;
    std::vector<std::thread> threads;
    for (unsigned reader = 0; reader < readers; ++reader) {
        threads.emplace_back([&] { ask(interest, progress); });
    }
    threads.emplace_back([&] { change_other_filters(interest, progress); });
    for (unsigned round = 1; round <= rounds; ++round) {
        const std::string filter = (round % 2 == 0 ? "t/" : "+/") + number_of(round);
        interest.add(filter, round % shards_max);
        progress.added.store(round);
        while (progress.asked.load() < round * readers) std::this_thread::yield();
        interest.remove(filter, round % shards_max);
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(progress.missed.load(), 0U);
    EXPECT_EQ(interest.filter_count(), 0U);
}

}  // namespace
}  // namespace broker
