// What MQTT says of the delivery protocols, of order and of flow control, statement by statement.
#include <algorithm>

#include "broker/both_versions.h"

namespace support {
namespace {

class FlowRules : public BothVersions {
protected:
    // "sub" subscribes to "x" and acknowledges nothing by itself; "pub" is there to publish.
    TestClient& subscriber(int qos) {
        join("pub");
        return join_kept("sub").manual_acks().subscribe("x", qos).expect(suback);
    }
    TestClient& back() { return client("sub").drop().join(kept()); }
    void publish(std::string_view payload, int qos) {
        client("pub").publish("x", payload, {.qos = qos}).ignore_all();
        if (qos == 2) client("pub").ack(pubrel, client("pub").last_id()).ignore_all();
    }
    // The identifier of a message that "sub" gets now, for the first time.
    PacketId expect_new(std::string_view payload, int qos, Where where = Where::here()) {
        client("sub").expect_publish("x", payload, qos, where);
        EXPECT_FALSE(client("sub").last().dup);
        EXPECT_NE(0, client("sub").last().id);
        return client("sub").last().id;
    }
    void expect_again(std::string_view payload, int qos, PacketId id, Where where = Where::here()) {
        client("sub").expect_publish("x", payload, qos, where);
        EXPECT_TRUE(client("sub").last().dup);
        EXPECT_EQ(id, client("sub").last().id);
    }
};
INSTANTIATE_TEST_SUITE_P(In, FlowRules, both_versions, version_name);

TEST_P(FlowRules, MQTT_2_2_1_5_MQTT311_2_3_1_6_acknowledgements_name_their_publish) {
    TestClient& pub = subscriber(2);
    client("pub").publish("y", "", {.qos = 1, .id = 77}).expect(puback);
    EXPECT_EQ(77, client("pub").last().id);
    client("pub").publish("y", "", {.qos = 2, .id = 78}).expect(pubrec);
    EXPECT_EQ(78, client("pub").last().id);
    client("pub").ack(pubrel, 78).expect(pubcomp);
    EXPECT_EQ(78, client("pub").last().id);
    publish("1", 2);
    const PacketId id = expect_new("1", 2);
    EXPECT_EQ(id, pub.ack(pubrec, id).expect(pubrel).last().id);
}

TEST_P(FlowRules, MQTT_3_3_4_1_MQTT311_3_3_4_1_a_publish_is_answered_by_its_qos) {
    join("a").publish("x", "", {.qos = 0}).expect_nothing();
    client("a").publish("x", "", {.qos = 1}).expect(puback).expect_nothing();
    client("a").publish("x", "", {.qos = 2}).expect(pubrec).expect_nothing();
}

TEST_P(FlowRules, MQTT_3_3_1_2_MQTT_4_3_1_1_MQTT311_3_3_1_2_MQTT311_4_3_1_1_qos_0_has_no_dup) {
    options.queue_qos0_messages = true;
    subscriber(0);
    client("pub").publish("x", "1", {.qos = 2, .dup = true}).expect(pubrec);
    client("sub").expect_publish("x", "1", 0).drop();
    EXPECT_FALSE(client("sub").last().dup);
    publish("2", 1);
    client("sub").join(kept()).expect_publish("x", "2", 0);
    EXPECT_FALSE(client("sub").last().dup);
    EXPECT_EQ(0, client("sub").last().id);
    back().expect_nothing();
}

TEST_P(FlowRules, MQTT_4_3_2_1_MQTT_4_3_2_2_MQTT_4_3_2_3_MQTT311_4_3_2_1_the_sender_of_qos_1) {
    subscriber(1);
    publish("1", 1);
    publish("2", 1);
    const PacketId first = expect_new("1", 1);
    const PacketId second = expect_new("2", 1);
    EXPECT_NE(first, second);
    client("sub").ack(puback, first);
    back();
    expect_again("2", 1, second);
    client("sub").expect_nothing().ack(puback, second);
    back().expect_nothing();
}

TEST_P(FlowRules, MQTT_4_3_2_4_MQTT_4_3_2_5_MQTT311_4_3_2_2_the_receiver_of_qos_1) {
    subscriber(1);
    client("pub").publish("x", "1", {.qos = 1, .id = 5}).expect(puback);
    EXPECT_EQ(5, client("pub").last().id);
    client("pub").publish("x", "2", {.qos = 1, .dup = true, .id = 5}).expect(puback);
    expect_new("1", 1);
    expect_new("2", 1);
}

TEST_P(FlowRules, MQTT_4_3_3_1_MQTT_4_3_3_2_MQTT_4_3_3_3_a_publish_of_qos_2_waits_for_pubrec) {
    subscriber(2);
    publish("1", 2);
    publish("2", 2);
    const PacketId first = expect_new("1", 2);
    const PacketId second = expect_new("2", 2);
    EXPECT_NE(first, second);
    back();
    expect_again("1", 2, first);
    expect_again("2", 2, second);
    client("sub").expect_nothing();
}

TEST_P(FlowRules, MQTT_4_3_3_4_MQTT_4_3_3_5_MQTT_4_3_3_6_MQTT311_4_3_3_1_the_sender_of_pubrel) {
    subscriber(2);
    publish("1", 2);
    const PacketId id = expect_new("1", 2);
    EXPECT_EQ(id, client("sub").ack(pubrec, id).expect(pubrel).last().id);
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(id, back().expect(pubrel).last().id);
        client("sub").expect_nothing();
    }
    client("sub").ack(pubcomp, id);
    back().expect_nothing();
}

TEST_P(FlowRules, MQTT_4_3_3_8_MQTT_4_3_3_10_MQTT_4_3_3_12_MQTT311_4_3_3_2_the_receiver_of_qos_2) {
    subscriber(1);
    for (const char* payload : {"1", "2"}) {
        for (const bool dup : {false, true, true}) {
            client("pub").publish("x", payload, {.qos = 2, .dup = dup, .id = 5}).expect(pubrec);
            EXPECT_EQ(5, client("pub").last().id);
        }
        expect_new(payload, 1);
        client("sub").expect_nothing();
        client("pub").ack(pubrel, 5).expect(pubcomp);
    }
}

TEST_P(FlowRules, MQTT_4_3_3_11_MQTT311_4_3_3_2_pubrel_is_answered_every_time) {
    join("a").publish("x", "1", {.qos = 2, .id = 5}).expect(pubrec);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(5, client("a").ack(pubrel, 5).expect(pubcomp).last().id);
}

TEST_P(FlowRules, MQTT_4_4_0_1_MQTT311_4_4_0_1_nothing_is_sent_again_on_one_connection) {
    subscriber(2);
    publish("1", 1);
    publish("2", 2);
    publish("3", 2);
    expect_new("1", 1);
    expect_new("2", 2);
    const PacketId third = expect_new("3", 2);
    client("sub").ack(pubrec, third).expect(pubrel);
    advance(24h);
    client("sub").expect_nothing();
}

TEST_P(FlowRules, MQTT_4_5_0_1_MQTT311_3_1_2_5_MQTT311_4_5_0_1_every_subscriber_gets_it) {
    for (const char* name : {"here", "away", "elsewhere"}) {
        join_kept(name).subscribe("x/#", 1).expect(suback);
    }
    client("away").drop();
    client("elsewhere").subscribe("y").expect(suback).unsubscribe("x/#").expect(unsuback);
    join("pub").publish("x/y", "1", {.qos = 2}).expect(pubrec);
    client("here").expect_publish("x/y", "1", 1);
    client("elsewhere").expect_nothing();
    join_kept("away").expect_publish("x/y", "1", 1).expect_nothing();
}

TEST_P(FlowRules, MQTT_4_6_0_5_MQTT311_4_6_0_5_MQTT311_4_6_0_6_a_topic_keeps_its_order) {
    subscriber(2);
    client("sub").auto_acks();
    for (int i = 0; i < 30; ++i) publish(std::to_string(i), i % 3);
    for (int i = 0; i < 30; ++i) client("sub").expect_publish("x", std::to_string(i), i % 3);
}

TEST_P(FlowRules, MQTT311_4_6_0_1_publishes_come_again_in_their_order) {
    subscriber(2);
    for (int i = 0; i < 9; ++i) publish(std::to_string(i), 1 + i % 2);
    client("sub").ignore_all();
    back();
    for (int i = 0; i < 9; ++i) client("sub").expect_publish("x", std::to_string(i), 1 + i % 2);
}

TEST_P(FlowRules, MQTT311_4_6_0_2_MQTT311_4_6_0_3_acknowledgements_have_the_publishes_order) {
    join("a");
    for (const int qos : {1, 2}) {
        std::vector<std::uint8_t> bytes;
        for (const char* id : {"0007", "0003", "FFFF", "0001"}) {
            const auto one = packet((qos == 1 ? "32 [(x) " : "34 [(x) ") + std::string(id) +
                                    (is_v5() ? " 00]" : "]"));
            bytes.insert(bytes.end(), one.begin(), one.end());
        }
        client("a").send(bytes);
        for (const int id : {7, 3, 65'535, 1}) {
            EXPECT_EQ(id, client("a").expect(qos == 1 ? puback : pubrec).last().id);
        }
    }
}

TEST_P(FlowRules, MQTT311_4_6_0_4_pubrels_have_the_order_of_the_pubrecs) {
    subscriber(2);
    std::vector<PacketId> ids;
    for (const char* payload : {"1", "2", "3"}) {
        publish(payload, 2);
        ids.push_back(expect_new(payload, 2));
    }
    std::rotate(ids.begin(), ids.begin() + 1, ids.end());
    for (const PacketId id : ids) client("sub").ack(pubrec, id);
    for (const PacketId id : ids) EXPECT_EQ(id, client("sub").expect(pubrel).last().id);
}

class FlowRulesOf5 : public BrokerTest {
protected:
    TestClient& subscriber(std::uint16_t receive_maximum) {
        ConnectTerms terms = persistent(v5);
        terms.receive_maximum = receive_maximum;
        client("pub").join({.version = v5});
        return client("sub").join(terms).manual_acks().subscribe("x", 2).expect(suback);
    }
};

TEST_F(FlowRulesOf5, MQTT_2_2_1_4_an_identifier_in_use_is_not_given_again) {
    TestClient& sub = subscriber(3);
    client("pub").publish("x", "held", {.qos = 1});
    const PacketId held = sub.expect_publish("x", "held", 1).last().id;
    for (int i = 0; i < 66'000; ++i) {
        client("pub").publish("x", "n", {.qos = 1}).ignore_all();
        if (sub.waiting() == 0) break;  // The next identifier in turn is the one that is held.
        const PacketId id = sub.expect_publish("x", "n", 1).last().id;
        ASSERT_NE(0, id);
        ASSERT_NE(held, id);
        sub.ack(puback, id);
    }
    EXPECT_EQ(held, sub.ack(puback, held).expect_publish("x", "n", 1).last().id);
}

TEST_F(FlowRulesOf5, MQTT_4_9_0_1_the_first_quota_is_the_receive_maximum_at_most) {
    options.inflight_messages_max = 20;
    for (const int maximum : {1, 2, 19, 20, 21, 65'535}) {
        SCOPED_TRACE(maximum);
        TestClient& sub = subscriber(static_cast<std::uint16_t>(maximum));
        for (int i = 0; i < 30; ++i) client("pub").publish("x", "n", {.qos = 1 + i % 2});
        EXPECT_EQ(std::min(maximum, 20), static_cast<int>(sub.waiting()));
        sub.ignore_all().disconnect(ReasonCode::success, 0);
    }
}

TEST_F(FlowRulesOf5, MQTT_3_3_4_10_MQTT_4_9_0_2_MQTT_4_9_0_3_no_quota_holds_back_publish_only) {
    TestClient& sub = subscriber(1);
    client("pub").publish("x", "1", {.qos = 1}).publish("x", "2", {.qos = 1});
    sub.expect_publish("x", "1", 1).expect_nothing();
    sub.ping().expect(pingresp).subscribe("y", 1).expect(suback);
    sub.publish("z", "", {.qos = 1}).expect(puback).publish("z", "", {.qos = 2}).expect(pubrec);
    sub.ack(pubrel, sub.last_id()).expect(pubcomp).unsubscribe("y").expect(unsuback);
    client("pub").publish("x", "0");
    sub.expect_publish("x", "0", 0).expect_nothing();
    sub.ack(puback, sub.oldest_unacknowledged()).expect_publish("x", "2", 1);
}

TEST_F(FlowRulesOf5, MQTT_4_3_3_7_a_message_of_qos_2_that_was_sent_does_not_expire) {
    TestClient& sub = subscriber(10);
    client("pub").publish("x", "1", {.qos = 2, .expiry_s = 5}).expect(pubrec);
    const PacketId id = sub.expect_publish("x", "1", 2).last().id;
    sub.drop();
    advance(10s);
    EXPECT_EQ(id, sub.join(persistent(v5)).expect_publish("x", "1", 2).last().id);
    sub.ack(pubrec, id).expect(pubrel).ack(pubcomp, id).expect_nothing();
}

TEST_F(FlowRulesOf5, MQTT_4_3_3_13_an_expired_message_completes_its_exchange) {
    client("a").join({.version = v5}).publish("x", "1", {.qos = 2, .id = 5, .expiry_s = 1});
    client("a").expect(pubrec);
    advance(10s);
    client("a").publish("x", "1", {.qos = 2, .dup = true, .id = 5, .expiry_s = 1});
    client("a").expect(pubrec, ReasonCode::success).ack(pubrel, 5);
    client("a").expect(pubcomp, ReasonCode::success);
}

TEST_F(FlowRulesOf5, MQTT_4_3_3_9_after_a_refusal_the_identifier_is_of_a_new_message) {
    TestClient& sub = subscriber(10);
    bool is_allowed = false;
    world().authorizer.answer = [&](const broker::AccessRequest& request) {
        return is_allowed || request.access != broker::Access::publish;
    };
    client("pub").publish("x", "no", {.qos = 2, .id = 5});
    client("pub").expect(pubrec, ReasonCode::not_authorized);
    is_allowed = true;
    client("pub").publish("x", "yes", {.qos = 2, .id = 5}).expect(pubrec, ReasonCode::success);
    sub.expect_publish("x", "yes", 2).expect_nothing();
    client("pub").ack(pubrel, 5).expect(pubcomp, ReasonCode::success);
}

TEST_F(FlowRulesOf5, MQTT_4_4_0_2_what_was_refused_is_not_sent_again) {
    TestClient& sub = subscriber(1);
    client("pub").publish("x", "1", {.qos = 1}).publish("x", "2", {.qos = 2});
    sub.expect_publish("x", "1", 1).ack(puback, sub.last().id, ReasonCode::quota_exceeded);
    sub.expect_publish("x", "2", 2).ack(pubrec, sub.last().id, ReasonCode::unspecified_error);
    sub.expect_nothing().drop().join(persistent(v5)).expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

}  // namespace
}  // namespace support
