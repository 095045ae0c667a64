// What MQTT says of SUBSCRIBE and UNSUBSCRIBE and their answers, statement by statement.
#include "broker/both_versions.h"

namespace support {
namespace {

using Codes = std::vector<std::uint8_t>;

class SubscribeRules : public BothVersions {};
INSTANTIATE_TEST_SUITE_P(In, SubscribeRules, both_versions, version_name);

TEST_P(SubscribeRules,
       MQTT_2_2_1_6_MQTT_3_8_4_2_MQTT311_2_3_1_7_MQTT311_3_8_4_2_suback_has_its_id) {
    join("a");
    for (const PacketId id : {PacketId{1}, PacketId{77}, PacketId{65'535}}) {
        subscribe(client("a"), id, {{"x"}});
        EXPECT_EQ(id, client("a").expect(suback).last().id);
    }
    client("a").expect_nothing();
}

TEST_P(SubscribeRules, MQTT_3_8_4_1_MQTT311_3_8_4_1_every_subscribe_is_answered) {
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.topic != "secret";
    };
    join("a").subscribe("x").expect(suback).subscribe("x").expect(suback);
    client("a").subscribe("secret").expect(suback).expect_nothing();
}

TEST_P(SubscribeRules, MQTT_3_8_4_4_MQTT311_3_8_4_3_a_replaced_subscription_misses_nothing) {
    join("pub").publish("x", "kept", {.qos = 1, .retain = true});
    join("sub").manual_acks().subscribe("x", 1).expect(suback).expect_publish("x", "kept", 1);
    client("pub").publish("x", "1", {.qos = 1});
    client("sub").subscribe("x", 0).expect_publish("x", "1", 1).expect(suback);
    client("sub").expect_publish("x", "kept", 0).expect_nothing();
    client("pub").publish("x", "2", {.qos = 1});
    client("sub").expect_publish("x", "2", 0).expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::subscriptions));
}

TEST_P(SubscribeRules, MQTT_3_8_4_4_MQTT311_3_8_4_3_what_waits_survives_a_replacement) {
    options.inflight_messages_max = 1;
    join("sub").manual_acks().subscribe("x", 1).expect(suback);
    join("pub").publish("x", "1", {.qos = 1}).publish("x", "2", {.qos = 1});
    client("sub").subscribe("x", 1).expect_publish("x", "1", 1).expect(suback);
    client("sub").ack(puback, client("sub").oldest_unacknowledged()).expect_publish("x", "2", 1);
}

TEST_P(SubscribeRules, MQTT_3_8_4_5_MQTT311_3_8_4_4_several_filters_are_as_several_packets) {
    join("pub").publish("b/1", "kept", {.retain = true});
    subscribe(join("a"), 9, {{"a", 0}, {"b/+", 1}, {"a", 2}, {"c", 2}});
    client("a").expect(suback).expect_publish("b/1", "kept").expect_nothing();
    client("pub").publish("a", "1", {.qos = 2}).publish("c", "1", {.qos = 1});
    client("a").expect_publish("a", "1", 2).expect_publish("c", "1", 1).expect_nothing();
    EXPECT_EQ(3U, count(&broker::Counters::subscriptions));
}

TEST_P(SubscribeRules, MQTT_3_8_4_6_MQTT_3_9_3_1_MQTT311_3_8_4_5_MQTT311_3_9_3_1_codes_in_order) {
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.topic != "secret";
    };
    subscribe(join("a"), 9, {{"a", 2}, {"secret", 1}, {"b", 0}, {"c", 1}});
    const std::uint8_t refused = is_v5() ? 0x87 : 0x80;
    EXPECT_EQ((Codes{2, refused, 0, 1}), client("a").expect(suback).last().reasons);
}

TEST_P(SubscribeRules, MQTT_3_8_4_7_MQTT311_3_8_4_5_a_code_is_what_was_granted) {
    listener.qos_max = mqtt::Qos::at_least_once;
    subscribe(join("a"), 9, {{"x/0", 0}, {"x/1", 1}, {"x/2", 2}});
    EXPECT_EQ((Codes{0, 1, 1}), client("a").expect(suback).last().reasons);
    broker::ListenerOptions unlimited;
    client("pub").on(unlimited).join(clean());
    for (const int qos : {0, 1, 2}) {
        const std::string topic = "x/" + std::to_string(qos);
        client("pub").publish(topic, "", {.qos = 2});
        client("a").expect_publish(topic, "", std::min(qos, 1));
    }
}

TEST_P(SubscribeRules, MQTT_3_8_4_8_MQTT311_3_8_4_6_the_lower_qos_is_delivered) {
    for (int granted = 0; granted <= 2; ++granted) {
        for (int sent = 0; sent <= 2; ++sent) {
            SCOPED_TRACE(std::to_string(granted) + " of " + std::to_string(sent));
            join("a").subscribe("x", granted).expect(suback);
            join("b").publish("x", "hi", {.qos = sent}).ignore_all();
            client("a").expect_publish("x", "hi", std::min(granted, sent)).expect_nothing();
        }
    }
}

TEST_P(SubscribeRules, MQTT_3_10_4_1_MQTT311_3_10_4_1_only_the_same_filter_is_deleted) {
    subscribe(join("a"), 1, {{"x/y"}, {"x/+"}, {"x/#"}, {"X/y"}, {"x/y/"}, {"x/\xC3\xA9"}});
    client("a").expect(suback);
    unsubscribe(client("a"), 2, {"x/y", "+/y", "#", "x", "x/Y", "x/e\xCC\x81"});
    client("a").expect(unsuback);
    EXPECT_EQ(5U, count(&broker::Counters::subscriptions));
    unsubscribe(client("a"), 3, {"x/+", "x/#"});
    join("b")
        .publish("x/y", "")
        .publish("X/y", "1")
        .publish("x/y/", "2")
        .publish("x/\xC3\xA9", "3");
    client("a").expect(unsuback).expect_publish("X/y", "1").expect_publish("x/y/", "2");
    client("a").expect_publish("x/\xC3\xA9", "3").expect_nothing();
}

TEST_P(SubscribeRules, MQTT_3_10_4_2_MQTT311_3_10_4_2_no_more_messages_are_added) {
    join_kept("a").subscribe("x", 1).expect(suback).unsubscribe("x").expect(unsuback);
    join("b").publish("x", "1", {.qos = 1}).expect(puback);
    client("a").expect_nothing().drop();
    client("b").publish("x", "2", {.qos = 1}).expect(puback);
    join_kept("a").expect_nothing();
}

TEST_P(SubscribeRules, MQTT_3_10_4_3_MQTT311_3_10_4_3_what_was_begun_is_completed) {
    join_kept("a").manual_acks().subscribe("x", 2).expect(suback);
    join("b").publish("x", "1", {.qos = 1}).publish("x", "2", {.qos = 2});
    client("a").expect_publish("x", "1", 1);
    const PacketId first = client("a").last().id;
    client("a").expect_publish("x", "2", 2).ack(pubrec, client("a").last().id).expect(pubrel);
    const PacketId second = client("a").last().id;
    client("a").unsubscribe("x").expect(unsuback).drop();
    join_kept("a").expect_publish("x", "1", 1);
    EXPECT_EQ(first, client("a").last().id);
    EXPECT_EQ(second, client("a").expect(pubrel).last().id);
    client("a").ack(puback, first).ack(pubcomp, second).drop();
    join_kept("a").expect_nothing();
}

TEST_P(SubscribeRules, MQTT_3_10_4_4_MQTT_3_10_4_5_MQTT311_3_10_4_4_unsuback_has_its_id) {
    join("a").subscribe("x").expect(suback);
    for (const PacketId id : {PacketId{1}, PacketId{77}, PacketId{65'535}}) {
        unsubscribe(client("a"), id, {"x"});
        EXPECT_EQ(id, client("a").expect(unsuback).last().id);
    }
    client("a").expect_nothing();
}

TEST_P(SubscribeRules, MQTT_2_2_1_6_MQTT311_3_10_4_5_nothing_to_delete_is_answered_too) {
    join("a").unsubscribe("never").expect(unsuback).expect_nothing();
    EXPECT_EQ(client("a").last_id(), client("a").last().id);
    EXPECT_EQ(is_v5() ? Codes{0x11} : Codes{}, client("a").last().reasons);
}

TEST_P(SubscribeRules, MQTT_3_10_4_6_MQTT311_3_10_4_6_several_filters_have_one_answer) {
    subscribe(join("a"), 1, {{"a"}, {"b"}, {"c"}});
    client("a").expect(suback);
    unsubscribe(client("a"), 2, {"a", "none", "c"});
    client("a").expect(unsuback).expect_nothing();
    join("b").publish("a", "").publish("b", "1").publish("c", "");
    client("a").expect_publish("b", "1").expect_nothing();
}

TEST_P(SubscribeRules, MQTT_3_11_3_1_MQTT_3_11_3_2_codes_of_unsuback_in_order) {
    subscribe(join("a"), 1, {{"a"}, {"b"}, {"c"}});
    client("a").expect(suback);
    unsubscribe(client("a"), 2, {"none", "c", "c", "a"});
    // 3.1.1 has no codes here.
    EXPECT_EQ(is_v5() ? (Codes{0x11, 0, 0x11, 0}) : Codes{},
              client("a").expect(unsuback).last().reasons);
}

}  // namespace
}  // namespace support
