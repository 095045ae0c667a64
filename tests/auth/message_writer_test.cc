// Messages on their way to tables: batches, what is refused, what is tried again, and the end.
#include "auth/message_writer.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

#include "support/fake_clock.h"
#include "support/fake_log.h"

namespace auth {
namespace {

using Strings = std::vector<std::string>;
using namespace std::chrono_literals;

MessageQueue::Limits small(std::size_t batch = 3) {
    return {.messages_max = 1000, .batch_messages_max = batch, .fill = 0ms};
}

MessageRow row(std::string_view topic, std::string_view payload = "x") {
    return {.message = broker::Message::make({topic, base::as_bytes(payload), {}})};
}

Strings topics_of(std::span<const MessageRow> rows) {
    Strings topics;
    for (const MessageRow& each : rows) topics.emplace_back(each.message->topic());
    return topics;
}

TEST(MessageQueue, gives_batches_in_order_and_counts_until_they_are_released) {
    MessageQueue queue(small());
    for (const char* topic : {"1", "2", "3", "4"}) ASSERT_TRUE(queue.put(row(topic)));
    const auto first = queue.take();
    EXPECT_EQ(topics_of(first), (Strings{"1", "2", "3"}));
    EXPECT_EQ(queue.waiting(), 4U);
    queue.release(first);
    EXPECT_EQ(queue.waiting(), 1U);
    const auto second = queue.take();
    EXPECT_EQ(topics_of(second), Strings{"4"});
    queue.release(second);
    EXPECT_EQ(queue.waiting_bytes(), 0U);
}

TEST(MessageQueue, refuses_what_is_beyond_its_limits) {
    const std::size_t bytes = row("1").bytes();
    MessageQueue by_number({.messages_max = 2});
    MessageQueue by_bytes({.bytes_max = 2 * bytes});
    for (MessageQueue* queue : {&by_number, &by_bytes}) {
        EXPECT_TRUE(queue->put(row("1")));
        EXPECT_TRUE(queue->put(row("2")));
        EXPECT_FALSE(queue->put(row("3")));
        EXPECT_EQ(queue->waiting(), 2U);
        EXPECT_EQ(queue->waiting_bytes(), 2 * bytes);
    }
}

TEST(MessageQueue, a_large_message_is_a_batch_by_itself) {
    MessageQueue queue({.batch_bytes_max = 4096, .fill = 0ms});
    const std::string large(10'000, 'x');
    ASSERT_TRUE(queue.put(row("1")) && queue.put(row("2", large)) && queue.put(row("3")));
    EXPECT_EQ(topics_of(queue.take()), Strings{"1"});
    EXPECT_EQ(topics_of(queue.take()), Strings{"2"});
    EXPECT_EQ(topics_of(queue.take()), Strings{"3"});
}

TEST(MessageQueue, a_full_batch_and_the_end_wait_for_nothing) {
    MessageQueue queue({.batch_messages_max = 2, .fill = std::chrono::hours(1)});
    ASSERT_TRUE(queue.put(row("1")) && queue.put(row("2")) && queue.put(row("3")));
    EXPECT_EQ(topics_of(queue.take()), (Strings{"1", "2"}));
    queue.finish();
    EXPECT_EQ(topics_of(queue.take()), Strings{"3"});
    EXPECT_TRUE(queue.take().empty());
    EXPECT_FALSE(queue.rest(std::chrono::hours(1)));
    EXPECT_FALSE(queue.put(row("4")));
}

TEST(MessageQueue, wakes_who_waits_for_a_first_message_and_for_a_full_batch) {
    MessageQueue queue({.batch_messages_max = 2, .fill = std::chrono::hours(1)});
    auto taken = std::async(std::launch::async, [&] { return topics_of(queue.take()); });
    ASSERT_TRUE(queue.put(row("1")) && queue.put(row("2")));
    EXPECT_EQ(taken.get(), (Strings{"1", "2"}));
}

// A database that is lost for the next lost_ statements, and refuses the topics bad_, or one of
// them once, or all. What came of it is looked at after finish().
class Writer : public ::testing::Test {
protected:
    base::Result<void, SqlError> insert(const std::string& table,
                                        std::span<const MessageRow> rows) {
        ++statements_;
        if (lost_ > 0) {
            --lost_;
            return base::fail(SqlError{"gone", true});
        }
        for (const std::string& topic : topics_of(rows)) {
            if (all_bad_ || bad_.contains(topic)) return base::fail(SqlError{"bad " + topic});
            if (topic == once_bad_) return base::fail(SqlError{std::exchange(once_bad_, "")});
        }
        for (const std::string& topic : topics_of(rows)) stored_.push_back(table + ":" + topic);
        return {};
    }
    MessageWriter& writer() {
        if (writer_) return *writer_;
        MessageWriter::Settings settings;
        settings.tables = {{"t", {"a/#", "+/1"}, "f:1"}, {"u", {"+/+"}, "f:2"}};
        settings.queue = limits_;
        settings.pause = 1ms;
        settings.finish_within = std::chrono::hours(1);
        writer_ = std::make_unique<MessageWriter>(
            std::move(settings),
            [this](const std::string& table, auto rows) { return insert(table, rows); }, log_);
        return *writer_;
    }
    bool publish(const std::string& topic) {
        broker::Publication publication;
        publication.topic = topic;
        return writer().take(publication, {"client", "user", clock_});
    }
    // Until nothing waits any more.
    void wait() {
        while (writer().figures().waiting > 0) std::this_thread::yield();
    }
    void drain() {
        writer().start();
        writer().finish();
    }

    MessageQueue::Limits limits_ = small(1000);
    std::set<std::string> bad_;
    std::string once_bad_ = "none";
    int lost_ = 0;
    std::atomic<bool> all_bad_{false};  // A test changes it while the writer runs, and
    std::atomic<int> statements_{0};    // looks at this one, but at nothing else.
    Strings stored_;
    support::FakeLog log_;
    support::FakeClock clock_;
    std::unique_ptr<MessageWriter> writer_;
};

TEST_F(Writer, a_message_goes_once_to_each_table_that_wants_it) {
    EXPECT_TRUE(publish("a/1") && publish("a/b/c") && publish("b/2") && publish("none"));
    EXPECT_TRUE(publish("a/3"));
    drain();
    EXPECT_EQ(stored_, (Strings{"t:a/1", "t:a/b/c", "t:a/3", "u:a/1", "u:b/2", "u:a/3"}));
    EXPECT_EQ(statements_, 2);
    EXPECT_EQ(writer().figures().stored, 6U);
    EXPECT_EQ(writer().figures().waiting, 0U);
}

TEST_F(Writer, says_if_there_is_no_room) {
    limits_.messages_max = 3;
    EXPECT_TRUE(publish("a/1"));
    EXPECT_FALSE(publish("a/2"));
    EXPECT_TRUE(publish("none"));
    EXPECT_EQ(writer().figures().refused, 1U);
    drain();
    EXPECT_EQ(writer().figures().stored, 3U);
}

TEST_F(Writer, what_is_lost_is_tried_again_and_nothing_else_meanwhile) {
    limits_.batch_messages_max = 2;
    lost_ = 5;
    for (const char* topic : {"b/2", "b/3", "b/4"}) EXPECT_TRUE(publish(topic));
    writer().start();
    wait();
    writer().finish();
    EXPECT_EQ(stored_, (Strings{"u:b/2", "u:b/3", "u:b/4"}));
    EXPECT_EQ(statements_, 7);
    EXPECT_EQ(writer().figures().dropped, 0U);
}

TEST_F(Writer, what_is_refused_twice_is_dropped_and_the_others_are_stored) {
    bad_ = {"b/17", "b/90"};
    Strings want;
    for (int i = 0; i < 100; ++i) {
        const std::string topic = "b/" + std::to_string(i + 2);
        if (!bad_.contains(topic)) want.push_back("u:" + topic);
        EXPECT_TRUE(publish(topic));
    }
    drain();
    EXPECT_EQ(stored_, want);
    EXPECT_LT(statements_, 40);
    EXPECT_EQ(writer().figures().stored, 98U);
    EXPECT_EQ(writer().figures().dropped, 2U);
    EXPECT_EQ(log_.count("Error: f:2: mysql_store: table u refuses a message to 'b/17': bad b/17. "
                         "It is not stored; 1 of this table so far."),
              1U);
    EXPECT_FALSE(log_.contains("b/90"));  // Once a minute.
}

TEST_F(Writer, an_error_of_the_moment_costs_no_message) {
    once_bad_ = "b/2";
    EXPECT_TRUE(publish("b/2"));
    drain();
    EXPECT_EQ(stored_, Strings{"u:b/2"});
    EXPECT_EQ(writer().figures().dropped, 0U);
}

TEST_F(Writer, a_broken_table_costs_two_statements_a_batch_and_is_found_to_work_again) {
    constexpr std::size_t batch = MessageWriter::refusals_max;
    limits_ = {.batch_messages_max = batch, .fill = std::chrono::hours(1)};
    all_bad_ = true;
    writer().start();
    for (const std::size_t dropped : {batch, 2 * batch}) {
        statements_ = 0;
        for (std::size_t i = 0; i < batch; ++i) EXPECT_TRUE(publish("b/2"));
        wait();
        EXPECT_EQ(writer().figures().dropped, dropped);
    }
    EXPECT_EQ(statements_, 2);
    all_bad_ = false;
    EXPECT_TRUE(publish("b/3") && publish("b/4"));
    writer().finish();
    EXPECT_EQ(stored_, (Strings{"u:b/3", "u:b/4"}));
}

TEST_F(Writer, gives_up_at_the_end_and_says_what_is_lost) {
    limits_.batch_messages_max = 2;
    lost_ = 1'000'000;
    for (const char* topic : {"b/2", "b/3", "b/4"}) EXPECT_TRUE(publish(topic));
    drain();
    EXPECT_EQ(stored_, Strings{});
    EXPECT_EQ(writer().figures().dropped, 3U);
    EXPECT_EQ(writer().figures().waiting, 0U);
    EXPECT_TRUE(log_.contains("mysql_store: 3 messages are not stored"));
    EXPECT_FALSE(publish("b/5"));
    EXPECT_LT(statements_, 1000);
}

}  // namespace
}  // namespace auth
