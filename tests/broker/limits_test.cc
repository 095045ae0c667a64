// What a client may take of the broker's time and memory, and what it is told beyond.
#include <fmt/format.h>

#include "support/broker_fixture.h"

namespace support {
namespace {

using broker::Counters;

class Limits : public BrokerTest {
protected:
    // "NAME/0/+" and so on.
    static std::vector<std::string> many_filters(int count, std::string_view name) {
        std::vector<std::string> filters(static_cast<std::size_t>(count));
        for (int i = 0; i < count; ++i) {
            filters[static_cast<std::size_t>(i)] = fmt::format("{}/{}/+", name, i);
        }
        return filters;
    }
    // All of them in one packet.
    std::vector<std::uint8_t> subscribe_many(int count, std::string_view name,
                                             Version version = v3_1_1) {
        const std::vector<std::string> filters = many_filters(count, name);
        std::vector<mqtt::SubscribeEntry> entries(filters.size());
        for (std::size_t i = 0; i < filters.size(); ++i) entries[i].filter = filters[i];
        std::vector<std::uint8_t> bytes;
        mqtt::Writer out(bytes);
        mqtt::encode_subscribe(out, {.id = 1}, entries, version);
        return bytes;
    }
};

TEST_F(Limits, a_session_with_many_filters_leaves_in_slices_and_gets_nothing_meanwhile) {
    client("a").join().send(subscribe_many(5000, "a")).expect(suback);
    client("b").join();
    const std::uint64_t before = count(&Counters::subscriptions);
    client("a").wire().connection->closed({});
    client("a").wire().connection.reset();
    EXPECT_EQ(before - count(&Counters::subscriptions), broker::Shard::filters_dropped_max);
    EXPECT_EQ(count(&Counters::sessions), 1U);
    // The same client is back before the old filters are gone: they are not its.
    client("a").connect().expect(connack, ReasonCode::success);
    client("b").publish("a/4999/x", "hi").publish("a/1/x", "hi");
    client("a").expect_nothing();
    EXPECT_EQ(count(&Counters::subscriptions), 0U);
    EXPECT_EQ(world().broker().interest().filter_count(), 0U);
}

TEST_F(Limits, what_waits_for_a_session_with_many_filters_is_dropped_with_it) {
    client("a").join(persistent()).send(subscribe_many(3000, "a")).expect(suback);
    client("a").subscribe("q", 1).expect(suback).drop();
    client("b").join().publish("q", "kept", {.qos = 1}).expect(puback);
    EXPECT_EQ(count(&Counters::queued_messages), 1U);
    client("a").connect().expect(connack, ReasonCode::success);
    EXPECT_EQ(count(&Counters::queued_messages), 0U);
    EXPECT_EQ(count(&Counters::subscriptions), 0U);
}

TEST_F(Limits, a_long_subscribe_takes_turns_and_is_answered_once) {
    options.packet_size_max = 0;
    client("a").join({.version = v5});
    client("b").join();
    client("b").publish("m/2999/x", "kept", {.retain = true});
    BrokerWorld::send(client("a").wire(), subscribe_many(3000, "m", v5));
    // The first slice, as the loop would have it done.
    const std::size_t consumed = client("a").wire().connection->on_bytes(client("a").wire().unread);
    EXPECT_EQ(consumed, 0U);
    EXPECT_EQ(count(&Counters::subscriptions), 1000U);
    EXPECT_TRUE(client("a").wire().is_paused);
    world().settle();
    client("a").expect(suback);
    EXPECT_EQ(client("a").last().reasons.size(), 3000U);
    client("a").expect_publish("m/2999/x", "kept").expect_nothing();
    EXPECT_EQ(count(&Counters::subscriptions), 3000U);
    EXPECT_EQ(count(&Counters::packets_received), 4U) << "one packet, however many turns";
    client("a").ping().expect(pingresp);
}

TEST_F(Limits, a_client_may_go_in_the_middle_of_a_long_subscribe) {
    client("a").join();
    BrokerWorld::send(client("a").wire(), subscribe_many(3000, "m"));
    client("a").wire().connection->on_bytes(client("a").wire().unread);
    client("a").drop();
    world().settle();
    EXPECT_EQ(count(&Counters::subscriptions), 0U);
    EXPECT_EQ(world().violation(), "");
}

TEST_F(Limits, a_long_unsubscribe_takes_turns_and_is_answered_once) {
    client("a").join({.version = v5}).send(subscribe_many(2500, "m", v5)).expect(suback);
    const std::vector<std::string> filters = many_filters(3000, "m");
    const std::vector<std::string_view> views(filters.begin(), filters.end());
    std::vector<std::uint8_t> bytes;
    mqtt::Writer out(bytes);
    mqtt::encode_unsubscribe(out, {.id = 2}, views, v5);
    client("a").send(bytes).expect(unsuback);
    const std::vector<std::uint8_t> reasons(client("a").last().reasons.begin(),
                                            client("a").last().reasons.end());
    ASSERT_EQ(reasons.size(), 3000U);
    EXPECT_EQ(reasons[2499], 0);
    EXPECT_EQ(reasons[2500], static_cast<int>(ReasonCode::no_subscription_existed));
    EXPECT_EQ(count(&Counters::subscriptions), 0U);
}

TEST_F(Limits, subscriptions_beyond_the_limit_are_refused_and_known_ones_replaced) {
    options.subscriptions_max = 2;
    client("a").join({.version = v5}).subscribe("1").expect(suback);
    client("a").subscribe("2").expect(suback);
    client("a").subscribe("3").expect(suback, ReasonCode::quota_exceeded);
    client("a").subscribe("2", 1).expect(suback, ReasonCode::granted_qos_1);
    client("a").unsubscribe("1").expect(unsuback);
    client("a").subscribe("3").expect(suback);
    EXPECT_TRUE(world().log.contains("max_subscriptions_per_client is reached"));
    const auto cause = static_cast<std::size_t>(broker::Refusal::subscription_limit);
    EXPECT_EQ(world().shard(0).counters().refused[cause].get(), 1U);
}

TEST_F(Limits, a_message_that_cannot_be_retained_is_refused) {
    options.retained_messages_max = 1;
    client("sub").join().subscribe("#").expect(suback);
    client("a").join({.version = v5}).publish("1", "x", {.qos = 1, .retain = true}).expect(puback);
    client("sub").expect_publish("1", "x");
    client("a").publish("2", "x", {.qos = 1, .retain = true});
    client("a").expect(puback, ReasonCode::quota_exceeded);
    client("a").publish("2", "x", {.qos = 2, .retain = true, .id = 9});
    client("a").expect(pubrec, ReasonCode::quota_exceeded);
    client("a").publish("2", "x", {.retain = true}).expect_nothing();
    client("old").join().publish("2", "x", {.qos = 1, .retain = true}).expect(puback);
    client("sub").expect_nothing();
    EXPECT_EQ(count(&Counters::dropped_retained), 4U);
    // What is there may be replaced and cleared, and then there is room; the identifier is free.
    client("a").publish("1", "y", {.qos = 1, .retain = true}).expect(puback, ReasonCode::success);
    client("a").publish("1", "", {.retain = true});
    client("a").publish("2", "z", {.qos = 2, .retain = true, .id = 9});
    client("a").expect(pubrec, ReasonCode::success);
}

TEST_F(Limits, a_will_that_cannot_be_retained_is_still_sent) {
    options.retained_messages_max = 1;
    client("sub").join().subscribe("w").expect(suback);
    client("a").join().publish("1", "x", {.retain = true});
    client("b").join({.will = WillTerms{.topic = "w", .payload = "gone", .retain = true}}).drop();
    client("sub").expect_publish("w", "gone");
}

TEST_F(Limits, a_new_limit_of_retained_messages_holds_from_the_reload_on) {
    client("a").join({.version = v5});
    for (const char* topic : {"1", "2"}) client("a").publish(topic, "x", {.retain = true});
    options.retained_bytes_max = 10;
    world().set_options(options);
    client("a").publish("3", "x", {.qos = 1, .retain = true});
    client("a").expect(puback, ReasonCode::quota_exceeded);
    EXPECT_EQ(world().broker().retained().count(), 2U);
}

TEST_F(Limits, retained_messages_expire_if_nothing_else_is_said) {
    options.retain_expiry_s = 60;
    client("live").join({.version = v5}).subscribe("t").expect(suback);
    client("a").join({.version = v5}).publish("t", "x", {.retain = true});
    client("live").expect_publish("t", "x");
    EXPECT_FALSE(client("live").last().expiry_s) << "only what is retained expires";
    client("a").publish("u", "x", {.retain = true, .expiry_s = 100});
    advance(59s);
    client("b").join().subscribe("t").expect(suback).expect_publish("t", "x");
    advance(2s);
    client("c").join().subscribe("t").expect(suback).expect_nothing();
    client("c").subscribe("u").expect(suback).expect_publish("u", "x");
}

TEST_F(Limits, retained_messages_do_not_line_up_without_end) {
    client("a").join();
    for (int i = 0; i < 2000; ++i) {
        client("a").publish(fmt::format("r/{}", i), "x", {.retain = true});
    }
    client("b").join().take(0);
    for (int i = 0; i < 100; ++i) client("b").subscribe("r/+");
    EXPECT_LE(count(&Counters::queued_messages), 100'000U);
    EXPECT_GT(count(&Counters::dropped_queue_full), 0U);
}

TEST_F(Limits, the_lines_about_one_offender_come_once_a_minute) {
    options.subscriptions_max = 1;
    client("a").join({.version = v5}).subscribe("1").expect(suback);
    for (int i = 0; i < 5; ++i) client("a").subscribe(fmt::format("x{}", i)).ignore_all();
    EXPECT_TRUE(world().log.contains("to x0 is refused"));
    EXPECT_FALSE(world().log.contains("to x1 is refused"));
    client("b").join({.version = v5}).subscribe("1").expect(suback);
    client("b").subscribe("y");
    EXPECT_TRUE(world().log.contains("to y is refused")) << "another offender";
    advance(60s);
    client("a").subscribe("z");
    EXPECT_TRUE(world().log.contains("to z is refused"));
    EXPECT_TRUE(world().log.contains("(4 more like it)"));
}

TEST(RefusalLog, writes_no_more_than_its_lines_however_many_offend) {
    FakeLog log;
    FakeClock clock;
    Counters counters;
    broker::RefusalLog refusals(log, clock, counters);
    const auto offend = [&](int who) {
        const std::string name = std::to_string(who);
        refusals.print(broker::Refusal::not_mqtt, name, "line of {}", name);
    };
    for (int i = 0; i < 10'000; ++i) offend(i);
    EXPECT_TRUE(log.contains("line of 299"));
    EXPECT_FALSE(log.contains("line of 300"));
    EXPECT_EQ(counters.refused[static_cast<std::size_t>(broker::Refusal::not_mqtt)].get(), 10'000U);
    clock.advance_to(clock.monotonic_ms() + 60'000);
    offend(10'001);
    EXPECT_TRUE(log.contains("9700 refusals were not logged: no more than 300 lines a minute."));
}

TEST(RefusalLog, each_cause_has_its_name) {
    EXPECT_EQ(broker::name_of(broker::Refusal::not_mqtt), "not_mqtt");
    EXPECT_EQ(broker::name_of(broker::Refusal::connect), "connect");
    EXPECT_EQ(broker::name_of(broker::Refusal::receive_maximum), "receive_maximum");
    EXPECT_EQ(broker::name_of(broker::Refusal::session_takeover), "session_takeover");
    EXPECT_EQ(broker::name_of(broker::Refusal::other), "other");
}

}  // namespace
}  // namespace support
