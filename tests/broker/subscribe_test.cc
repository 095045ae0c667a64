// SUBSCRIBE, UNSUBSCRIBE, and what their options mean for a message.
#include "support/broker_fixture.h"

namespace support {
namespace {

class Subscribe : public BrokerTest {};

TEST_F(Subscribe, MQTT_3_3_4_2_MQTT311_3_3_5_1_overlapping_ones_get_one_copy_at_the_highest_qos) {
    for (const Version version : {v3_1_1, v5}) {
        client("a").join({.version = version}).subscribe("x/#", 0).subscribe("x/+", 2);
        client("a").subscribe("x/y", 1).expect(suback).expect(suback).expect(suback);
        client("b").join().publish("x/y", "hi", {.qos = 2});
        client("a").expect_publish("x/y", "hi", 2).expect_nothing();
    }
}

TEST_F(Subscribe, allow_duplicate_messages_gives_one_copy_for_each) {
    options.allow_duplicate_messages = true;
    client("a").join().subscribe("x/#", 0).subscribe("x/y", 1).expect(suback).expect(suback);
    client("b").join().publish("x/y", "hi", {.qos = 2});
    client("a").expect(publish_type).expect(publish_type).expect_nothing();
}

TEST_F(Subscribe, MQTT_3_3_4_4_all_subscription_identifiers_are_sent) {
    client("a").join({.version = v5}).subscribe("x/#", {.qos = 0, .id = 7}).expect(suback);
    client("a").subscribe("x/y", {.qos = 1, .id = 268'435'455}).expect(suback);
    client("a").subscribe("+/y", {.qos = 1}).expect(suback);
    client("b").join().publish("x/y", "hi", {.qos = 1}).publish("x/z", "hi");
    client("a").expect_publish("x/y", "hi", 1);
    std::vector<std::uint32_t> ids = client("a").last().subscription_ids;
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ((std::vector<std::uint32_t>{7, 268'435'455}), ids);
    client("a").expect_publish("x/z", "hi", 0);
    EXPECT_EQ((std::vector<std::uint32_t>{7}), client("a").last().subscription_ids);
}

TEST_F(Subscribe, MQTT_3_3_4_3_identifiers_survive_the_queue) {
    client("a").join(persistent(v5)).subscribe("x/#", {.qos = 1, .id = 7}).expect(suback);
    client("a").subscribe("x/y", {.qos = 1, .id = 8}).expect(suback).drop();
    client("b").join().publish("x/y", "hi", {.qos = 1});
    client("a").manual_acks().join(persistent(v5)).expect_publish("x/y", "hi", 1);
    EXPECT_EQ(2U, client("a").last().subscription_ids.size());
    client("a").drop().join(persistent(v5)).expect_publish("x/y", "hi", 1);
    EXPECT_EQ(2U, client("a").last().subscription_ids.size());
}

TEST_F(Subscribe, two_clients_with_different_identifiers_get_their_own) {
    client("a").join({.version = v5}).subscribe("x", {.id = 1}).expect(suback);
    client("b").join({.version = v5}).subscribe("x", {.id = 2}).expect(suback);
    client("c").join({.version = v5}).subscribe("x").expect(suback);
    client("c").publish("x", "hi").expect_publish("x", "hi");
    EXPECT_TRUE(client("c").last().subscription_ids.empty());
    client("a").expect_publish("x", "hi");
    EXPECT_EQ(std::vector<std::uint32_t>{1}, client("a").last().subscription_ids);
    client("b").expect_publish("x", "hi");
    EXPECT_EQ(std::vector<std::uint32_t>{2}, client("b").last().subscription_ids);
}

TEST_F(Subscribe, MQTT_3_8_4_3_the_same_filter_replaces_the_subscription) {
    client("a").join({.version = v5}).subscribe("x", {.qos = 2, .id = 1}).expect(suback);
    client("a").subscribe("x", {.qos = 0, .id = 2}).expect(suback);
    client("b").join().publish("x", "hi", {.qos = 2});
    client("a").expect_publish("x", "hi", 0).expect_nothing();
    EXPECT_EQ(std::vector<std::uint32_t>{2}, client("a").last().subscription_ids);
    EXPECT_EQ(1U, count(&broker::Counters::subscriptions));
}

TEST_F(Subscribe, MQTT_3_8_3_3_no_local_keeps_a_client_s_own_messages_away) {
    client("a").join({.version = v5}).subscribe("x", {.no_local = true}).expect(suback);
    client("a").publish("x", "mine").expect_nothing();
    client("b").join().publish("x", "yours");
    client("a").expect_publish("x", "yours").expect_nothing();
}

TEST_F(Subscribe, a_bridge_below_version_5_gets_no_echo_and_retain_as_published) {
    for (const Version version : {v3_1, v3_1_1}) {
        client("bridge").join({.version = version, .is_bridge = true});
        client("bridge").subscribe("x", 1).expect(suback).publish("x", "own", {.qos = 1});
        client("bridge").expect(puback).expect_nothing();
        client("a").join().publish("x", "kept", {.qos = 1, .retain = true}).expect(puback);
        client("bridge").expect_publish("x", "kept", 1);
        EXPECT_TRUE(client("bridge").last().retain);
        client("a").publish("x", "", {.qos = 1, .retain = true}).disconnect();
        client("bridge").disconnect().ignore_all();
    }
}

TEST_F(Subscribe, no_local_holds_for_retained_messages_of_the_same_client) {
    client("a").join({.version = v5}).publish("x", "mine", {.retain = true}).disconnect();
    client("a").join({.version = v5}).subscribe("x", {.no_local = true});
    client("a").expect(suback).expect_nothing();
}

TEST_F(Subscribe, no_local_does_not_take_a_later_client_for_an_older_one) {
    client("a").join({.version = v5}).publish("x", "from a", {.retain = true}).disconnect();
    client("b").join({.version = v5}).subscribe("x", {.no_local = true}).expect(suback);
    client("b").expect_publish("x", "from a");
}

TEST_F(Subscribe, MQTT_3_3_1_13_retain_as_published_keeps_the_flag) {
    client("a").join({.version = v5});
    client("a").subscribe("x", {.retain_as_published = true}).expect(suback);
    client("b").join().publish("x", "1", {.retain = true}).publish("x", "2");
    client("a").expect_publish("x", "1");
    EXPECT_TRUE(client("a").last().retain);
    client("a").expect_publish("x", "2");
    EXPECT_FALSE(client("a").last().retain);
}

TEST_F(Subscribe, MQTT_3_10_4_1_MQTT_3_10_4_2_unsubscribe_stops_messages) {
    client("a").join({.version = v5}).subscribe("x", 1).subscribe("y", 1).ignore_all();
    client("a").unsubscribe("x").expect(unsuback, ReasonCode::success);
    client("b").join().publish("x", "1", {.qos = 1}).publish("y", "1", {.qos = 1});
    client("a").expect_publish("y", "1", 1).expect_nothing();
    client("a").unsubscribe("x").expect(unsuback, ReasonCode::no_subscription_existed);
    client("a").unsubscribe("+").expect(unsuback, ReasonCode::no_subscription_existed);
}

TEST_F(Subscribe, MQTT311_3_10_4_3_what_was_queued_is_delivered_after_unsubscribe) {
    options.inflight_messages_max = 1;
    client("a").join().manual_acks().subscribe("x", 1).expect(suback);
    client("b").join().publish("x", "1", {.qos = 1}).publish("x", "2", {.qos = 1});
    client("a").unsubscribe("x").expect_publish("x", "1", 1).expect(unsuback).ack(puback, 1);
    client("a").expect_publish("x", "2", 1);
}

TEST_F(Subscribe, MQTT_4_13_1_1_MQTT311_4_8_0_1_a_malformed_filter_ends_the_connection) {
    for (const char* filter : {"a/#/b", "a+", "#a"}) {
        client("five").join({.version = v5}).subscribe(filter, 1);
        client("five").expect(disconnected, ReasonCode::malformed_packet).expect_closed();
        client("five").join({.version = v5}).unsubscribe(filter);
        client("five").expect(disconnected, ReasonCode::malformed_packet).expect_closed();
        client("four").join().subscribe(filter, 1).expect_closed();
        client("four").join().unsubscribe(filter).expect_closed();
    }
}

TEST_F(Subscribe, MQTT_3_9_3_2_MQTT311_3_8_4_5_who_may_not_is_told) {
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.access != broker::Access::subscribe;
    };
    client("five").join({.version = v5}).subscribe("x", 1);
    client("five").expect(suback, ReasonCode::not_authorized);
    client("four").join().subscribe("x", 1).expect(suback, ReasonCode::unspecified_error);
    client("four").publish("x", "1").expect_nothing();
}

TEST_F(Subscribe, MQTT311_4_7_2_1_wildcards_do_not_reach_dollar_topics) {
    client("a").join().subscribe("#").subscribe("+/x").expect(suback).expect(suback);
    client("b").join().subscribe("$other/#").expect(suback).publish("$other/x", "1");
    client("a").expect_nothing();
    client("b").expect_publish("$other/x", "1");
}

// Retained messages and subscriptions.

TEST_F(Subscribe,
       MQTT311_3_3_1_5_MQTT311_3_3_1_6_MQTT311_3_3_1_8_a_new_subscription_gets_what_is_retained) {
    client("pub").join().publish("a/1", "one", {.qos = 1, .retain = true}).expect(puback);
    client("pub").publish("a/2", "two", {.retain = true}).publish("b", "no", {.retain = true});
    client("sub").join().subscribe("a/1", 2).expect(suback).expect_publish("a/1", "one", 1);
    EXPECT_TRUE(client("sub").last().retain);
    client("sub").subscribe("a/+").expect(suback).expect(publish_type).expect(publish_type);
    client("sub").expect_nothing();
}

TEST_F(
    Subscribe,
    MQTT311_3_3_1_7_MQTT311_3_3_1_10_MQTT311_3_3_1_12_the_last_replaces_and_an_empty_one_clears) {
    client("pub").join().publish("x", "1", {.retain = true}).publish("x", "2", {.retain = true});
    client("pub").publish("x", "3");
    client("sub").join().subscribe("x").expect(suback).expect_publish("x", "2").expect_nothing();
    client("pub").publish("x", "", {.retain = true});
    client("sub").expect_publish("x", "").subscribe("x").expect(suback).expect_nothing();
    EXPECT_EQ(0U, world().broker().retained().count());
}

TEST_F(Subscribe, retain_handling) {
    struct Row {
        const char* sentence;
        RetainHandling handling;
        int want_first;
        int want_again;
    };
    const Row rows[] = {{"MQTT-3.3.1-9: 0 sends always", RetainHandling::send, 1, 1},
                        {"MQTT-3.3.1-10: 1 sends to new ones", RetainHandling::send_if_new, 1, 0},
                        {"MQTT-3.3.1-11: 2 sends never", RetainHandling::do_not_send, 0, 0}};
    client("pub").join().publish("x", "kept", {.retain = true});
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        TestClient& a = client(row.sentence).join({.version = v5});
        for (const int want : {row.want_first, row.want_again}) {
            a.subscribe("x", {.retain_handling = row.handling}).expect(suback);
            if (want != 0) a.expect_publish("x", "kept");
            a.expect_nothing();
        }
    }
}

TEST_F(Subscribe, a_retained_message_that_expired_is_not_sent) {
    client("pub").join({.version = v5}).publish("x", "1", {.retain = true, .expiry_s = 10});
    advance(4s);
    client("sub").join({.version = v5}).subscribe("x").expect(suback).expect_publish("x", "1");
    EXPECT_EQ(std::uint32_t{6}, client("sub").last().expiry_s);
    advance(6s);
    client("sub").subscribe("x").expect(suback).expect_nothing();
}

TEST_F(Subscribe, an_old_retained_message_never_follows_a_new_one) {
    options.inflight_messages_max = 1;
    client("pub").join();
    client("pub").publish("x/1", "old", {.qos = 1, .retain = true});
    client("pub").publish("x/2", "old", {.qos = 1, .retain = true});
    client("sub").join().manual_acks().subscribe("x/#", 1).expect(suback).expect(publish_type);
    const std::string first = client("sub").last().topic;
    const std::string second = first == "x/1" ? "x/2" : "x/1";
    client("pub").publish(second, "new", {.qos = 1, .retain = true});
    client("sub").ack(puback, 1).expect_publish(second, "new", 1).ack(puback, 2).expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(Subscribe, retained_messages_carry_the_subscription_identifier) {
    client("pub").join().publish("x", "1", {.retain = true});
    client("sub").join({.version = v5}).subscribe("x", {.id = 5}).expect(suback);
    client("sub").expect_publish("x", "1");
    EXPECT_EQ(std::vector<std::uint32_t>{5}, client("sub").last().subscription_ids);
}

}  // namespace
}  // namespace support
