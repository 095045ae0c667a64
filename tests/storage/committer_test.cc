// Groups: what joins them, what leaves them, who is told when, and what a full or broken disk does.
#include "storage/committer.h"

#include <gtest/gtest.h>

#include <latch>

#include "storage/changes.h"
#include "storage/memory_engine.h"
#include "support/fake_log.h"

namespace storage {
namespace {

using broker::MessageDone;
using Kind = EngineError::Kind;
using namespace std::chrono_literals;

class CommitterTest : public ::testing::Test {
protected:
    Committer& committer() {
        if (!committer_) {
            committer_ = std::make_unique<Committer>(engine, ledger, log, options);
            committer_->start([this](std::uint32_t shard) {
                const std::lock_guard lock(mutex_);
                ++wakes_[shard];
                woken_.notify_all();
            });
        }
        return *committer_;
    }
    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch batch) {
        return committer().append(shard, batch);
    }
    void wait_until(const std::function<bool()>& is_so) {
        std::unique_lock lock(mutex_);
        woken_.wait(lock, is_so);
    }
    void wait_for_commit(std::uint32_t shard, broker::CommitNumber number) {
        wait_until([&] { return committer().committed(shard) >= number; });
    }
    std::size_t wakes(std::uint32_t shard) {
        const std::lock_guard lock(mutex_);
        return wakes_[shard];
    }
    // The engine is in the middle of a first group from now on.
    void hold_first_group() {
        engine.hold();
        append(0, batch_of(session(1)));
        engine.wait_for_tries(1);
    }

    MemoryEngine engine;
    Ledger ledger;
    support::FakeLog log;
    CommitterOptions options{.shards = 2, .retry_first = 1ms, .retry_longest = 2ms};

private:
    std::mutex mutex_;
    std::condition_variable woken_;
    std::map<std::uint32_t, std::size_t> wakes_;
    std::unique_ptr<Committer> committer_;
};

TEST_F(CommitterTest, batches_of_all_shards_that_come_meanwhile_are_one_group) {
    hold_first_group();
    for (std::uint64_t i = 0; i < 100; ++i) {
        append(i % 2, batch_of(queued(1, i + 1, message("m"))));
    }
    EXPECT_EQ(0U, committer().committed(0));
    engine.release();
    wait_for_commit(0, 51);
    wait_for_commit(1, 50);
    EXPECT_EQ(2U, engine.writes());
    EXPECT_EQ(2U, engine.syncs());
    EXPECT_EQ(101U, committer().figures().writes);
}

TEST_F(CommitterTest, a_shard_is_woken_only_for_its_own_batches) {
    wait_for_commit(0, append(0, batch_of(session(1))));
    EXPECT_EQ(0U, wakes(1));
    wait_for_commit(1, append(1, batch_of(session(2))));
    committer().finish();
    EXPECT_EQ(1U, wakes(0));
    EXPECT_EQ(1U, wakes(1));
}

TEST_F(CommitterTest, a_message_acknowledged_before_its_group_is_written_is_not) {
    hold_first_group();
    append(0, batch_of(queued(1, 1, message("fast")), queued(1, 2, message("slow"))));
    append(0, batch_of(MessageDone{SessionNumber{1}, 1}));
    engine.release();
    wait_for_commit(0, 3);
    EXPECT_EQ(2U, engine.records().size()) << "the session and one message";
    append(0, batch_of(queued(1, 3, message("fast"))));
    committer().finish();
}

TEST_F(CommitterTest, a_group_that_comes_to_nothing_is_not_written_but_committed) {
    hold_first_group();
    append(0, batch_of(queued(1, 1, message("m"))));
    append(0, batch_of(MessageDone{SessionNumber{1}, 1}));
    engine.release();
    wait_for_commit(0, 3);
    EXPECT_EQ(1U, engine.tries());
}

// With its client, since it was kept.
broker::MessageKept in_flight(std::uint64_t order, mqtt::Qos qos = mqtt::Qos::at_least_once) {
    broker::MessageKept kept = queued(1, order, message("m"));
    kept.qos = qos;
    kept.packet_id = static_cast<mqtt::PacketId>(order);
    kept.state = qos == mqtt::Qos::at_least_once ? broker::OutgoingState::wait_puback
                                                 : broker::OutgoingState::wait_pubrec;
    return kept;
}

TEST_F(CommitterTest, a_group_of_what_is_with_clients_waits_until_they_acknowledge) {
    options.patience = 1h;
    wait_for_commit(0, append(0, batch_of(session(1))));
    for (std::uint64_t order = 1; order <= 100; ++order) {
        append(0, batch_of(in_flight(order)));
        wait_for_commit(0, append(0, batch_of(MessageDone{SessionNumber{1}, order})));
    }
    EXPECT_EQ(1U, engine.tries()) << "the session only";
}

TEST_F(CommitterTest, what_no_client_can_make_superfluous_is_written_at_once) {
    options.patience = 1h;
    wait_for_commit(0, append(0, batch_of(session(1))));
    wait_for_commit(0, append(0, batch_of(in_flight(1), queued(1, 2, message("m")))));
    wait_for_commit(0, append(0, batch_of(in_flight(3, mqtt::Qos::exactly_once))));
    wait_for_commit(0, append(0, batch_of(MessageDone{SessionNumber{1}, 1})));
    append(0, batch_of(in_flight(4)));
    wait_for_commit(0, append(0, batch_of(session(2))));
    EXPECT_EQ(5U, engine.tries());
}

TEST_F(CommitterTest, nobody_waits_for_clients_at_the_end) {
    options.patience = 1h;
    append(0, batch_of(session(1)));
    wait_for_commit(0, 1);
    append(0, batch_of(in_flight(1)));
    committer().finish();
    EXPECT_EQ(2U, committer().committed(0));
    EXPECT_EQ(2U, engine.tries());
}

TEST_F(CommitterTest, a_client_that_takes_too_long_is_not_waited_for) {
    options.patience = 1ms;
    wait_for_commit(0, append(0, batch_of(session(1))));
    wait_for_commit(0, append(0, batch_of(in_flight(1))));
    EXPECT_EQ(2U, engine.tries());
}

TEST_F(CommitterTest, an_empty_batch_is_committed_too) {
    wait_for_commit(0, append(0, {}));
    EXPECT_EQ(0U, engine.tries());
}

TEST_F(CommitterTest, level_process_does_not_sync) {
    options.sync = false;
    wait_for_commit(0, append(0, batch_of(session(1))));
    EXPECT_EQ(1U, engine.writes());
    EXPECT_EQ(0U, engine.syncs());
}

TEST_F(CommitterTest, without_space_nothing_is_committed_until_there_is_some) {
    engine.break_by(Kind::no_space);
    const auto number = append(0, batch_of(session(1)));
    engine.wait_for_tries(5);
    EXPECT_TRUE(committer().figures().is_out_of_space);
    EXPECT_EQ(0U, committer().committed(0));
    engine.break_by({});
    wait_for_commit(0, number);
    EXPECT_EQ(1U, engine.records().size());
    committer().finish();
    EXPECT_FALSE(committer().figures().is_out_of_space);
    EXPECT_EQ(1U, log.count("has no space left"));
    EXPECT_EQ(1U, log.count("has space again"));
}

TEST_F(CommitterTest, the_broker_can_end_without_space) {
    engine.break_by(Kind::no_space);
    append(0, batch_of(session(1)));
    engine.wait_for_tries(2);
    committer().finish();
    EXPECT_EQ(0U, committer().committed(0));
    EXPECT_TRUE(log.contains("ends without space"));
}

TEST_F(CommitterTest, without_a_thread_its_owner_says_when_a_group_is_written) {
    options.has_thread = false;
    EXPECT_EQ(WriteAttempt::nothing_waits, committer().write_group());
    append(0, batch_of(session(1)));
    append(1, batch_of(session(2)));
    EXPECT_EQ(0U, engine.tries());
    engine.break_by(Kind::no_space);
    EXPECT_EQ(WriteAttempt::no_space, committer().write_group());
    append(0, batch_of(session(3)));
    engine.break_by({});
    EXPECT_EQ(WriteAttempt::done, committer().write_group());
    EXPECT_EQ(1U, committer().committed(0)) << "what came later is another group";
    EXPECT_EQ(1U, wakes(0));
    EXPECT_EQ(WriteAttempt::done, committer().write_group());
    EXPECT_EQ(2U, committer().committed(0));
    EXPECT_EQ(WriteAttempt::nothing_waits, committer().write_group());
}

TEST_F(CommitterTest, after_an_error_of_the_disk_nothing_is_written_or_committed_again) {
    wait_for_commit(0, append(0, batch_of(session(1))));
    engine.break_by(Kind::lost);
    append(0, batch_of(session(2)));
    engine.wait_for_tries(2);
    engine.break_by({});
    while (!committer().figures().has_failed) append(1, batch_of(session(3)));
    append(0, batch_of(session(4), session(5)));
    committer().finish();
    EXPECT_EQ(2U, engine.tries());
    EXPECT_EQ(1U, committer().committed(0));
    EXPECT_EQ(0U, committer().committed(1));
    EXPECT_LE(2U, committer().figures().dropped);
    EXPECT_EQ(1U, log.count("the store has failed: on purpose"));
}

TEST_F(CommitterTest, too_much_that_waits_holds_publishers_back_and_all_shards_hear_of_its_end) {
    options.waiting_bytes_max = 10'000;
    hold_first_group();
    EXPECT_FALSE(committer().is_behind());
    const auto number = append(0, batch_of(queued(1, 1, message(std::string(20'000, 'x')))));
    EXPECT_TRUE(committer().is_behind());
    EXPECT_LT(20'000U, committer().figures().waiting_bytes);
    engine.release();
    wait_for_commit(0, number);
    wait_until([&] { return !committer().is_behind(); });
    committer().finish();
    EXPECT_EQ(1U, wakes(1));
    EXPECT_EQ(1U, committer().figures().times_behind);
    EXPECT_EQ(0U, committer().figures().waiting_bytes);
}

TEST_F(CommitterTest, content_that_many_sessions_keep_counts_once_against_the_limit) {
    hold_first_group();
    const auto shared = message(std::string(1'000'000, 'x'));
    broker::ChangeBatch batch;
    for (std::uint64_t i = 1; i <= 100; ++i) batch.add(queued(i, 1, shared));
    append(0, std::move(batch));
    EXPECT_GT(1'100'000U, committer().figures().waiting_bytes);
    engine.release();
}

TEST_F(CommitterTest, finish_writes_what_waits) {
    hold_first_group();
    append(1, batch_of(session(2)));
    engine.release();
    committer().finish();
    EXPECT_EQ(1U, committer().committed(1));
    EXPECT_EQ(2U, engine.records().size());
}

TEST_F(CommitterTest, shards_append_side_by_side_and_see_their_own_numbers) {
    constexpr std::uint64_t rounds = 2000;
    append(0, batch_of(session(1)));
    std::latch together(2);
    const auto work = [&](std::uint32_t shard) {
        together.arrive_and_wait();
        broker::CommitNumber last = 0;
        for (std::uint64_t i = 1; i <= rounds; ++i) {
            broker::ChangeBatch batch = batch_of(broker::ReceivedKept{SessionNumber{1}, 1});
            const auto number = committer().append(shard, batch);
            EXPECT_LT(last, number);
            EXPECT_LE(committer().committed(shard), number);
            last = number;
        }
    };
    std::thread other([&] { work(1); });
    work(0);
    other.join();
    committer().finish();
    EXPECT_EQ(rounds + 1, committer().committed(0));
    EXPECT_EQ(rounds, committer().committed(1));
}

}  // namespace
}  // namespace storage
