// QoS 1 and 2 towards a client: what is in flight, what is sent again, and in which order.
#include "support/broker_fixture.h"

namespace support {
namespace {

class Redelivery : public BrokerTest {
protected:
    // A subscriber of "x" that acknowledges nothing by itself, and a publisher.
    TestClient& subscriber(Version version, int qos) {
        client("sub").join(persistent(version)).manual_acks().subscribe("x", qos).expect(suback);
        client("pub").join();
        return client("sub");
    }
    TestClient& back(Version version = v3_1_1) {
        return client("sub").drop().join(persistent(version));
    }
    void publish(int from, int to, int qos) {
        for (int i = from; i <= to; ++i) {
            client("pub").publish("x", std::to_string(i), {.qos = qos}).ignore_all();
            if (qos == 2) client("pub").ack(pubrel, client("pub").last_id()).ignore_all();
        }
    }
};

TEST_F(Redelivery,
       MQTT_3_3_1_1_MQTT_4_4_0_1_MQTT311_3_3_1_1_MQTT311_4_4_0_1_messages_come_again_in_order) {
    for (const Version version : {v3_1, v3_1_1, v5}) {
        subscriber(version, 1);
        publish(1, 3, 1);
        for (const char* text : {"1", "2", "3"}) client("sub").expect_publish("x", text, 1);
        EXPECT_FALSE(client("sub").last().dup);
        const PacketId third = client("sub").last().id;
        back(version);
        for (const char* text : {"1", "2", "3"}) {
            client("sub").expect_publish("x", text, 1);
            EXPECT_TRUE(client("sub").last().dup);
        }
        EXPECT_EQ(third, client("sub").last().id);
        client("sub").expect_nothing().disconnect(ReasonCode::success, 0);
        client("sub").join().disconnect();
    }
}

TEST_F(Redelivery, what_was_acknowledged_does_not_come_again) {
    subscriber(v3_1_1, 1);
    publish(1, 3, 1);
    client("sub").expect_publish("x", "1", 1).expect_publish("x", "2", 1);
    client("sub").ack(puback, client("sub").last().id);
    back().expect_publish("x", "1", 1).expect_publish("x", "3", 1).expect_nothing();
}

TEST_F(Redelivery, what_waited_follows_what_was_in_flight) {
    options.inflight_messages_max = 2;
    subscriber(v3_1_1, 1);
    publish(1, 3, 1);
    client("sub").drop();
    publish(4, 4, 1);
    client("sub").auto_acks().join(persistent());
    for (const char* text : {"1", "2", "3", "4"}) client("sub").expect_publish("x", text, 1);
    client("sub").expect_nothing();
}

TEST_F(Redelivery, MQTT311_4_3_3_1_MQTT311_4_4_0_1_pubrel_comes_again_for_what_was_received) {
    subscriber(v3_1_1, 2);
    publish(1, 2, 2);
    client("sub").expect_publish("x", "1", 2);
    const PacketId first = client("sub").last().id;
    client("sub").ack(pubrec, first).expect_publish("x", "2", 2).expect(pubrel);
    const PacketId second = client("sub").last_publish_id();
    back().expect(pubrel);
    EXPECT_EQ(first, client("sub").last().id);
    client("sub").expect_publish("x", "2", 2).expect_nothing();
    client("sub").ack(pubcomp, first).ack(pubrec, second).expect(pubrel).ack(pubcomp, second);
    back().expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
    EXPECT_EQ(0U, count(&broker::Counters::queued_bytes));
}

TEST_F(Redelivery, a_repeated_pubrec_gets_a_pubrel_again) {
    subscriber(v3_1_1, 2);
    publish(1, 1, 2);
    client("sub").expect_publish("x", "1", 2);
    const PacketId id = client("sub").last().id;
    client("sub").ack(pubrec, id).expect(pubrel).ack(pubrec, id).expect(pubrel);
    client("sub").ack(pubcomp, id).expect_nothing();
}

TEST_F(Redelivery, MQTT_4_4_0_2_a_pubrec_with_an_error_ends_the_exchange) {
    options.inflight_messages_max = 1;
    subscriber(v5, 2);
    publish(1, 2, 2);
    client("sub").expect_publish("x", "1", 2).expect_nothing();
    client("sub").ack(pubrec, client("sub").last().id, ReasonCode::quota_exceeded);
    client("sub").expect_publish("x", "2", 2).expect_nothing();
}

TEST_F(Redelivery, the_wrong_acknowledgement_changes_nothing) {
    subscriber(v3_1_1, 2);
    publish(1, 1, 2);
    client("sub").expect_publish("x", "1", 2);
    const PacketId id = client("sub").last().id;
    client("sub").ack(puback, id).ack(pubcomp, id);
    back().expect_publish("x", "1", 2);
}

TEST_F(Redelivery, MQTT_3_3_4_9_MQTT_4_9_0_2_never_more_in_flight_than_the_receive_maximum) {
    client("sub").join({.version = v5, .receive_maximum = 2}).manual_acks();
    client("sub").subscribe("x", 2).expect(suback);
    client("pub").join();
    publish(1, 4, 1);
    client("sub").expect_publish("x", "1", 1).expect_publish("x", "2", 1).expect_nothing();
    client("sub").ack(puback, client("sub").last().id).expect_publish("x", "3", 1);
    client("sub").expect_nothing();
}

TEST_F(Redelivery, MQTT_3_3_4_9_a_smaller_receive_maximum_holds_for_redelivery) {
    subscriber(v5, 1);
    publish(1, 4, 1);
    ConnectTerms narrow = persistent(v5);
    narrow.receive_maximum = 2;
    client("sub").drop().join(narrow);
    client("sub").expect_publish("x", "1", 1).expect_publish("x", "2", 1).expect_nothing();
    publish(5, 5, 1);
    for (int i = 3; i <= 5; ++i) {
        client("sub").ack(puback, client("sub").oldest_unacknowledged());
        client("sub").expect_publish("x", std::to_string(i), 1).expect_nothing();
        EXPECT_EQ(i < 5, client("sub").last().dup);
    }
}

TEST_F(Redelivery, MQTT_3_1_2_25_a_message_too_large_for_the_new_connection_is_let_go) {
    subscriber(v5, 1);
    client("pub").publish("x", std::string(100, 'L'), {.qos = 1}).publish("x", "s", {.qos = 1});
    ConnectTerms narrow = persistent(v5);
    narrow.maximum_packet_size = 50;
    client("sub").drop().join(narrow);
    client("sub").expect_publish("x", "s", 1).expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::dropped_packet_size));
    client("sub").ack(puback, client("sub").last().id);
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(Redelivery, MQTT_3_1_2_24_what_is_too_large_for_the_client_is_not_sent) {
    ConnectTerms narrow{.version = v5, .maximum_packet_size = 50};
    client("sub").join(narrow).subscribe("x", 2).expect(suback);
    client("pub").join();
    for (int qos = 0; qos <= 2; ++qos) {
        client("pub").publish("x", std::string(100, 'L'), {.qos = qos});
        client("pub").publish("x", "s", {.qos = qos});
        client("sub").expect_publish("x", "s", qos).expect_nothing();
    }
    EXPECT_EQ(3U, count(&broker::Counters::dropped_packet_size));
}

TEST_F(Redelivery, MQTT311_2_3_1_4_packet_ids_wrap_without_a_collision) {
    options.inflight_messages_max = 3;
    subscriber(v3_1_1, 1);
    publish(0, 0, 1);
    client("sub").expect_publish("x", "0", 1);
    const PacketId held = client("sub").last().id;
    PacketId before = held;
    for (int i = 1; i < 66'000; ++i) {
        client("pub").publish("x", "n", {.qos = 1}).ignore_all();
        if (client("sub").waiting() == 0) break;
        client("sub").expect_publish("x", "n", 1);
        const PacketId id = client("sub").last().id;
        ASSERT_NE(held, id);
        ASSERT_EQ(before == 65'535 ? 1 : before + 1, id);
        before = id;
        client("sub").ack(puback, id);
    }
    EXPECT_EQ(held == 1 ? 65'535 : held - 1, before);
    client("sub").ack(puback, held).expect_publish("x", "n", 1);
    EXPECT_EQ(held, client("sub").last().id);
}

TEST_F(Redelivery, packet_ids_of_both_directions_are_apart) {
    client("a").join().manual_acks().subscribe("x", 2).expect(suback);
    client("a").publish("x", "1", {.qos = 2, .id = 1}).expect_publish("x", "1", 2);
    EXPECT_EQ(1, client("a").last().id);
    client("a").expect(pubrec).ack(pubrel, 1).expect(pubcomp).ack(pubrec, 1).expect(pubrel);
    client("a").ack(pubcomp, 1).expect_nothing();
}

TEST_F(Redelivery, a_clean_session_is_sent_nothing_again) {
    client("sub").join().manual_acks().subscribe("x", 1).expect(suback);
    client("pub").join().publish("x", "1", {.qos = 1});
    client("sub").drop().join().expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

}  // namespace
}  // namespace support
