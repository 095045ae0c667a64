#include "broker/shared_group.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "broker/shared_groups.h"

namespace broker {
namespace {

SharedMember member(std::uint32_t number) {
    return {.shard = number % 3, .session = SessionId{number}, .mark = 1};
}

// The sessions of `turns` turns: "112".
std::string turns(const SharedGroup& group, int turns, Among among = Among::everybody,
                  SharedStrategy strategy = SharedStrategy::round_robin) {
    std::string found;
    for (int i = 0; i < turns; ++i) {
        const auto chosen = group.choose(strategy, "t", 0, among);
        found += chosen ? std::to_string(static_cast<std::uint32_t>(chosen->session)) : "-";
    }
    return found;
}

TEST(SharedGroup, takes_turns_among_those_who_are_connected) {
    SharedGroups groups;
    const SharedGroupRef group = groups.join("g", "t", member(1), true);
    groups.join("g", "t", member(2), false);
    groups.join("g", "t", member(3), true);
    EXPECT_EQ("1313", turns(*group, 4));
    group->set_connected(member(2), true);
    EXPECT_EQ("321", turns(*group, 3));
    group->set_connected(member(1), false);
    group->set_connected(member(3), false);
    EXPECT_EQ("222", turns(*group, 3));
    groups.leave(*group, member(2));
    EXPECT_EQ("--", turns(*group, 2, Among::connected));
    EXPECT_NE("--", turns(*group, 2)) << "those who are away are better than nobody";
}

TEST(SharedGroup, another_attempt_meets_another_member) {
    for (const SharedStrategy strategy :
         {SharedStrategy::round_robin, SharedStrategy::sticky, SharedStrategy::hash}) {
        SharedGroups groups;
        const SharedGroupRef group = groups.join("g", "t", member(1), true);
        groups.join("g", "t", member(2), true);
        const auto first = group->choose(strategy, "t", 0, Among::everybody);
        const auto second = group->choose(strategy, "t", 1, Among::everybody);
        EXPECT_NE(first->session, second->session) << static_cast<int>(strategy);
    }
}

TEST(SharedGroup, changes_of_who_is_not_in_it_do_nothing) {
    SharedGroups groups;
    const SharedGroupRef group = groups.join("g", "t", member(1), true);
    group->set_connected(member(7), true);
    group->remove(member(7));
    EXPECT_EQ("11", turns(*group, 2));
    groups.leave(*group, member(1));
    EXPECT_EQ("-", turns(*group, 1));
}

std::vector<std::string> keys_for(SharedGroupCache& cache, std::string_view topic) {
    std::vector<std::string> keys;
    for (const SharedGroupRef& group : cache.groups_for(topic)) keys.emplace_back(group->key());
    std::sort(keys.begin(), keys.end());
    return keys;
}

using Keys = std::vector<std::string>;

TEST(SharedGroups, finds_every_group_of_every_matching_filter) {
    SharedGroups groups;
    SharedGroupCache cache(groups);
    EXPECT_EQ(Keys{}, keys_for(cache, "a/b"));
    const SharedGroupRef exact = groups.join("g", "a/b", member(1), true);
    const SharedGroupRef wild = groups.join("g", "a/+", member(1), true);
    groups.join("h", "a/+", member(1), true);
    groups.join("g", "x", member(1), true);
    EXPECT_EQ((Keys{"g/a/+", "g/a/b", "h/a/+"}), keys_for(cache, "a/b"));
    EXPECT_EQ(4U, groups.count());
    EXPECT_EQ(wild.get(), groups.find(wild->id()).get());
    groups.leave(*wild, member(1));
    groups.leave(*exact, member(1));
    EXPECT_EQ((Keys{"h/a/+"}), keys_for(cache, "a/b"));
    EXPECT_FALSE(groups.find(wild->id()));
    EXPECT_EQ(2U, groups.count());
}

TEST(SharedGroups, an_answer_of_very_many_groups_is_found_again_each_time) {
    SharedGroups groups;
    SharedGroupCache cache(groups);
    for (std::uint32_t i = 0; i < 100; ++i) {
        groups.join(std::to_string(i), "t", member(1), true);
    }
    EXPECT_EQ(100U, keys_for(cache, "t").size());
    EXPECT_EQ(100U, keys_for(cache, "t").size());
    const std::string too_long(1000, 't');
    EXPECT_EQ(Keys{}, keys_for(cache, too_long));
}

// Threads that publish while members come, connect, go and come again: whoever is chosen is one who
// was in the group, and the one who never goes is always found.
class Stress {
public:
    static constexpr std::uint32_t staying = 1'000'000;

    void run() {
        groups_.join("g", "t/+", member(staying), true);
        std::vector<std::thread> threads;
        for (std::uint32_t i = 0; i < 2; ++i) threads.emplace_back([this, i] { come_and_go(i); });
        for (std::uint32_t i = 0; i < 2; ++i) threads.emplace_back([this] { publish(); });
        for (std::thread& thread : threads) thread.join();
        EXPECT_EQ(0U, missed_.load());
        EXPECT_EQ(1U, groups_.count());
    }

private:
    static constexpr std::uint32_t rounds = 2'000;

    void come_and_go(std::uint32_t number) {
        for (std::uint32_t round = 0; round < rounds; ++round) {
            const SharedMember one = member(1 + number);
            const SharedGroupRef group = groups_.join("g", "t/+", one, round % 2 == 0);
            const SharedGroupRef other = groups_.join("h", "#", one, true);
            group->set_connected(one, round % 3 == 0);
            groups_.leave(*other, one);
            groups_.leave(*group, one);
        }
        done_.fetch_add(1);
    }
    void publish() {
        SharedGroupCache cache(groups_);
        while (done_.load() < 2) {
            bool found = false;
            for (const SharedGroupRef& group : cache.groups_for("t/1")) {
                const auto chosen =
                    group->choose(SharedStrategy::round_robin, "t/1", 0, Among::connected);
                if (group->key() == "g/t/+") found = chosen.has_value();
                if (chosen && chosen->mark != 1) missed_.fetch_add(1);
                groups_.find(group->id());
            }
            if (!found) missed_.fetch_add(1);
            std::this_thread::yield();
        }
    }

    SharedGroups groups_;
    std::atomic<std::uint32_t> done_{0};
    std::atomic<std::uint32_t> missed_{0};
};

TEST(SharedGroupsStress, members_come_and_go_while_others_publish) {
    Stress stress;
    stress.run();
}

}  // namespace
}  // namespace broker
