#include "base/ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <string>

namespace base {
namespace {

TEST(Ring, is_a_queue) {
    Ring<std::string> ring;
    EXPECT_TRUE(ring.empty());
    ring.push_back("a");
    ring.push_back("b");
    EXPECT_EQ(2U, ring.size());
    EXPECT_EQ("a", ring.front());
    EXPECT_EQ("b", ring[1]);
    ring.pop_front();
    EXPECT_EQ("b", ring.front());
    ring.clear();
    EXPECT_TRUE(ring.empty());
    ring.push_back("c");
    EXPECT_EQ("c", ring.front());
}

TEST(Ring, behaves_as_a_deque) {
    std::mt19937 random(3);
    Ring<int> ring;
    std::deque<int> model;
    for (int step = 0; step < 100'000; ++step) {
        // Grows and shrinks in waves, so that it wraps, grows while wrapped, and empties.
        const bool grows = random() % 1000 < (step / 5000 % 2 == 0 ? 600U : 400U);
        if (grows) {
            ring.push_back(step);
            model.push_back(step);
        } else if (!model.empty()) {
            ring.pop_front();
            model.pop_front();
        }
        ASSERT_EQ(model.size(), ring.size());
        if (model.empty()) continue;
        ASSERT_EQ(model.front(), ring.front());
        const std::size_t at = random() % model.size();
        ASSERT_EQ(model[at], ring[at]);
    }
}

TEST(Ring, releases_what_leaves_it) {
    const auto value = std::make_shared<int>(1);
    Ring<std::shared_ptr<int>> ring;
    for (int i = 0; i < 10; ++i) ring.push_back(value);
    EXPECT_EQ(11, value.use_count());
    ring.pop_front();
    EXPECT_EQ(10, value.use_count());
    ring.clear();
    EXPECT_EQ(1, value.use_count());
}

}  // namespace
}  // namespace base
