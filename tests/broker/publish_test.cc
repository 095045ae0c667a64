// What a client publishes, and how it is acknowledged.
#include "support/broker_fixture.h"

namespace support {
namespace {

class Publish : public BrokerTest {};

TEST_F(Publish, MQTT311_3_8_4_6_reaches_a_subscriber_at_the_lower_qos) {
    for (int granted = 0; granted <= 2; ++granted) {
        for (int sent = 0; sent <= 2; ++sent) {
            SCOPED_TRACE(std::to_string(granted) + " of " + std::to_string(sent));
            client("a").join().subscribe("x/#", granted).expect(suback);
            client("b").join().publish("x/y", "hi", {.qos = sent}).ignore_all();
            client("a").expect_publish("x/y", "hi", std::min(granted, sent)).expect_nothing();
        }
    }
}

TEST_F(Publish, crosses_versions_in_both_directions) {
    constexpr Version every_version[] = {v3_1, v3_1_1, v5};
    for (const Version from : every_version) {
        for (const Version to : every_version) {
            client("a").join({.version = to}).subscribe("x", 2).expect(suback);
            client("b").join({.version = from}).publish("x", "hi", {.qos = 2}).expect(pubrec);
            client("a").expect_publish("x", "hi", 2).expect_nothing();
        }
    }
}

TEST_F(Publish, MQTT311_2_3_1_6_MQTT311_4_3_2_2_qos_1_is_acknowledged_with_its_id) {
    client("a").join().publish("x", "hi", {.qos = 1, .id = 77}).expect(puback).expect_nothing();
    EXPECT_EQ(77, client("a").last().id);
}

TEST_F(Publish, MQTT311_4_3_3_2_a_repeat_before_pubrel_is_not_delivered_twice) {
    client("sub").join().subscribe("x", 2).expect(suback);
    client("a").join().publish("x", "1", {.qos = 2, .id = 5}).expect(pubrec);
    client("a").publish("x", "1", {.qos = 2, .dup = true, .id = 5}).expect(pubrec);
    client("sub").expect_publish("x", "1", 2).expect_nothing();
    client("a").ack(pubrel, 5).expect(pubcomp);
    client("a").publish("x", "2", {.qos = 2, .id = 5}).expect(pubrec);
    client("sub").expect_publish("x", "2", 2).expect_nothing();
}

TEST_F(Publish, MQTT311_4_3_3_2_a_repeat_on_a_new_connection_is_not_delivered_twice) {
    client("sub").join().subscribe("x", 2).expect(suback);
    client("a").join(persistent()).publish("x", "1", {.qos = 2, .id = 5}).drop();
    client("a").join(persistent()).publish("x", "1", {.qos = 2, .dup = true, .id = 5});
    client("a").expect(pubrec).ack(pubrel, 5).expect(pubcomp);
    client("sub").expect_publish("x", "1", 2).expect_nothing();
}

TEST_F(Publish, MQTT_3_7_2_1_an_unknown_pubrel_is_completed) {
    client("four").join().ack(pubrel, 9).expect(pubcomp, ReasonCode::success);
    client("five").join({.version = v5}).ack(pubrel, 9);
    client("five").expect(pubcomp, ReasonCode::packet_id_not_found);
}

TEST_F(Publish, MQTT_3_6_2_1_an_unknown_pubrec_is_released) {
    client("four").join().manual_acks().ack(pubrec, 9).expect(pubrel, ReasonCode::success);
    client("five").join({.version = v5}).manual_acks().ack(pubrec, 9);
    client("five").expect(pubrel, ReasonCode::packet_id_not_found);
}

TEST_F(Publish, unknown_pubacks_and_pubcomps_are_ignored) {
    client("a").join({.version = v5}).ack(puback, 3).ack(pubcomp, 3).ping();
    client("a").expect(pingresp).expect_nothing();
}

TEST_F(Publish, MQTT_3_3_4_7_more_qos_2_than_the_receive_maximum_ends_it) {
    options.inflight_messages_max = 2;
    client("a").join({.version = v5}).publish("x", "", {.qos = 2}).publish("x", "", {.qos = 2});
    client("a").expect(pubrec).expect(pubrec);
    client("a").publish("x", "", {.qos = 2});
    client("a").expect(disconnected, ReasonCode::receive_maximum_exceeded).expect_closed();
}

TEST_F(Publish, what_exceeded_the_receive_maximum_is_new_when_sent_again) {
    options.inflight_messages_max = 1;
    client("sub").join().subscribe("x", 2).expect(suback);
    client("a").join(persistent(v5)).publish("x", "1", {.qos = 2, .id = 1});
    client("a").publish("x", "2", {.qos = 2, .id = 2});
    client("a").join(persistent(v5)).ack(pubrel, 1).expect(pubcomp);
    client("a").publish("x", "2", {.qos = 2, .dup = true, .id = 2}).expect(pubrec);
    client("sub").expect_publish("x", "1", 2).expect_publish("x", "2", 2).expect_nothing();
}

TEST_F(Publish, MQTT311_3_3_1_3_dup_is_not_passed_on) {
    client("sub").join().subscribe("x", 1).expect(suback);
    client("a").join().publish("x", "1", {.qos = 1, .dup = true});
    client("sub").expect_publish("x", "1", 1);
    EXPECT_FALSE(client("sub").last().dup);
}

TEST_F(Publish, MQTT311_3_3_1_9_retain_is_not_passed_on_to_old_subscribers) {
    client("sub").join().subscribe("x", 1).expect(suback);
    client("a").join().publish("x", "1", {.retain = true});
    client("sub").expect_publish("x", "1", 0);
    EXPECT_FALSE(client("sub").last().retain);
}

TEST_F(Publish, MQTT_3_3_2_20_properties_are_forwarded) {
    client("five").join({.version = v5}).subscribe("x").expect(suback);
    client("four").join().subscribe("x").expect(suback);
    client("a").join({.version = v5}).publish("x", "1", {.content_type = "text"});
    client("five").expect_publish("x", "1");
    EXPECT_EQ("text", client("five").last().content_type);
    client("four").expect_publish("x", "1");
}

TEST_F(Publish, MQTT_3_3_2_6_expiry_counts_down_while_queued) {
    client("sub").join(persistent(v5)).subscribe("x", 1).expect(suback).drop();
    client("a").join({.version = v5}).publish("x", "1", {.qos = 1, .expiry_s = 100});
    advance(30s);
    client("sub").join(persistent(v5)).expect_publish("x", "1", 1);
    EXPECT_EQ(std::uint32_t{70}, client("sub").last().expiry_s);
}

TEST_F(Publish, MQTT_3_3_2_5_what_expired_while_queued_is_not_sent) {
    client("sub").join(persistent(v5)).subscribe("x", 1).expect(suback).drop();
    client("a").join({.version = v5}).publish("x", "short", {.qos = 1, .expiry_s = 10});
    client("a").publish("x", "long", {.qos = 1, .expiry_s = 1000});
    advance(11s);
    client("sub").join(persistent(v5)).expect_publish("x", "long", 1).expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::dropped_expired));
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(Publish, MQTT_3_4_2_1_MQTT_3_5_2_1_topics_of_the_broker_are_not_for_clients) {
    client("sub").join().subscribe("$SYS/#", 2).expect(suback);
    client("four").join().publish("$SYS/x", "1", {.qos = 1}).expect(puback);
    client("five").join({.version = v5}).publish("$SYS/x", "1", {.qos = 1, .retain = true});
    client("five").expect(puback, ReasonCode::not_authorized);
    client("five").publish("$SYS/x", "1", {.qos = 2}).expect(pubrec, ReasonCode::not_authorized);
    client("five").publish("$SYS/x", "1").expect_nothing();
    client("sub").expect_nothing();
    EXPECT_EQ(0U, world().broker().retained().count());
}

TEST_F(Publish, a_will_to_a_topic_of_the_broker_is_refused) {
    client("a")
        .connect({.version = v5, .will = WillTerms{.topic = "$SYS/broker/x", .payload = "no"}})
        .expect(connack, ReasonCode::not_authorized)
        .expect_closed();
}

TEST_F(Publish, MQTT311_3_3_5_2_who_may_not_is_told_in_version_5_only) {
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.access != broker::Access::publish;
    };
    client("sub").join().subscribe("#", 2).expect(suback);
    client("five").join({.version = v5}).publish("x", "1", {.qos = 1});
    client("five").expect(puback, ReasonCode::not_authorized);
    client("four").join().publish("x", "1", {.qos = 1}).expect(puback);
    client("four").publish("x", "1", {.qos = 2, .id = 3}).expect(pubrec).ack(pubrel, 3);
    client("four").expect(pubcomp);
    client("sub").expect_nothing();
}

TEST_F(Publish, who_may_not_receive_gets_nothing) {
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.access != broker::Access::receive || request.client_id != "sub";
    };
    client("sub").join().subscribe("#", 2).expect(suback);
    client("other").join().subscribe("#", 2).expect(suback);
    client("a").join().publish("x", "1", {.retain = true});
    client("sub").expect_nothing();
    client("other").expect_publish("x", "1");
    client("sub").subscribe("x").expect(suback).expect_nothing();
}

TEST_F(Publish, message_size_limit_drops_and_counts) {
    options.message_size_max = 10;
    client("sub").join().subscribe("x", 1).expect(suback);
    client("a").join().publish("x", "12345678901", {.qos = 1}).expect(puback);
    client("a").publish("x", "1234567890", {.qos = 1}).expect(puback);
    client("sub").expect_publish("x", "1234567890", 1).expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::dropped_packet_size));
}

TEST_F(Publish, a_large_message_to_many_is_the_same_for_all) {
    const std::string large(100'000, 'L');
    client("three").join({.version = v3_1_1}).subscribe("x", 1).expect(suback);
    client("five").join({.version = v5}).subscribe("x", 2).expect(suback);
    client("id").join({.version = v5}).subscribe("x", {.qos = 1, .id = 9}).expect(suback);
    client("a").join({.version = v5}).publish("x", large, {.qos = 2, .content_type = "t"});
    client("three").expect_publish("x", large, 1);
    client("five").expect_publish("x", large, 2);
    client("id").expect_publish("x", large, 1);
}

}  // namespace
}  // namespace support
