// Enhanced authentication (MQTT 5.0, sections 3.15 and 4.12), and answers that come late. The
// method "FAKE" answers what its client asks for (support/fake_access.h).
#include "broker/authentication.h"
#include "storage/memory_store.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

using broker::AuthAnswer;

constexpr auto go_on = ReasonCode::continue_authentication;
constexpr auto again = ReasonCode::reauthenticate;

ConnectTerms by(std::string_view method, std::string_view data = {}) {
    return {.version = v5, .authentication_method = method, .authentication_data = data};
}

class Auth : public BrokerTest {
protected:
    TestClient& member(const std::string& name) {
        return client(name).join(by("FAKE", "is alice"));
    }
    void answer_late(AuthAnswer answer) {
        world().authenticator.answer_late(std::move(answer));
        world().settle();
    }
    int exchanges() { return world().authenticator.exchanges; }
};

TEST_F(Auth, MQTT_4_12_0_1_refuses_a_method_that_it_does_not_know) {
    client("a")
        .connect(by("UNKNOWN", "is alice"))
        .expect(connack, ReasonCode::bad_authentication_method)
        .expect_closed();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_F(Auth, MQTT_4_12_0_2_MQTT_4_12_0_5_asks_by_auth_with_continue_and_the_method) {
    client("a").connect(by("FAKE", "ask who?")).expect(auth_type, go_on).expect_nothing();
    EXPECT_EQ("FAKE", client("a").last().authentication_method);
    EXPECT_EQ("who?", client("a").last().authentication_data);
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
    client("a").auth(go_on, "FAKE", "ask and?").expect(auth_type, go_on);
    client("a").auth(go_on, "FAKE", "is alice").expect(connack, ReasonCode::success);
    EXPECT_EQ("FAKE", client("a").last().authentication_method);
    EXPECT_EQ("welcome", client("a").last().authentication_data);
    client("a").ping().expect(pingresp);
    EXPECT_EQ(0, exchanges());
}

TEST_F(Auth, MQTT_4_12_0_2_an_exchange_may_begin_without_data) {
    client("a").connect(by("FAKE")).expect(auth_type, go_on);
    client("a").auth(go_on, "FAKE", "is alice").expect(connack, ReasonCode::success);
}

TEST_F(Auth, MQTT_4_12_0_5_is_accepted_by_the_first_message_alone) {
    EXPECT_EQ("FAKE", member("a").last().authentication_method);
    EXPECT_EQ("welcome", client("a").last().authentication_data);
}

TEST_F(Auth, MQTT_4_12_0_3_a_client_goes_on_by_auth_with_continue_only) {
    struct Row {
        const char* sentence;
        ReasonCode reason;
        std::optional<std::string_view> method;
    };
    const Row rows[] = {
        {"success is the server's to say", ReasonCode::success, "FAKE"},
        {"nobody to authenticate again yet", again, "FAKE"},
        {"MQTT-4.12.0-5: another method", go_on, "OTHER"},
        {"no method, no reason", ReasonCode::success, std::nullopt},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        client("a").connect(by("FAKE", "ask who?")).expect(auth_type, go_on);
        client("a").auth(row.reason, row.method, row.method ? "is alice" : "");
        client("a").expect(connack, ReasonCode::protocol_error).expect_closed();
        EXPECT_EQ(0, exchanges());
    }
}

TEST_F(Auth, MQTT_4_12_0_4_MQTT_3_1_4_2_a_rejected_client_gets_a_connack_and_is_closed) {
    client("first").connect(by("FAKE", "no")).expect(connack, ReasonCode::not_authorized);
    client("first").expect_closed();
    client("later").connect(by("FAKE", "ask who?")).expect(auth_type);
    client("later").auth(go_on, "FAKE", "no").expect(connack, ReasonCode::not_authorized);
    client("later").expect_closed();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
    EXPECT_EQ(0, exchanges());
}

TEST_F(Auth, MQTT_4_12_0_6_who_names_no_method_sees_neither_auth_nor_method) {
    for (const Version version : {v3_1, v3_1_1, v5}) {
        client("a").connect({.version = version}).expect(connack, ReasonCode::success);
        EXPECT_FALSE(client("a").last().authentication_method);
        client("a").expect_nothing().disconnect();
    }
}

TEST_F(Auth, MQTT_4_12_0_7_auth_of_a_client_without_method_is_an_error) {
    client("five").join({.version = v5}).auth(again, "FAKE", "is alice");
    client("five").expect(disconnected, ReasonCode::protocol_error).expect_closed();
    const std::uint8_t raw[] = {0xF0, 0};
    client("four").join({.version = v3_1_1}).send(raw).expect_closed();
}

TEST_F(Auth, MQTT_3_1_2_30_only_auth_and_disconnect_come_before_connack) {
    for (const char* packet : {"ping", "subscribe", "publish", "connect"}) {
        SCOPED_TRACE(packet);
        TestClient& a = client(packet).connect(by("FAKE", "ask who?")).expect(auth_type);
        const std::uint8_t connect[] = {0x10, 0};
        if (packet == std::string("ping")) a.ping();
        if (packet == std::string("subscribe")) a.subscribe("x");
        if (packet == std::string("publish")) a.publish("x", "1", {.retain = true});
        if (packet == std::string("connect")) a.send(connect);
        a.expect(connack, ReasonCode::protocol_error).expect_closed();
    }
    EXPECT_EQ(0, exchanges());
}

TEST_F(Auth, MQTT_3_1_2_30_disconnect_before_connack_is_the_end) {
    client("a").connect(by("FAKE", "ask who?")).expect(auth_type);
    client("a").disconnect().expect_closed();
    EXPECT_EQ(0, exchanges());
}

TEST_F(Auth, MQTT_3_15_1_1_reserved_flags_are_malformed) {
    const std::uint8_t raw[] = {0xF1, 0};
    client("before").connect(by("FAKE", "ask who?")).expect(auth_type);
    client("before").send(raw).expect(connack, ReasonCode::malformed_packet).expect_closed();
    member("after").send(raw);
    client("after").expect(disconnected, ReasonCode::malformed_packet).expect_closed();
}

TEST_F(Auth, MQTT_3_15_2_1_other_reason_codes_are_malformed) {
    const std::uint8_t raw[] = {0xF0, 9, 0x87, 7, 0x15, 0, 4, 'F', 'A', 'K', 'E'};
    client("before").connect(by("FAKE", "ask who?")).expect(auth_type);
    client("before").send(raw).expect(connack, ReasonCode::malformed_packet).expect_closed();
    member("after").send(raw);
    client("after").expect(disconnected, ReasonCode::malformed_packet).expect_closed();
}

TEST_F(Auth, MQTT_3_1_2_24_an_auth_too_large_for_the_client_is_not_sent) {
    ConnectTerms terms = by("FAKE", "ask a question that is longer than the client takes");
    terms.maximum_packet_size = 40;
    client("a").connect(terms).expect(connack, ReasonCode::packet_too_large).expect_closed();
}

TEST_F(Auth, no_session_is_touched_before_the_client_is_known) {
    client("old", "a").join(persistent(v5)).subscribe("x", 1).expect(suback);
    client("new", "a").connect(by("FAKE", "ask who?")).expect(auth_type);
    client("old").ping().expect(pingresp);
    client("new").auth(go_on, "FAKE", "no").expect(connack).expect_closed();
    client("old").ping().expect(pingresp);
    ConnectTerms terms = by("FAKE", "ask who?");
    terms.clean_start = false;
    client("new", "a").connect(terms).expect(auth_type);
    client("new").auth(go_on, "FAKE", "is alice").expect(connack, ReasonCode::success);
    EXPECT_TRUE(client("new").last().session_present);
    client("old").expect(disconnected, ReasonCode::session_taken_over).expect_closed();
}

TEST_F(Auth, the_terms_of_connect_wait_for_the_end_of_the_exchange) {
    options.keep_alive_max_s = 10;
    ConnectTerms terms = by("FAKE", "ask who?");
    terms.keep_alive_s = 60;
    terms.session_expiry_s = 60;
    terms.will = WillTerms{.topic = "will", .payload = "of alice"};
    client("a").connect(terms).expect(auth_type).auth(go_on, "FAKE", "is alice").expect(connack);
    EXPECT_EQ(10, client("a").last().server_keep_alive_s);
    client("b").join({.keep_alive_s = 5}).subscribe("will").expect(suback);
    client("a").drop();
    client("b").expect_publish("will", "of alice");
    EXPECT_EQ(2U, count(&broker::Counters::sessions));
}

TEST_F(Auth, a_connect_too_long_to_be_kept_is_refused) {
    const std::string large(60'000, 'L');
    const std::string topic(50'000, 't');
    ConnectTerms terms = by("FAKE", "ask who?");
    terms.will = WillTerms{.topic = topic, .payload = large};
    static_assert(broker::Authentication::connect_bytes_max < 110'000);
    client("a").connect(terms).expect(connack, ReasonCode::packet_too_large).expect_closed();
    EXPECT_EQ(0, exchanges());
}

TEST_F(Auth, the_authenticated_name_is_the_clients) {
    std::string asked;
    world().authorizer.answer = [&](const broker::AccessRequest& request) {
        asked = request.user_name;
        return true;
    };
    ConnectTerms terms = by("FAKE", "is alice");
    terms.will = WillTerms{.topic = "w", .payload = "1"};
    client("a").join(terms);
    EXPECT_EQ("alice", asked);
    asked.clear();
    client("a").publish("x", "1");
    EXPECT_EQ("alice", asked);
}

TEST_F(Auth, connect_may_not_name_another_user) {
    ConnectTerms terms = by("FAKE", "is alice");
    terms.user_name = "alice";
    client("a").join(terms);
    terms.user_name = "admin";
    client("b").connect(terms).expect(connack, ReasonCode::not_authorized).expect_closed();
}

TEST_F(Auth, connect_timeout_goes_on_until_connack) {
    client("a").connect(by("FAKE", "ask who?")).expect(auth_type);
    advance(29s);
    client("a").auth(go_on, "FAKE", "ask and?").expect(auth_type);
    advance(2s);
    client("a").expect(connack, ReasonCode::not_authorized).expect_closed();
    EXPECT_EQ(0, exchanges());
    member("b");
    advance(60s);
    EXPECT_TRUE(client("b").is_open());
}

TEST_F(Auth, the_exchange_is_the_owning_shards) {
    shards = 3;
    ConnectTerms terms = by("FAKE", "ask who?");
    terms.accepted_by = 0;
    const std::string id = id_on(2, "c");
    client("c", id).connect(terms).expect(auth_type);
    EXPECT_EQ(2U, world().authenticator.last_shard);
    client("c").auth(go_on, "FAKE", "is alice").expect(connack, ReasonCode::success);
}

TEST_F(Auth, a_connection_lost_during_the_exchange_leaves_nothing) {
    client("a").connect(by("FAKE", "late"));
    ASSERT_EQ(1U, world().authenticator.waiting.size());
    client("a").drop();
    EXPECT_EQ(0, exchanges());
    EXPECT_TRUE(world().authenticator.waiting.empty());
}

class Reauthentication : public Auth {};

TEST_F(Reauthentication, MQTT_4_12_1_1_succeeds_while_other_packets_flow) {
    member("a").auth(again, "FAKE", "ask who?").expect(auth_type, go_on);
    EXPECT_EQ("FAKE", client("a").last().authentication_method);
    client("a").subscribe("x", 1).expect(suback).publish("x", "1", {.qos = 1});
    client("a").expect_publish("x", "1", 1).expect(puback);
    client("a").auth(go_on, "FAKE", "is alice").expect(auth_type, ReasonCode::success);
    EXPECT_EQ("FAKE", client("a").last().authentication_method);
    EXPECT_EQ("welcome", client("a").last().authentication_data);
    client("a").auth(again, "FAKE", "is alice").expect(auth_type, ReasonCode::success);
    client("a").ping().expect(pingresp);
    EXPECT_EQ(0, exchanges());
}

TEST_F(Reauthentication, MQTT_4_12_1_1_with_another_method_is_an_error) {
    member("a").auth(again, "OTHER", "is alice");
    client("a").expect(disconnected, ReasonCode::protocol_error).expect_closed();
}

TEST_F(Reauthentication, MQTT_4_12_1_2_a_failure_disconnects) {
    member("a").auth(again, "FAKE", "no");
    client("a").expect(disconnected, ReasonCode::not_authorized).expect_closed();
    member("b").auth(again, "FAKE", "ask who?").expect(auth_type).auth(go_on, "FAKE", "no");
    client("b").expect(disconnected, ReasonCode::not_authorized).expect_closed();
    EXPECT_EQ(0, exchanges());
}

TEST_F(Reauthentication, a_reason_that_disconnect_has_not_becomes_not_authorized) {
    member("a").auth(again, "FAKE", "late").expect_nothing();
    answer_late(AuthAnswer::refuse(ReasonCode::bad_user_name_or_password));
    client("a").expect(disconnected, ReasonCode::not_authorized).expect_closed();
}

TEST_F(Reauthentication, may_not_make_the_client_another_user) {
    member("a").auth(again, "FAKE", "is bob");
    client("a").expect(disconnected, ReasonCode::not_authorized).expect_closed();
}

TEST_F(Reauthentication, MQTT_4_12_0_3_out_of_turn_is_an_error) {
    member("unasked").auth(go_on, "FAKE", "is alice");
    client("unasked").expect(disconnected, ReasonCode::protocol_error).expect_closed();
    member("twice").auth(again, "FAKE", "ask who?").expect(auth_type).auth(again, "FAKE", "no");
    client("twice").expect(disconnected, ReasonCode::protocol_error).expect_closed();
    member("hasty").auth(again, "FAKE", "late").auth(go_on, "FAKE", "is alice");
    client("hasty").expect(disconnected, ReasonCode::protocol_error).expect_closed();
    member("done").auth(ReasonCode::success, "FAKE");
    client("done").expect(disconnected, ReasonCode::protocol_error).expect_closed();
    EXPECT_EQ(0, exchanges());
}

TEST_F(Reauthentication, an_answer_may_be_late) {
    member("a").auth(again, "FAKE", "late").expect_nothing().ping().expect(pingresp);
    answer_late(AuthAnswer::proceed("and?"));
    client("a").expect(auth_type, go_on).auth(go_on, "FAKE", "late").expect_nothing();
    answer_late(AuthAnswer::accept("alice"));
    client("a").expect(auth_type, ReasonCode::success).ping().expect(pingresp);
}

class LateAnswer : public Auth {
protected:
    storage::MemoryStore memory;
};

TEST_F(LateAnswer, to_a_name_and_password_lets_the_client_in) {
    world().authenticator.is_late = true;
    for (const Version version : {v3_1, v3_1_1, v5}) {
        client("a").connect({.version = version, .user_name = "alice"}).expect_nothing();
        EXPECT_EQ(0U, count(&broker::Counters::sessions));
        answer_late(AuthAnswer::accept());
        client("a").expect(connack, ReasonCode::success).ping().expect(pingresp).disconnect();
    }
    EXPECT_EQ(0, exchanges());
}

TEST_F(LateAnswer, to_a_name_and_password_refuses_with_the_reason_of_each_version) {
    world().authenticator.is_late = true;
    client("five").connect({.version = v5});
    answer_late(AuthAnswer::refuse(ReasonCode::bad_user_name_or_password));
    client("five").expect(connack, ReasonCode::bad_user_name_or_password).expect_closed();
    client("four").connect();
    answer_late(AuthAnswer::refuse(ReasonCode::bad_user_name_or_password));
    client("four").expect(connack).expect_closed();
    EXPECT_EQ(4, client("four").last().return_code_v3);
}

TEST_F(LateAnswer, MQTT_3_1_4_5_packets_sent_ahead_wait_for_it) {
    world().authenticator.is_late = true;
    client("a").connect({.version = v5}).subscribe("x").publish("x", "1").expect_nothing();
    EXPECT_TRUE(client("a").wire().is_paused);
    answer_late(AuthAnswer::accept());
    client("a").expect(connack, ReasonCode::success).expect(suback).expect_publish("x", "1");
    client("a").expect_nothing();
}

TEST_F(LateAnswer, to_an_exchange_goes_on_in_either_way) {
    client("a").connect(by("FAKE", "late")).expect_nothing();
    answer_late(AuthAnswer::proceed("who?"));
    client("a").expect(auth_type, go_on).auth(go_on, "FAKE", "late").expect_nothing();
    answer_late(AuthAnswer::accept("alice"));
    client("a").expect(connack, ReasonCode::success).auth(again, "FAKE", "is alice");
    client("a").expect(auth_type, ReasonCode::success);
}

TEST_F(LateAnswer, that_never_comes_is_the_servers_fault) {
    world().authenticator.is_late = true;
    client("five").connect({.version = v5});
    client("four").connect();
    advance(31s);
    client("five").expect(connack, ReasonCode::server_unavailable).expect_closed();
    client("four").expect(connack).expect_closed();
    EXPECT_EQ(3, client("four").last().return_code_v3);
    EXPECT_EQ(0, exchanges());
}

TEST_F(LateAnswer, withholds_connack_until_what_it_promises_is_kept) {
    store = &memory;
    world().authenticator.is_late = true;
    client("a").connect(persistent(v5)).expect_nothing();
    memory.hold_commits();
    answer_late(AuthAnswer::accept());
    client("a").expect_nothing();
    memory.commit(0);
    world().settle();
    client("a").expect(connack, ReasonCode::success);
}

}  // namespace
}  // namespace support
