// What waits for a client, its limits, and the counters of what they refused.
#include "support/broker_fixture.h"

namespace support {
namespace {

class Queue : public BrokerTest {
protected:
    // A subscriber of "x" that is away, and a publisher.
    void away(int qos, Version version = v3_1_1) {
        client("sub").join(persistent(version)).subscribe("x", qos).expect(suback).drop();
        client("pub").join();
    }
    void publish(std::initializer_list<const char*> payloads, int qos) {
        for (const char* payload : payloads) client("pub").publish("x", payload, {.qos = qos});
    }
    void expect_on_return(std::initializer_list<const char*> payloads, int qos) {
        client("sub").join(persistent());
        for (const char* payload : payloads) client("sub").expect_publish("x", payload, qos);
        client("sub").expect_nothing();
        EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
        EXPECT_EQ(0U, count(&broker::Counters::queued_bytes));
    }
};

TEST_F(Queue, MQTT311_3_1_2_5_qos_1_and_2_wait_and_qos_0_does_not) {
    away(2);
    publish({"0"}, 0);
    publish({"1", "2"}, 1);
    EXPECT_EQ(2U, count(&broker::Counters::queued_messages));
    EXPECT_EQ(2U, count(&broker::Counters::queued_bytes));
    expect_on_return({"1", "2"}, 1);
    EXPECT_EQ(0U, world().shard(0).counters().dropped());
}

TEST_F(Queue, queue_qos0_messages_keeps_qos_0_too) {
    options.queue_qos0_messages = true;
    away(0);
    publish({"1", "2"}, 1);
    expect_on_return({"1", "2"}, 0);
}

TEST_F(Queue, upgrade_outgoing_qos_takes_the_subscription_s) {
    options.upgrade_outgoing_qos = true;
    away(2);
    publish({"1"}, 0);
    expect_on_return({"1"}, 2);
    client("pub").publish("y", "live").publish("y", "kept", {.retain = true});
    client("sub").subscribe("y", 1).expect(suback).expect_publish("y", "kept", 1);
    client("pub").publish("y", "live");
    client("sub").expect_publish("y", "live", 1);
}

TEST_F(Queue, max_queued_messages_drops_the_newest_and_counts) {
    options.queued_messages_max = 2;
    away(1);
    publish({"1", "2", "3"}, 1);
    EXPECT_EQ(1U, count(&broker::Counters::dropped_queue_full));
    expect_on_return({"1", "2"}, 1);
}

TEST_F(Queue, max_queued_bytes_drops_and_counts) {
    options.queued_bytes_max = 10;
    away(1);
    publish({"12345", "123456", "12345", "1"}, 1);
    EXPECT_EQ(2U, count(&broker::Counters::dropped_queue_full));
    expect_on_return({"12345", "12345"}, 1);
    client("sub").drop();
    publish({"1234567890"}, 1);
    expect_on_return({"1234567890"}, 1);
}

TEST_F(Queue, limits_hold_for_connected_clients_behind_their_window) {
    options.inflight_messages_max = 1;
    options.queued_messages_max = 2;
    client("sub").join().manual_acks().subscribe("x", 1).expect(suback);
    client("pub").join();
    publish({"1", "2", "3", "4"}, 1);
    EXPECT_EQ(1U, count(&broker::Counters::dropped_queue_full));
    client("sub").expect_publish("x", "1", 1).expect_nothing().ack(puback, 1);
    client("sub").expect_publish("x", "2", 1).ack(puback, 2).expect_publish("x", "3", 1);
    client("sub").ack(puback, 3).expect_nothing();
}

TEST_F(Queue, max_inflight_bytes_closes_the_window) {
    options.inflight_bytes_max = 10;
    client("sub").join().manual_acks().subscribe("x", 1).expect(suback);
    client("pub").join();
    publish({"12345678901234567890", "2", "3"}, 1);
    client("sub").expect_publish("x", "12345678901234567890", 1).expect_nothing();
    client("sub").ack(puback, 1).expect_publish("x", "2", 1).expect_publish("x", "3", 1);
}

TEST_F(Queue, max_inflight_messages_0_is_the_client_s_receive_maximum) {
    options.inflight_messages_max = 0;
    client("sub").join({.version = v5}).manual_acks().subscribe("x", 1).expect(suback);
    EXPECT_FALSE(client("sub").last().receive_maximum);
    client("pub").join();
    for (int i = 0; i < 100; ++i) client("pub").publish("x", "m", {.qos = 1});
    EXPECT_EQ(100U, client("sub").waiting());
}

TEST_F(Queue, a_session_that_ends_frees_what_waited) {
    away(1);
    publish({"1", "2"}, 1);
    client("sub").join({.clean_start = true}).expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
    EXPECT_EQ(0U, count(&broker::Counters::queued_bytes));
}

TEST_F(Queue, queued_retained_messages_are_all_delivered) {
    client("sub").join(persistent(v5));
    client("sub").subscribe("x", {.qos = 1, .retain_as_published = true}).expect(suback).drop();
    client("pub").join().publish("x", "1", {.qos = 1, .retain = true});
    client("pub").publish("x", "2", {.qos = 1, .retain = true});
    client("pub").publish("x", "", {.qos = 1, .retain = true});
    client("sub").join(persistent(v5)).expect_publish("x", "1", 1).expect_publish("x", "2", 1);
    client("sub").expect_publish("x", "", 1).expect_nothing();
}

TEST_F(Queue, a_thousand_messages_drain_in_order) {
    options.queued_messages_max = 0;
    away(2);
    for (int i = 0; i < 3000; ++i)
        client("pub").publish("x", std::to_string(i), {.qos = 2, .id = 1}).ack(pubrel, 1);
    client("sub").join(persistent());
    for (int i = 0; i < 3000; ++i) client("sub").expect_publish("x", std::to_string(i), 2);
    client("sub").expect_nothing();
}

// A reader that does not read.

TEST_F(Queue, a_slow_reader_loses_qos_0_and_nothing_else) {
    options.output_bytes_max = 10'000;
    client("sub").join().subscribe("x", 1).expect(suback).take(0);
    client("pub").join();
    const std::string kilobyte(1000, 'k');
    for (int i = 0; i < 30; ++i) client("pub").publish("x", kilobyte);
    for (int i = 0; i < 5; ++i) client("pub").publish("x", "must", {.qos = 1});
    const std::uint64_t dropped = count(&broker::Counters::dropped_output_full);
    EXPECT_GT(dropped, 15U);
    client("sub").take_everything();
    for (std::uint64_t i = dropped; i < 30; ++i) client("sub").expect_publish("x", kilobyte);
    for (int i = 0; i < 5; ++i) client("sub").expect_publish("x", "must", 1);
    client("sub").expect_nothing();
}

TEST_F(Queue, who_sends_and_never_reads_is_no_longer_read) {
    options.output_bytes_max = 100;
    client("deaf").join().take(0);
    for (int i = 0; i < 100; ++i) client("deaf").ping();  // 200 bytes of PINGRESP are twice that.
    EXPECT_FALSE(client("deaf").wire().is_paused);
    client("deaf").ping().ping();
    EXPECT_TRUE(client("deaf").wire().is_paused);
    client("deaf").take_everything();
    EXPECT_FALSE(client("deaf").wire().is_paused);
    for (int i = 0; i < 101; ++i) client("deaf").expect(pingresp);
}

TEST_F(Queue, retained_messages_in_line_outlive_the_connection_of_a_session_that_goes_on) {
    for (const char* topic : {"r/1", "r/2", "r/3"}) {
        client("a").join().publish(topic, "x", {.qos = 1, .retain = true}).expect(puback);
    }
    client("a").publish("r/0", "x", {.retain = true});
    ConnectTerms terms = persistent(v5);
    terms.receive_maximum = 1;
    client("b").manual_acks().join(terms).subscribe("r/+", 1).expect(suback);
    client("b").drop();
    EXPECT_EQ(3U, count(&broker::Counters::queued_messages)) << "QoS 0 was for the connection";
    client("b").auto_acks().join(terms);
    std::set<std::string> got;
    for (int i = 0; i < 3; ++i) {
        client("b").expect(publish_type);
        got.insert(client("b").last().topic);
    }
    EXPECT_EQ((std::set<std::string>{"r/1", "r/2", "r/3"}), got);
    client("b").expect_nothing();
}

TEST_F(Queue, many_retained_messages_are_paced_by_the_reader) {
    client("pub").join();
    const std::string kilobyte(1000, 'k');
    for (int i = 0; i < 2000; ++i) {
        client("pub").publish("t/" + std::to_string(i), kilobyte, {.retain = true});
    }
    client("sub").join().take(100).subscribe("t/#");
    EXPECT_LT(client("sub").wire().output().size(), 300'000U);
    client("sub").take(500'000);
    EXPECT_LT(client("sub").wire().output().size(), 300'000U);
    client("sub").take_everything().expect(suback);
    EXPECT_EQ(2000U, client("sub").waiting());
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(Queue, many_retained_messages_need_more_than_one_turn) {
    client("pub").join();
    for (int i = 0; i < 3500; ++i) {
        client("pub").publish("t/" + std::to_string(i), "k", {.qos = 1, .retain = true});
    }
    client("sub").join().subscribe("t/#", 0).expect(suback);
    EXPECT_EQ(3500U, client("sub").waiting());
    client("slow").join().subscribe("t/#", 1).expect(suback);
    EXPECT_EQ(3500U, client("slow").waiting());
}

TEST_F(Queue, expired_retained_messages_leave_though_nobody_asks) {
    client("pub").join({.version = v5});
    for (int i = 0; i < 50; ++i) {
        const std::string topic = std::to_string(i) + "/t";
        client("pub").publish(topic, "x", {.retain = true, .expiry_s = 5});
    }
    client("pub").publish("stays", "x", {.retain = true});
    EXPECT_EQ(51U, world().shard(0).broker().retained().count());
    client("pub").disconnect();
    advance(40min);
    EXPECT_EQ(1U, world().shard(0).broker().retained().count());
}

}  // namespace
}  // namespace support
