// What MQTT says of CONNECT, CONNACK, PINGREQ and DISCONNECT, statement by statement.
#include <set>

#include "broker/both_versions.h"

namespace support {
namespace {

class ConnectRules : public BothVersions {
protected:
    // CONNECT as "10 [(MQTT) LEVEL FLAGS 0000 PROPERTIES REST]".
    std::string connect_text(std::string_view flags, std::string_view rest) const {
        return std::string("10 [(MQTT) ") + (is_v5() ? "05 " : "04 ") + std::string(flags) +
               " 0000 " + (is_v5() ? "00 " : "") + std::string(rest) + "]";
    }
    // 3.1.1 has no words for it: it closes.
    void expect_refusal(TestClient& of, ReasonCode reason, Where where = Where::here()) const {
        if (is_v5()) of.expect(connack, reason, where);
        of.expect_closed(where);
    }
    TestClient& watcher(std::string_view filter) {
        return client("watch").join({.version = v5}).subscribe(filter, 2).expect(suback);
    }
    ConnectTerms with_will(ConnectTerms terms, bool retain = false) const {
        terms.will = WillTerms{.topic = "w", .payload = "bye", .retain = retain};
        return terms;
    }
};
INSTANTIATE_TEST_SUITE_P(In, ConnectRules, both_versions, version_name);

TEST_P(ConnectRules, MQTT_3_1_0_2_MQTT_3_2_0_2_MQTT311_3_1_0_2_a_second_connect_is_refused) {
    join("a").send(packet(connect_text("02", "(a)")));
    expect_end(client("a"), ReasonCode::protocol_error);
}

TEST_P(ConnectRules, MQTT_3_1_2_1_MQTT311_3_1_2_1_another_protocol_is_not_served) {
    say("a", is_v5() ? "10 [(MQTX) 05 02 0000 00 (a)]" : "10 [(MQTX) 04 02 0000 (a)]");
    client("a").expect_closed();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_P(ConnectRules, MQTT_3_1_2_3_MQTT311_3_1_2_3_the_reserved_flag_is_checked) {
    expect_refusal(say("a", connect_text("03", "(a)")), ReasonCode::malformed_packet);
}

TEST_P(ConnectRules, MQTT_3_1_4_1_MQTT311_3_1_4_1_what_is_malformed_is_closed) {
    struct Row {
        const char* sentence;
        const char* flags;
        const char* rest;
    };
    const Row rows[] = {
        {"no client id", "02", ""},
        {"an id that is cut", "02", "0002 'a'"},
        {"an id that is not UTF-8", "02", "0001 FF"},
        {"a will flag without a will", "06", "(a)"},
        {"a will QoS of 3", "1E", "(a) (w) (x)"},
        {"a user name flag without a name", "82", "(a)"},
        {"bytes that no flag explains", "02", "(a) (u)"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        expect_refusal(say(row.sentence, connect_text(row.flags, row.rest)),
                       ReasonCode::malformed_packet);
    }
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_P(ConnectRules, MQTT_3_1_2_5_MQTT311_3_1_2_4_a_kept_session_goes_on) {
    join_kept("a").subscribe("x", 1).expect(suback).drop();
    join("b").publish("x", "1", {.qos = 1}).expect(puback);
    join_kept("a").expect_publish("x", "1", 1).expect_nothing();
    client("b").publish("x", "2", {.qos = 1}).expect(puback);
    client("a").expect_publish("x", "2", 1);
}

TEST_P(ConnectRules, MQTT_3_1_2_6_MQTT311_3_1_2_4_without_a_session_one_is_made) {
    EXPECT_FALSE(join_kept("a").last().session_present);
    client("a").subscribe("x").expect(suback).publish("x", "1").expect_publish("x", "1");
    EXPECT_TRUE(client("a").drop().join(kept()).last().session_present);
}

TEST_P(ConnectRules, MQTT_3_1_2_4_MQTT311_3_1_2_6_MQTT311_3_1_4_3_a_clean_one_begins_anew) {
    watcher("t");
    join_kept("a").subscribe("x", 1).expect(suback).publish("t", "1", {.qos = 2, .id = 5}).drop();
    client("watch").expect_publish("t", "1", 2);
    EXPECT_FALSE(join("a").last().session_present);
    client("watch").publish("x", "for the session before", {.qos = 1}).expect(puback);
    client("a").expect_nothing().publish("t", "2", {.qos = 2, .id = 5}).expect(pubrec);
    client("watch").expect_publish("t", "2", 2);
    client("a").drop();
    EXPECT_FALSE(join_kept("a").last().session_present);
}

TEST_P(ConnectRules, MQTT311_3_1_2_7_retained_messages_outlive_the_session) {
    join("a").publish("x", "kept", {.qos = 1, .retain = true}).expect(puback).disconnect();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
    watcher("x").expect_publish("x", "kept", 1);
}

TEST_P(ConnectRules, MQTT_3_1_2_10_MQTT311_3_1_2_10_a_will_is_published_once) {
    watcher("w");
    client("a").join(with_will(kept())).drop();
    client("watch").expect_publish("w", "bye");
    join_kept("a").drop();
    client("watch").expect_nothing();
}

TEST_P(ConnectRules, MQTT_3_1_2_10_MQTT311_3_1_2_10_disconnect_removes_the_will) {
    watcher("w");
    client("a").join(with_will(kept())).disconnect();
    advance(2h);
    join_kept("a").drop();
    client("watch").expect_nothing();
}

TEST_P(ConnectRules, MQTT311_3_1_2_12_without_a_will_none_is_published) {
    watcher("#");
    join("a").drop();
    join_kept("b").drop();
    client("watch").expect_nothing();
}

TEST_P(ConnectRules, MQTT_3_1_2_14_MQTT311_3_1_2_16_a_will_without_retain_is_not_retained) {
    watcher("w");
    client("a").join(with_will(clean())).drop();
    client("watch").expect_publish("w", "bye").subscribe("w").expect(suback).expect_nothing();
}

TEST_P(ConnectRules, MQTT_3_1_2_15_MQTT311_3_1_2_17_a_will_with_retain_is_retained) {
    client("a").join(with_will(clean(), true)).drop();
    watcher("w").expect_publish("w", "bye");
    EXPECT_TRUE(client("watch").last().retain);
}

TEST_P(ConnectRules, MQTT_3_1_2_22_MQTT_3_2_2_22_MQTT311_3_1_2_24_silence_is_a_failed_network) {
    watcher("w");
    ConnectTerms terms = with_will(clean());
    terms.keep_alive_s = 10;
    client("a").join(terms);
    EXPECT_FALSE(client("a").last().server_keep_alive_s);
    advance(14900ms);
    EXPECT_TRUE(client("a").is_open());
    advance(200ms);
    expect_end(client("a"), ReasonCode::keep_alive_timeout);
    client("watch").expect_publish("w", "bye");
}

TEST_P(ConnectRules, MQTT_3_1_3_2_MQTT311_3_1_3_2_a_session_belongs_to_its_client_id) {
    join_kept("a").subscribe("x", 1).expect(suback).drop();
    for (const char* other : {"A", "a ", "aa"})
        EXPECT_FALSE(join_kept(other).last().session_present);
    watcher("none").publish("x", "1", {.qos = 1}).expect(puback);
    for (const char* other : {"A", "a ", "aa"}) client(other).expect_nothing();
    join_kept("a").expect_publish("x", "1", 1);
}

TEST_P(ConnectRules, MQTT_3_1_3_5_MQTT311_3_1_3_5_letters_and_digits_are_a_client_id) {
    const std::string all = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (std::size_t size = 1; size <= 23; ++size) {
        for (std::size_t at = 0; at + size <= all.size(); at += 13) {
            join(all.substr(at, size)).ping().expect(pingresp).disconnect();
        }
    }
}

TEST_P(ConnectRules, MQTT_3_1_3_6_MQTT_3_2_2_16_MQTT311_3_1_3_6_an_empty_id_becomes_a_new_one) {
    std::set<std::string> ids;
    for (int i = 0; i < 100; ++i) {
        ids.insert(client(std::to_string(i), "").join(clean()).last().assigned_client_id);
    }
    EXPECT_EQ(is_v5() ? 100U : 1U, ids.size());  // 3.1.1 is not told.
    EXPECT_EQ(is_v5() ? 0U : 1U, ids.count(""));
    EXPECT_EQ(100U, count(&broker::Counters::sessions_connected));
}

TEST_P(ConnectRules, MQTT_3_1_4_6_MQTT311_3_1_4_5_what_follows_a_refused_connect_is_ignored) {
    watcher("x");
    world().authenticator.answer = [](const auto&) { return ReasonCode::not_authorized; };
    const std::string publish = is_v5() ? " 31 [(x) 00 'no']" : " 31 [(x) 'no']";
    say("a", connect_text("02", "(a)") + publish);
    client("a").expect(connack).expect_closed();
    client("watch").expect_nothing();
    EXPECT_EQ(0U, world().broker().retained().count());
}

TEST_P(ConnectRules, MQTT_3_2_0_1_MQTT311_3_2_0_1_connack_is_the_first_packet) {
    join_kept("a").manual_acks().subscribe("x", 2).expect(suback);
    join("b").publish("x", "in flight", {.qos = 1}).publish("x", "received", {.qos = 2});
    client("a").expect_publish("x", "in flight", 1).expect_publish("x", "received", 2);
    client("a").ack(pubrec, client("a").last().id).expect(pubrel).drop();
    client("b").publish("x", "queued", {.qos = 1});
    client("a").connect(kept()).expect(connack, ReasonCode::success);
    client("a").expect_publish("x", "in flight", 1).expect(pubrel).expect(publish_type);
}

TEST_P(ConnectRules, MQTT_3_2_2_6_MQTT311_3_2_2_4_a_refusal_says_no_session_present) {
    join_kept("a").drop();
    world().authenticator.answer = [](const auto&) { return ReasonCode::not_authorized; };
    client("a").connect(kept()).expect(connack).expect_closed();
    EXPECT_FALSE(client("a").last().session_present);
    EXPECT_EQ(is_v5() ? 0 : 5, client("a").last().return_code_v3);
}

TEST_P(ConnectRules, MQTT_3_12_4_1_MQTT311_3_12_4_1_a_ping_is_answered) {
    join("a").ping().expect(pingresp).ping().expect(pingresp).expect_nothing();
}

TEST_P(ConnectRules, MQTT_3_14_1_1_MQTT311_3_14_1_1_flags_of_disconnect_are_checked) {
    watcher("w");
    client("a").join(with_will(clean())).send(packet("E1 00"));
    expect_end(client("a"), ReasonCode::malformed_packet);
    client("watch").expect_publish("w", "bye");  // It was no DISCONNECT.
}

TEST_P(ConnectRules, MQTT_4_1_0_1_MQTT311_4_1_0_2_a_session_lasts_as_long_as_its_connection) {
    options.persistent_client_expiration_s = 10;
    ConnectTerms terms = kept();
    terms.session_expiry_s = 10;
    client("a").join(terms).subscribe("x", 1).expect(suback);
    advance(24h);
    join("b").publish("x", "1", {.qos = 1}).expect(puback);
    client("a").expect_publish("x", "1", 1);
    EXPECT_TRUE(client("a").drop().join(terms).last().session_present);
}

using ConnectRulesOf = BrokerTest;

TEST_F(ConnectRulesOf, MQTT_3_1_3_7_an_assigned_client_id_is_as_good_as_a_chosen_one) {
    client("first", "").join(persistent(v5)).subscribe("x", 1).expect(suback).drop();
    client("second", "").join(persistent(v5));
    const std::string id = client("second").last().assigned_client_id;
    client("second").subscribe("y", 1).expect(suback).drop();
    EXPECT_TRUE(client("back", id).join(persistent(v5)).last().session_present);
    client("back").publish("y", "1", {.qos = 1}).expect_publish("y", "1", 1).expect(puback);
}

TEST_F(ConnectRulesOf, MQTT311_3_2_2_6_no_return_code_means_no_connack) {
    listener.qos_max = mqtt::Qos::at_most_once;
    client("a").connect({.will = WillTerms{.topic = "w", .payload = "x", .qos = 1}});
    client("a").expect_closed();
}

TEST_F(ConnectRulesOf, MQTT311_4_8_0_2_a_client_beyond_the_limit_is_closed) {
    options.clients_max = 1;
    client("a").join();
    client("b").connect().expect(connack).expect_closed();
    EXPECT_EQ(3, client("b").last().return_code_v3);
    client("a").disconnect();
    client("b").join();
}

TEST_F(ConnectRulesOf, MQTT_3_14_0_1_no_disconnect_before_connack) {
    const char* const texts[] = {
        "C0 []",                                // PINGREQ
        "30 [(x) 00]",                          // PUBLISH
        "E0 [81]",                              // DISCONNECT
        "F0 [18 [15(m)]]",                      // AUTH
        "10 [(MQTT) 05 03 0000 00 (a)]",        // CONNECT with its reserved flag
        "10 [(MQTT) 05 02 0000 [21 0000] (a)]"  // CONNECT with Receive Maximum 0
    };
    for (const char* text : texts) {
        SCOPED_TRACE(text);
        TestClient& a = client(text).open();
        a.wire().version = v5;
        a.send(packet(text));
        if (text[0] == '1') a.expect(connack);
        a.expect_closed();
    }
}

// The wire of the tests refuses a DISCONNECT that has one.
TEST_F(ConnectRulesOf, MQTT_3_14_2_2_the_server_tells_no_session_expiry) {
    client("old", "a").join(persistent(v5));
    client("new", "a").join(persistent(v5));
    client("old").expect(disconnected, ReasonCode::session_taken_over).expect_closed();
    world().shard(0).disconnect_all(ReasonCode::server_shutting_down);
    world().settle();
    client("new").expect(disconnected, ReasonCode::server_shutting_down).expect_closed();
}

TEST_F(ConnectRulesOf, MQTT_3_14_4_1_nothing_follows_a_disconnect) {
    client("a").join(persistent(v5)).subscribe("x", 1).expect(suback);
    // A malformed packet, and a message to itself behind it.
    client("a").send(packet("C0 [00] 30 [(x) 00 'late'] C0 []"));
    client("a").expect(disconnected, ReasonCode::malformed_packet).expect_closed();
    client("b").join().publish("x", "later", {.qos = 1}).expect(puback);
    client("a").expect_nothing();
}

TEST_F(ConnectRulesOf, MQTT_4_12_0_1_an_unknown_authentication_method_is_refused) {
    TestClient& a = client("a").open();
    a.wire().version = v5;
    a.send(packet("10 [(MQTT) 05 02 0000 [15(no such method)] (a)]"));
    a.expect(connack, ReasonCode::bad_authentication_method).expect_closed();
}

}  // namespace
}  // namespace support
