// How long a session lives.
#include "support/broker_fixture.h"

namespace support {
namespace {

class SessionLife : public BrokerTest {
protected:
    ConnectTerms expiring(std::uint32_t seconds) {
        ConnectTerms terms = persistent(v5);
        terms.session_expiry_s = seconds;
        return terms;
    }
    bool is_present(const ConnectTerms& terms) {
        client("a").join(terms);
        return client("a").last().session_present;
    }
};

TEST_F(SessionLife, MQTT_3_1_2_23_MQTT_4_1_0_2_lasts_as_long_as_its_expiry) {
    client("a").join(expiring(10)).subscribe("x", 1).expect(suback).drop();
    advance(9s);
    EXPECT_TRUE(is_present(expiring(10)));
    advance(100s);
    client("a").drop();
    advance(10500ms);
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
    EXPECT_EQ(0U, count(&broker::Counters::subscriptions));
    EXPECT_EQ(1U, count(&broker::Counters::clients_expired));
    EXPECT_FALSE(is_present(expiring(10)));
}

TEST_F(SessionLife, expiry_0_ends_it_with_the_connection) {
    client("a").join(expiring(0)).subscribe("x", 1).expect(suback).drop();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
    EXPECT_EQ(0U, world().broker().interest().filter_count());
}

TEST_F(SessionLife, MQTT311_4_1_0_1_the_maximum_and_3_1_1_never_expire) {
    client("a").join(expiring(mqtt::session_never_expires)).drop();
    client("b").join(persistent(v3_1_1)).drop();
    advance(24h * 365);
    EXPECT_EQ(2U, count(&broker::Counters::sessions));
}

TEST_F(SessionLife, persistent_client_expiration_ends_them_all_the_same) {
    options.persistent_client_expiration_s = 3600;
    client("a").join(expiring(mqtt::session_never_expires)).drop();
    client("b").join(persistent(v3_1_1)).drop();
    client("c").join(expiring(10)).drop();
    client("here").join(persistent(v3_1_1));
    advance(11s);
    EXPECT_EQ(3U, count(&broker::Counters::sessions));
    advance(3590s);
    EXPECT_EQ(1U, count(&broker::Counters::sessions));
    EXPECT_TRUE(client("here").is_open());
}

TEST_F(SessionLife, disconnect_may_change_the_expiry) {
    client("a").join(expiring(10)).disconnect(ReasonCode::success, 100);
    advance(50s);
    EXPECT_TRUE(is_present(expiring(10)));
    client("a").disconnect(ReasonCode::success, 0);
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_F(SessionLife, disconnect_may_not_start_one) {
    client("a").join(expiring(0)).disconnect(ReasonCode::success, 100);
    client("a").expect(disconnected, ReasonCode::protocol_error).expect_closed();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_F(SessionLife, a_new_connection_stops_the_clock) {
    client("a").join(expiring(10)).drop();
    advance(5s);
    EXPECT_TRUE(is_present(expiring(10)));
    advance(60s);
    client("a").ping().expect(pingresp);
}

TEST_F(SessionLife, the_last_subscription_takes_the_interest_with_it) {
    client("a").join(persistent()).subscribe("x/+", 1).expect(suback);
    client("b").join().subscribe("x/+", 1).expect(suback);
    EXPECT_EQ(1U, world().broker().interest().filter_count());
    client("a").unsubscribe("x/+").expect(unsuback);
    EXPECT_EQ(1U, world().broker().interest().filter_count());
    client("b").drop();
    EXPECT_EQ(0U, world().broker().interest().filter_count());
}

TEST_F(SessionLife, ids_are_reused_without_a_trace_of_their_last_owner) {
    options.inflight_messages_max = 1;
    for (int round = 0; round < 5; ++round) {
        const std::string name = "a" + std::to_string(round);
        client(name).join().subscribe("x", 1).expect(suback);
        client("pub").join().publish("x", name, {.qos = 1}).publish("x", name, {.qos = 1});
        client(name).expect_publish("x", name, 1).expect_publish("x", name, 1).expect_nothing();
        client(name).drop();
    }
    client("last").join().expect_nothing();
    client("pub").publish("x", "nobody", {.qos = 1});
    client("last").expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(SessionLife, a_session_that_ends_while_it_waits_to_be_pumped_is_forgotten) {
    client("pub").join();
    for (int i = 0; i < 2500; ++i) {
        client("pub").publish("t/" + std::to_string(i), "k", {.retain = true});
    }
    const std::uint8_t subscribe_and_leave[] = {0x82, 8, 0, 1, 0, 3, 't', '/', '#', 0, 0xE0, 0};
    client("a").join().send(subscribe_and_leave);
    EXPECT_FALSE(client("a").is_open());
    client("b").join().expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

}  // namespace
}  // namespace support
