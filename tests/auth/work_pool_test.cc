#include "auth/work_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>

#include "auth/late_answers.h"

namespace auth {
namespace {

using broker::AuthAnswer;

// Holds the only worker until it is let go.
class Held {
public:
    explicit Held(WorkPool& pool) {
        EXPECT_TRUE(pool.post([state = state_](std::size_t) {
            state->begun.set_value();
            state->go.get_future().wait();
        }));
        state_->begun.get_future().wait();
    }
    void let_go() { state_->go.set_value(); }

private:
    struct State {
        std::promise<void> begun;
        std::promise<void> go;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST(WorkPool, does_what_is_posted_on_numbered_workers) {
    WorkPool pool({.workers = 3, .queue_max = 100});
    std::atomic<int> done = 0;
    std::promise<void> all;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(pool.post([&](std::size_t worker) {
            EXPECT_LT(worker, 3U);
            if (++done == 100) all.set_value();
        })) << i;
    }
    all.get_future().wait();
    pool.finish();
    EXPECT_EQ(pool.done(), 100U);
    EXPECT_EQ(pool.refused(), 0U);
}

TEST(WorkPool, refuses_and_counts_what_is_too_much) {
    WorkPool pool({.workers = 1, .queue_max = 2});
    Held held(pool);
    const auto nothing = [](std::size_t) {};
    EXPECT_TRUE(pool.post(nothing));
    EXPECT_TRUE(pool.post(nothing));
    EXPECT_FALSE(pool.post(nothing));
    EXPECT_EQ(pool.waiting(), 2U);
    EXPECT_EQ(pool.refused(), 1U);
    held.let_go();
}

TEST(WorkPool, drops_at_its_end_what_waits) {
    bool was_done = false;
    WorkPool pool({.workers = 1, .queue_max = 2});
    Held held(pool);
    pool.post([&](std::size_t) { was_done = true; });
    std::thread end([&] { pool.finish(); });
    while (pool.waiting() > 0) std::this_thread::yield();
    held.let_go();
    end.join();
    EXPECT_FALSE(was_done);
    EXPECT_FALSE(pool.post([](std::size_t) {}));
}

struct Waiter : broker::AuthWaiter {
    void on_answer(AuthAnswer answer) override { got.push_back(std::move(answer)); }
    std::vector<AuthAnswer> got;
};

// The test's thread is the shard's.
class LateAnswersTest : public testing::Test {
protected:
    broker::AuthBegun begin(const std::string& name) {
        return answers_.begin(7, [name](std::size_t) { return AuthAnswer::accept(name); });
    }
    void TearDown() override { pool_.finish(); }
    // The next task that was posted to the shard.
    void run_one() {
        auto [shard, task] = posted_.get_future().get();
        posted_ = {};
        EXPECT_EQ(shard, 7U);
        task();
    }

    std::promise<std::pair<std::uint32_t, std::function<void()>>> posted_;
    WorkPool pool_{{.workers = 1, .queue_max = 1}};
    LateAnswers answers_{pool_, [this](std::uint32_t shard, std::function<void()> task) {
                             posted_.set_value({shard, std::move(task)});
                         }};
    Waiter waiter_;
};

TEST_F(LateAnswersTest, an_answer_comes_to_who_waits) {
    const auto begun = begin("ann");
    ASSERT_EQ(begun.answer.kind, AuthAnswer::Kind::later);
    begun.exchange->answer_to(waiter_);
    run_one();
    ASSERT_EQ(waiter_.got.size(), 1U);
    EXPECT_EQ(waiter_.got[0].kind, AuthAnswer::Kind::accepted);
    EXPECT_EQ(waiter_.got[0].user_name, "ann");
}

TEST_F(LateAnswersTest, an_answer_for_who_has_gone_is_dropped) {
    auto begun = begin("ann");
    begun.exchange->answer_to(waiter_);
    auto [shard, task] = posted_.get_future().get();
    begun.exchange.reset();
    task();
    EXPECT_TRUE(waiter_.got.empty());
}

TEST_F(LateAnswersTest, work_for_who_has_gone_is_not_begun) {
    Held held(pool_);
    bool was_done = false;
    auto begun = answers_.begin(7, [&](std::size_t) {
        was_done = true;
        return AuthAnswer::accept();
    });
    begun.exchange.reset();
    held.let_go();
    while (pool_.done() < 2) std::this_thread::yield();
    EXPECT_FALSE(was_done);
}

TEST_F(LateAnswersTest, the_server_is_busy_while_too_many_wait) {
    Held held(pool_);
    const auto waiting = begin("ann");
    const auto refused = begin("bob");
    EXPECT_EQ(refused.answer.kind, AuthAnswer::Kind::refused);
    EXPECT_EQ(refused.answer.reason, mqtt::ReasonCode::server_busy);
    EXPECT_EQ(refused.exchange, nullptr);
    held.let_go();
}

TEST_F(LateAnswersTest, who_waits_for_work_that_is_dropped_is_told_that_the_server_is_busy) {
    Held held(pool_);
    const auto begun = begin("ann");
    begun.exchange->answer_to(waiter_);
    std::thread end([&] { pool_.finish(); });
    run_one();
    held.let_go();
    end.join();
    ASSERT_EQ(waiter_.got.size(), 1U);
    EXPECT_EQ(waiter_.got[0].kind, AuthAnswer::Kind::refused);
    EXPECT_EQ(waiter_.got[0].reason, mqtt::ReasonCode::server_busy);
}

TEST_F(LateAnswersTest, a_question_that_is_dropped_has_an_answer_of_its_own) {
    Held held(pool_);
    std::string said;
    ASSERT_TRUE(answers_.ask(
        7, [&](std::size_t) { return [&] { said = "done"; }; }, [&] { said = "dropped"; }));
    std::thread end([&] { pool_.finish(); });
    run_one();
    held.let_go();
    end.join();
    EXPECT_EQ(said, "dropped");
}

}  // namespace
}  // namespace auth
