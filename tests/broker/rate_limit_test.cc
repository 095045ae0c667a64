// Clients that send faster than their listener allows.
#include "broker/rate_limit.h"

#include "support/broker_fixture.h"

namespace support {
namespace {

using broker::Refusal;
using broker::TokenBucket;

TEST(TokenBucket, holds_a_second_and_lets_debts_be_waited_for) {
    TokenBucket bucket(10, 5000);
    bucket.take(9);
    EXPECT_TRUE(bucket.has_token());
    bucket.take(3);
    EXPECT_FALSE(bucket.has_token());
    EXPECT_EQ(bucket.wait_ms(), 300U) << "two that are owed, and one";
    bucket.fill(5299);
    EXPECT_EQ(bucket.wait_ms(), 1U);
    bucket.fill(5300);
    EXPECT_TRUE(bucket.has_token());
    bucket.fill(60'000);
    bucket.take(10);
    EXPECT_FALSE(bucket.has_token());
}

TEST(TokenBucket, edges) {
    TokenBucket none(0, 0);
    none.take(UINT32_MAX);
    EXPECT_TRUE(none.has_token());
    EXPECT_EQ(none.wait_ms(), 0U);
    TokenBucket slow(1, 0);
    slow.take(268'435'460);
    EXPECT_EQ(slow.wait_ms(), std::uint64_t{268'435'460} * 1000) << "the largest packet";
    TokenBucket fast(INT32_MAX, 0);
    fast.take(INT32_MAX);
    EXPECT_EQ(fast.wait_ms(), 1U);
    for (const std::uint64_t now_ms : {std::uint64_t{1} << 32, std::uint64_t{1} << 62}) {
        fast.fill(now_ms);
        EXPECT_TRUE(fast.has_token());
        fast.take(INT32_MAX);
        EXPECT_FALSE(fast.has_token()) << "a second's worth, and no more";
    }
}

class RateLimits : public BrokerTest {
protected:
    void SetUp() override { client("reader").join().subscribe("#").expect(suback); }
    TestClient& sender() { return client("sender").on(limited); }
    void publish_many(int count) {
        for (int i = 0; i < count; ++i) sender().publish("t", std::to_string(i));
    }
    // In steps: what a timer has read again is not read before the next one.
    void pass(int tenths) {
        for (int i = 0; i < tenths; ++i) advance(100ms);
    }
    std::uint64_t refused(Refusal cause) {
        return world().shard(0).counters().refused[static_cast<std::size_t>(cause)].get();
    }

    broker::ListenerOptions limited;
};

TEST_F(RateLimits, messages_above_the_rate_wait_and_all_arrive_in_order) {
    limited.messages_per_s_max = 10;
    sender().join();
    publish_many(35);
    EXPECT_EQ(client("reader").waiting(), 10U);
    EXPECT_TRUE(sender().wire().is_paused);
    pass(10);
    EXPECT_GE(client("reader").waiting(), 18U);
    EXPECT_LE(client("reader").waiting(), 20U);
    pass(20);
    for (int i = 0; i < 35; ++i) client("reader").expect_publish("t", std::to_string(i));
    EXPECT_FALSE(sender().wire().is_paused);
    EXPECT_GT(refused(Refusal::message_rate), 5U);
    EXPECT_EQ(refused(Refusal::byte_rate), 0U);
}

TEST_F(RateLimits, only_messages_count_as_messages) {
    limited.messages_per_s_max = 1;
    sender().join();
    for (int i = 0; i < 20; ++i) sender().ping().expect(pingresp);
    publish_many(1);
    sender().ping().expect_nothing();
    advance(1100ms);
    sender().expect(pingresp);
}

TEST_F(RateLimits, bytes_above_the_rate_are_owed) {
    limited.bytes_per_s_max = 1000;
    sender().join().publish("t", std::string(5000, 'x')).ping().expect_nothing();
    client("reader").expect_publish("t", std::string(5000, 'x'));
    advance(4s - 200ms);
    sender().expect_nothing();
    advance(400ms);
    sender().expect(pingresp);
    EXPECT_EQ(refused(Refusal::byte_rate), 1U);
}

TEST_F(RateLimits, a_second_without_traffic_is_a_second_of_credit_and_an_hour_is_no_more) {
    limited.messages_per_s_max = 10;
    sender().join();
    advance(1h);
    publish_many(11);
    EXPECT_EQ(client("reader").waiting(), 10U);
}

TEST_F(RateLimits, who_waits_is_not_taken_for_silent_and_who_is_silent_is) {
    limited.bytes_per_s_max = 1000;
    sender().join({.keep_alive_s = 1}).publish("t", std::string(20'000, 'x')).ping();
    advance(18s);
    EXPECT_TRUE(sender().is_open());
    advance(1500ms);
    sender().expect(pingresp);
    advance(2s);
    EXPECT_FALSE(sender().is_open());
}

TEST_F(RateLimits, who_waits_may_be_taken_over_and_may_go) {
    limited.messages_per_s_max = 1;
    sender().join();
    publish_many(5);
    ASSERT_TRUE(sender().wire().is_paused);
    client("newer", "sender").on(limited).join();
    sender().expect_closed();
    client("newer").publish("t", "a").publish("t", "b");
    ASSERT_TRUE(client("newer").wire().is_paused);
    client("newer").drop();
    advance(10s);
    EXPECT_EQ(world().violation(), "");
}

// What backs up the other way has the connection read again, and must not lift the limit.
TEST_F(RateLimits, a_reader_that_catches_up_still_waits_to_send) {
    limited.messages_per_s_max = 1;
    sender().join().subscribe("#").expect(suback).take(0);
    publish_many(3);
    ASSERT_TRUE(sender().wire().is_paused);
    sender().take_everything();
    EXPECT_TRUE(sender().wire().is_paused);
    EXPECT_EQ(client("reader").waiting(), 1U);
    EXPECT_EQ(refused(Refusal::message_rate), 1U);
}

TEST_F(RateLimits, the_log_names_the_client_and_the_option_once_a_minute_for_a_listener) {
    limited.messages_per_s_max = 10;
    limited.port = 1899;
    sender().join();
    client("other").on(limited).join();
    publish_many(60);
    for (int i = 0; i < 20; ++i) client("other").publish("t", "x");
    advance(10s);
    EXPECT_TRUE(world().log.contains(
        "Client sender at fake is read more slowly: max_message_rate 10 of port 1899."));
    EXPECT_EQ(world().log.count("is read more slowly"), 1U);
}

TEST_F(RateLimits, others_have_none) {
    limited.messages_per_s_max = 1;
    client("free").join();
    for (int i = 0; i < 1000; ++i) client("free").publish("t", "x");
    EXPECT_EQ(client("reader").waiting(), 1000U);
    EXPECT_FALSE(client("free").wire().is_paused);
}

}  // namespace
}  // namespace support
