#include "net/inbox.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fixture.h"

namespace net {
namespace {

// A task that counts its runs; a large one does not fit inside a Task.
Task counting(const std::shared_ptr<int>& runs, bool large) {
    if (!large) return [runs] { ++*runs; };
    return [runs, filler = std::array<char, 200>{}] { *runs += 1 + filler[0]; };
}

TEST(Task, RunsMovesAndDestroysWhatItHolds) {
    struct Row {
        const char* sentence;
        bool large;
    };
    for (const Row& row : {Row{"inside", false}, Row{"on the heap", true}}) {
        SCOPED_TRACE(row.sentence);
        const auto alive = std::make_shared<int>(0);
        {
            Task task = counting(alive, row.large);
            EXPECT_EQ(alive.use_count(), 2);
            Task moved = std::move(task);
            EXPECT_FALSE(task);  // NOLINT(bugprone-use-after-move): this is what a move leaves.
            moved();
            moved = counting(alive, row.large);
            moved();
            EXPECT_EQ(alive.use_count(), 2);
        }
        EXPECT_EQ(*alive, 2);
        EXPECT_EQ(alive.use_count(), 1);
    }
}

TEST(Inbox, RunsInOrderAndWakesOnce) {
    int wakes = 0;
    Inbox inbox([](void* count) { ++*static_cast<int*>(count); }, &wakes);
    std::string order;
    inbox.post([&] {
        order += 'a';
        inbox.post([&] { order += 'c'; });
    });
    inbox.post([&] { order += 'b'; });
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(inbox.size(), 2U);
    inbox.run_all();
    EXPECT_EQ(order, "ab");
    EXPECT_EQ(wakes, 2) << "what a task posts needs a turn of its own";
    inbox.run_all();
    EXPECT_EQ(order, "abc");
}

TEST(Inbox, FullItRefusesTrafficButNotControl) {
    Inbox inbox([](void*) {}, nullptr, 2);
    int runs = 0;
    EXPECT_TRUE(inbox.try_post([&] { ++runs; }));
    EXPECT_TRUE(inbox.try_post([&] { ++runs; }));
    Task task = [&, owned = std::make_unique<int>(10)] { runs += *owned; };
    EXPECT_FALSE(inbox.try_post(std::move(task)));
    // NOLINTNEXTLINE(bugprone-use-after-move): try_post() moves only what it takes.
    EXPECT_TRUE(task) << "still the caller's";
    inbox.post([&] { ++runs; });
    inbox.run_all();
    EXPECT_EQ(runs, 3);
    EXPECT_TRUE(inbox.try_post(std::move(task)));
    inbox.run_all();
    EXPECT_EQ(runs, 13);
}

constexpr int posts = 5'000;

// Each task expects to run behind the one that was posted before it.
void post_in_order(Inbox& inbox, int& last) {
    for (int i = 1; i <= posts; ++i) {
        Task task = [&last, i] {
            EXPECT_EQ(last + 1, i);
            last = i;
        };
        // NOLINTNEXTLINE(bugprone-use-after-move): try_post() moves only what it takes.
        while (!inbox.try_post(std::move(task))) std::this_thread::yield();
    }
}

TEST(Inbox, ManyThreadsPostToALoopInTheirOrder) {
    constexpr int threads_count = 3;
    Host host;
    std::array<int, threads_count> last{};  // The loop's alone: TSan would see a race.
    int ended = 0;
    std::vector<std::thread> threads;
    const auto end_one = [&] {
        if (++ended == threads_count) host.loop->stop();
    };
    threads.reserve(threads_count);
    for (int& mine : last) {
        threads.emplace_back([&host, &mine, end_one] {
            post_in_order(host.loop->inbox(), mine);
            host.loop->inbox().post(end_one);
        });
    }
    host.loop->run(host);
    for (std::thread& thread : threads) thread.join();
    for (const int count : last) EXPECT_EQ(count, posts);
}

}  // namespace
}  // namespace net
