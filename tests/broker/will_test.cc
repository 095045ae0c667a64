// When a will is published, and when it is not.
#include <functional>

#include "support/broker_fixture.h"

namespace support {
namespace {

class Will : public BrokerTest {
protected:
    void SetUp() override { watcher().expect_nothing(); }
    TestClient& watcher() {
        if (!joined_) client("watch").join({.version = v5}).subscribe("w", 2).expect(suback);
        joined_ = true;
        return client("watch");
    }
    static ConnectTerms with_will(Version version = v5) {
        return {.version = version, .will = WillTerms{.topic = "w", .payload = "bye", .qos = 1}};
    }
    static ConnectTerms with_delay(std::uint32_t delay_s, std::uint32_t session_expiry_s) {
        ConnectTerms terms = persistent(v5);
        terms.session_expiry_s = session_expiry_s;
        terms.will = WillTerms{.topic = "w", .payload = "bye", .delay_s = delay_s};
        return terms;
    }

private:
    bool joined_ = false;
};

TEST_F(Will, MQTT_3_1_2_8_MQTT311_3_1_2_8_is_published_on_every_ungraceful_end) {
    struct Row {
        const char* sentence;
        std::function<void(TestClient&)> end;
    };
    const std::uint8_t reserved[] = {0xF0, 0};
    const Row rows[] = {
        {"the network breaks", [](TestClient& a) { a.drop(); }},
        {"malformed packet", [&](TestClient& a) { a.send(reserved); }},
        {"protocol error", [](TestClient& a) { a.publish("", "", {}); }},
        {"keep alive", [this](TestClient&) { advance(20s); }},
        {"shutdown",
         [this](TestClient& a) {
             a.wire().connection->disconnect(ReasonCode::server_shutting_down, {});
             world().settle();
         }},
        {"take over", [this](TestClient&) { client("second", "a").join().disconnect(); }},
    };
    for (const Version version : {v3_1, v3_1_1, v5}) {
        for (const Row& row : rows) {
            SCOPED_TRACE(row.sentence);
            ConnectTerms terms = with_will(version);
            terms.keep_alive_s = 10;
            row.end(client("a").join(terms));
            watcher().expect_publish("w", "bye", 1).expect_nothing();
        }
    }
}

TEST_F(Will, MQTT_3_14_4_3_MQTT311_3_14_4_3_is_discarded_by_a_normal_disconnect_only) {
    struct Row {
        const char* sentence;
        ReasonCode reason;
        bool want;
    };
    const Row rows[] = {
        {"0x00", ReasonCode::success, false},
        {"0x04", ReasonCode::disconnect_with_will, true},
        {"0x80", ReasonCode::unspecified_error, true},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        client("a").join(with_will()).disconnect(row.reason).expect_closed();
        if (row.want) watcher().expect_publish("w", "bye", 1);
        watcher().expect_nothing();
    }
    client("a").join(with_will(v3_1_1)).disconnect().expect_closed();
    watcher().expect_nothing();
}

TEST_F(Will, is_not_published_by_a_connect_that_was_refused) {
    world().authenticator.answer = [](const auto&) { return ReasonCode::not_authorized; };
    client("a").connect(with_will()).expect(connack).expect_closed();
    watcher().expect_nothing();
}

TEST_F(Will, MQTT311_3_1_2_17_is_retained_if_it_says_so) {
    client("a").join({.will = WillTerms{.topic = "w", .payload = "bye", .retain = true}}).drop();
    watcher().expect_publish("w", "bye");
    EXPECT_FALSE(watcher().last().retain);
    client("late").join().subscribe("w").expect(suback).expect_publish("w", "bye");
    EXPECT_TRUE(client("late").last().retain);
}

TEST_F(Will, MQTT_3_1_2_7_delay_holds_it_back) {
    client("a").join(with_delay(30, 100)).drop();
    advance(29s);
    watcher().expect_nothing();
    advance(1500ms);
    watcher().expect_publish("w", "bye").expect_nothing();
    advance(200s);
    watcher().expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::clients_expired));
}

TEST_F(Will, MQTT_3_1_3_9_delay_is_cancelled_by_a_new_connection) {
    client("a").join(with_delay(30, 100)).drop();
    advance(20s);
    client("a").join(persistent(v5));
    EXPECT_TRUE(client("a").last().session_present);
    advance(100s);
    watcher().expect_nothing();
}

TEST_F(Will, delay_ends_with_the_session) {
    client("a").join(with_delay(300, 10)).drop();
    advance(9s);
    watcher().expect_nothing();
    advance(1500ms);
    watcher().expect_publish("w", "bye").expect_nothing();
    client("a").join(with_delay(300, 0)).drop();
    watcher().expect_publish("w", "bye").expect_nothing();
}

TEST_F(Will, delay_ends_with_a_clean_start) {
    client("a").join(with_delay(300, 1000)).drop();
    client("a").join({.version = v5, .clean_start = true});
    watcher().expect_publish("w", "bye").expect_nothing();
}

TEST_F(Will, a_delayed_one_is_cancelled_by_take_over_of_the_session) {
    client("a").join(with_delay(300, 1000));
    client("b", "a").join(persistent(v5)).disconnect();
    advance(2000s);
    watcher().expect_nothing();
}

TEST_F(Will, a_delayed_one_is_published_by_take_over_with_clean_start) {
    client("a").join(with_delay(300, 1000));
    client("b", "a").join({.version = v5, .clean_start = true});
    watcher().expect_publish("w", "bye").expect_nothing();
}

TEST_F(Will, the_new_connection_s_will_replaces_the_old_one) {
    client("a").join(with_delay(300, 1000)).drop();
    ConnectTerms terms = persistent(v5);
    terms.will = WillTerms{.topic = "w", .payload = "second"};
    client("a").join(terms).drop();
    watcher().expect_publish("w", "second").expect_nothing();
    advance(2000s);
    watcher().expect_nothing();
}

TEST_F(Will, MQTT_3_1_2_10_is_gone_once_it_is_published) {
    client("a").join(with_delay(0, 1000)).drop();
    watcher().expect_publish("w", "bye");
    client("a").join(persistent(v5)).drop();
    advance(2000s);
    watcher().expect_nothing();
}

TEST_F(Will, is_not_published_without_the_right_to_when_it_is_due) {
    ConnectTerms terms = with_will();
    terms.user_name = "ann";
    client("a").join(terms);
    client("b").join(with_will());
    watcher();
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.access != broker::Access::publish || request.topic != "w" ||
               (request.client_id == "a" && request.user_name == "ann");
    };
    client("b").drop();
    watcher().expect_nothing();
    EXPECT_TRUE(
        world().log.contains("Will of b (user '') not published: topic 'w' not authorised "
                             "(rule about )."));
    client("a").drop();
    watcher().expect_publish("w", "bye", 1);
}

TEST_F(Will, its_expiry_counts_from_when_it_is_published) {
    ConnectTerms terms = with_delay(50, 1000);
    terms.will->expiry_s = 20;
    client("a").join(terms).drop();
    advance(51s);
    watcher().expect_publish("w", "bye");
    EXPECT_EQ(std::uint32_t{20}, watcher().last().expiry_s);
}

TEST_F(Will, reaches_the_client_s_own_session) {
    ConnectTerms terms = persistent();
    terms.will = WillTerms{.topic = "w", .payload = "me", .qos = 1};
    client("a").join(terms).subscribe("w", 1).expect(suback).drop();
    watcher().expect_publish("w", "me", 1);
    client("a").join(persistent()).expect_publish("w", "me", 1);
}

}  // namespace
}  // namespace support
