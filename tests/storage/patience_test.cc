// How long a group waits for clients: as a write takes, and rarely where that is in vain.
#include "storage/patience.h"

#include <gtest/gtest.h>

namespace storage {
namespace {

using namespace std::chrono_literals;

TEST(Patience, is_what_writes_take_of_late_and_has_a_limit) {
    Patience patience(10ms);
    EXPECT_EQ(10ms, patience.next()) << "nothing was written yet";
    for (int i = 0; i < 100; ++i) patience.learn_write(1ms);
    EXPECT_LT(patience.next(), 1100us);
    EXPECT_GE(patience.next(), 1ms);
    for (int i = 0; i < 100; ++i) patience.learn_write(40ms);
    EXPECT_EQ(10ms, patience.next());
    Patience none(0ms);
    none.learn_write(5ms);
    EXPECT_EQ(0ms, none.next());
}

TEST(Patience, waits_more_and_more_rarely_in_vain) {
    Patience patience(10ms);
    std::vector<int> rests;
    for (int time = 0; time < 8; ++time) {
        EXPECT_EQ(10ms, patience.next());
        patience.learn(false);
        int rest = 0;
        while (patience.next() == 0ms) ++rest;
        rests.push_back(rest);
    }
    EXPECT_EQ((std::vector<int>{1, 3, 7, 15, 31, 63, 63, 63}), rests);
}

TEST(Patience, once_is_worth_it_and_every_group_waits_again) {
    Patience patience(10ms);
    for (int i = 0; i < 5; ++i) patience.learn(false);
    patience.learn(true);
    EXPECT_EQ(10ms, patience.next());
    patience.learn(false);
    EXPECT_EQ(0ms, patience.next());
    EXPECT_EQ(10ms, patience.next());
}

}  // namespace
}  // namespace storage
