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

TEST_F(Publish, no_matching_subscribers_is_told_in_version_5_only) {
    client("five").join({.version = v5}).publish("x", "1", {.qos = 1});
    client("five").expect(puback, ReasonCode::no_matching_subscribers);
    client("five").publish("x", "1", {.qos = 2, .id = 7});
    client("five").expect(pubrec, ReasonCode::no_matching_subscribers);
    client("five").ack(pubrel, 7).expect(pubcomp, ReasonCode::success);
    client("four").join().publish("x", "1", {.qos = 1}).expect(puback, ReasonCode::success);
    client("sub").join().subscribe("x").expect(suback);
    client("five").publish("x", "1", {.qos = 1}).expect(puback, ReasonCode::success);
    client("five").publish("x", "1", {.qos = 2}).expect(pubrec, ReasonCode::success);
}

TEST_F(Publish, MQTT_2_2_1_3_an_identifier_that_is_in_use_is_refused_in_version_5) {
    client("sub").join().subscribe("x", 2).expect(suback);
    client("a").join({.version = v5}).publish("x", "1", {.qos = 2, .id = 1}).expect(pubrec);
    client("sub").expect_publish("x", "1", 2);
    client("a").publish("x", "2", {.qos = 1, .id = 1}).expect(puback, ReasonCode::packet_id_in_use);
    client("a").subscribe("x").expect(suback, ReasonCode::packet_id_in_use);  // Its first: 1.
    client("sub").expect_nothing();
    client("a").ack(pubrel, 1).expect(pubcomp, ReasonCode::success);
    client("a").publish("x", "2", {.qos = 1, .id = 1}).expect(puback, ReasonCode::success);
    client("sub").expect_publish("x", "2", 1);
}

TEST_F(Publish, unsubscribe_with_an_identifier_in_use_changes_nothing) {
    client("a").join({.version = v5}).subscribe("y").expect(suback);
    client("a").publish("x", "1", {.qos = 2, .id = 2}).expect(pubrec);
    client("a").unsubscribe("y").expect(unsuback, ReasonCode::packet_id_in_use);
    client("b").join().publish("y", "1");
    client("a").expect_publish("y", "1");
}

TEST_F(Publish, MQTT_4_3_3_10_a_repeat_is_confirmed_even_if_it_would_be_refused_by_now) {
    client("sub").join().subscribe("x", 2).expect(suback);
    client("a").join({.version = v5}).publish("x", "1", {.qos = 2, .id = 5}).expect(pubrec);
    client("sub").expect_publish("x", "1", 2);
    options.message_size_max = 1;
    world().set_options(options);
    client("a").publish("x", "12", {.qos = 2, .dup = true, .id = 5});
    client("a").expect(pubrec, ReasonCode::success).ack(pubrel, 5);
    client("a").expect(pubcomp, ReasonCode::success);
}

TEST_F(Publish, a_refused_qos_2_message_leaves_its_identifier_free) {
    options.message_size_max = 1;
    client("a").join({.version = v5}).publish("x", "12", {.qos = 2, .id = 5});
    client("a").expect(pubrec, ReasonCode::quota_exceeded).ack(pubrel, 5);
    client("a").expect(pubcomp, ReasonCode::packet_id_not_found);
}

TEST_F(Publish, validate_payload_format_refuses_what_is_not_utf_8) {
    struct Row {
        const char* sentence;
        std::optional<std::uint8_t> format;
        std::string payload;
        bool want;
    };
    const Row rows[] = {{"text", 1, "h\xC3\xA4", true},
                        {"a zero is a character", 1, std::string("a\0b", 3), true},
                        {"not text", 1, "\xFF", false},
                        {"cut short after a zero", 1, std::string("\0\xC3", 2), false},
                        {"bytes", 0, "\xFF", true},
                        {"nothing said", {}, "\xFF", true}};
    options.validate_payload_format = true;
    client("sub").join().subscribe("x", 2).expect(suback);
    client("a").join({.version = v5});
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        const ReasonCode reason =
            row.want ? ReasonCode::success : ReasonCode::payload_format_invalid;
        const std::uint64_t dropped = count(&broker::Counters::dropped_payload_format);
        for (int qos = 0; qos <= 2; ++qos) {
            client("a").publish("x", row.payload,
                                {.qos = qos, .properties = {.payload_format = row.format}});
            if (qos > 0) client("a").expect(qos == 1 ? puback : pubrec, reason);
            if (row.want) client("sub").expect_publish("x", row.payload, qos);
        }
        EXPECT_EQ(row.want ? 0U : 3U, count(&broker::Counters::dropped_payload_format) - dropped);
    }
    client("sub").expect_nothing();
}

TEST_F(Publish, MQTT_3_3_2_4_without_the_option_nobody_looks_at_the_payload) {
    client("sub").join({.version = v5}).subscribe("x").expect(suback);
    client("a").join({.version = v5});
    client("a").publish("x", "\xFF", {.properties = {.payload_format = 1}});
    client("sub").expect_publish("x", "\xFF");
    EXPECT_EQ(std::uint8_t{1}, client("sub").last().payload_format);
}

TEST_F(Publish, receive_maximum_exceeded_warn_goes_on_and_logs_once) {
    options.inflight_messages_max = 1;
    options.enforce_receive_maximum = false;
    client("a").join({.version = v5});
    for (int id = 1; id <= 65'535; ++id) {
        client("a").publish("x", "", {.qos = 2, .id = static_cast<PacketId>(id)}).expect(pubrec);
    }
    EXPECT_EQ(1U, world().log.count("has more than 1 QoS 2 messages without PUBREL"));
    client("a").ack(pubrel, 40'000).expect(pubcomp, ReasonCode::success).expect_nothing();
}

}  // namespace
}  // namespace support
