// Reference counts, locks that own their data, and the hash: under ThreadSanitizer too.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "base/hash.h"
#include "base/ref_counted.h"

namespace base {
namespace {

struct Counted : RefCounted<Counted> {
    explicit Counted(std::atomic<int>& counter) : deaths(&counter) {}
    static void destroy(const Counted* self) {
        ++*self->deaths;
        delete self;
    }
    std::atomic<int>* deaths;
    int value = 42;
};

TEST(Ref, TheLastOwnerDestroysOnce) {
    std::atomic<int> deaths{0};
    Ref<Counted> first = Ref<Counted>::adopt(new Counted(deaths));
    EXPECT_FALSE(first->is_shared());
    Ref<Counted> second = first;
    EXPECT_TRUE(first->is_shared());
    Ref<Counted> third = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): this is what a move leaves.
    second = third;
    third = Ref<Counted>();
    EXPECT_EQ(deaths, 0);
    const Ref<Counted>& alias = second;
    second = alias;
    EXPECT_EQ(second->value, 42);
    second = Ref<Counted>();
    EXPECT_EQ(deaths, 1);
}

void copy_ten_times(const Ref<Counted>& shared) {
    for (int i = 0; i < 10; ++i) {
        // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): what is tested.
        const Ref<Counted> copy = shared;
        ASSERT_EQ(copy->value, 42);
    }
}

TEST(Ref, ThreadsShareAndDropWithoutALock) {
    std::atomic<int> deaths{0};
    constexpr int rounds = 200;
    for (int round = 0; round < rounds; ++round) {
        Ref<Counted> shared = Ref<Counted>::adopt(new Counted(deaths));
        std::vector<std::thread> threads;
        threads.reserve(3);
        for (int i = 0; i < 3; ++i) threads.emplace_back(copy_ten_times, shared);
        shared = Ref<Counted>();
        for (std::thread& thread : threads) thread.join();
    }
    EXPECT_EQ(deaths, rounds);
}

using GuardedMap = Guarded<std::map<int, int>, std::shared_mutex>;

void add_500(GuardedMap& guarded) {
    for (int i = 0; i < 500; ++i) {
        guarded.with([i](auto& map) { ++map[i % 7]; });
        guarded.read([](const auto& map) { ASSERT_LE(map.size(), 7U); });
    }
}

TEST(Guarded, SerialisesWritersAndLetsReadersIn) {
    GuardedMap guarded;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; ++i) threads.emplace_back([&guarded] { add_500(guarded); });
    for (std::thread& thread : threads) thread.join();
    const int sum = guarded.read([](const auto& map) {
        int total = 0;
        for (const auto& [key, value] : map) total += value;
        return total;
    });
    EXPECT_EQ(sum, 2000);
}

TEST(Hash, IsStableAndSpreads) {
    EXPECT_EQ(hash("sensors/1"), hash(std::string("sensors/") + "1"));
    EXPECT_NE(hash(""), hash(std::string_view("\0", 1)));
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 10'000; ++i) seen.insert(hash("client-" + std::to_string(i)));
    EXPECT_EQ(seen.size(), 10'000U);

    std::unordered_map<std::string, int, TextHash, std::equal_to<>> map{{"a", 1}};
    EXPECT_EQ(map.find(std::string_view("a"))->second, 1);
}

}  // namespace
}  // namespace base
