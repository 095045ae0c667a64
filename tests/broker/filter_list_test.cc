#include "broker/filter_list.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace broker {
namespace {

TEST(FilterList, AgreesWithASetWhateverComesAndGoes) {
    std::mt19937 random(7);
    FilterList list;
    std::set<std::string> wanted;
    for (int i = 0; i < 20'000; ++i) {
        const std::string filter = fmt::format("a/{}/+", random() % 200);
        // Long for a while, then short, then long again.
        const bool adds = random() % 100 < (i / 4000 % 2 == 0 ? 70U : 30U);
        if (!adds) {
            EXPECT_EQ(list.remove(filter), wanted.erase(filter) == 1) << i;
        } else if (wanted.insert(filter).second) {
            list.add(filter);
        }
        ASSERT_EQ(list.size(), wanted.size());
    }
    EXPECT_EQ(std::set<std::string>(list.begin(), list.end()), wanted);
    while (!list.empty()) EXPECT_EQ(wanted.erase(list.take_any()), 1U);
    EXPECT_TRUE(wanted.empty());
}

// Quadratic would be ten thousand million steps.
TEST(FilterList, AHundredThousandComeAndGoAtOnce) {
    FilterList list;
    for (int i = 0; i < 100'000; ++i) list.add(std::to_string(i));
    for (int i = 0; i < 100'000; ++i) EXPECT_TRUE(list.remove(std::to_string(i)));
    EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace broker
