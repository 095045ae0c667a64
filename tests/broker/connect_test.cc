// From CONNECT to CONNACK, and the reasons why there is none.
#include "support/broker_fixture.h"

namespace support {
namespace {

constexpr Version every_version[] = {v3_1, v3_1_1, v5};

class Connect : public BrokerTest {};

TEST_F(Connect, MQTT_3_1_4_5_MQTT311_3_1_4_4_is_accepted_in_every_version) {
    for (const Version version : every_version) {
        client("a").connect({.version = version}).expect(connack, ReasonCode::success);
        EXPECT_FALSE(client("a").last().session_present);
        client("a").expect_nothing().drop();
    }
}

TEST_F(Connect, session_present_says_whether_state_was_kept) {
    struct Row {
        const char* sentence;
        Version version;
        bool first_clean;
        bool second_clean;
        bool want;
    };
    const Row rows[] = {
        {"MQTT311-3.2.2-2: kept", v3_1_1, false, false, true},
        {"MQTT311-3.2.2-3: was clean before", v3_1_1, true, false, false},
        {"MQTT311-3.2.2-1: wants none", v3_1_1, false, true, false},
        {"MQTT-3.2.2-3: kept, clean start before", v5, true, false, true},
        {"MQTT-3.2.2-2: clean start", v5, false, true, false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        TestClient& a = client(row.sentence);
        a.join({.version = row.version, .clean_start = row.first_clean, .session_expiry_s = 60});
        EXPECT_FALSE(a.last().session_present);
        a.drop().join({.version = row.version, .clean_start = row.second_clean});
        EXPECT_EQ(row.want, a.last().session_present);
        a.disconnect();
    }
}

TEST_F(Connect, MQTT_3_1_2_4_MQTT_3_1_4_4_clean_start_discards_the_session) {
    client("a").join(persistent(v5)).subscribe("x", 1).expect(suback).drop();
    client("a").join({.version = v5, .clean_start = true});
    client("b").join().publish("x", "lost");
    client("a").expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::subscriptions));
}

TEST_F(Connect, MQTT_3_1_4_3_takes_over_from_the_older_connection) {
    client("old", "a").join({.version = v5});
    client("new", "a").join({.version = v5});
    client("old").expect(disconnected, ReasonCode::session_taken_over).expect_closed();
    client("new").ping().expect(pingresp);
    EXPECT_EQ(1U, count(&broker::Counters::sessions_connected));
    EXPECT_EQ(1U, count(&broker::Counters::sessions));
}

TEST_F(Connect, MQTT311_3_1_4_2_takes_over_in_silence_below_version_5) {
    client("old", "a").join(persistent(v3_1_1)).subscribe("x", 1).expect(suback);
    client("new", "a").join(persistent(v3_1_1));
    EXPECT_TRUE(client("new").last().session_present);
    client("old").expect_closed();
    client("b").join().publish("x", "1", {.qos = 1});
    client("new").expect_publish("x", "1", 1);
}

TEST_F(Connect, MQTT_3_1_3_6_MQTT311_3_1_3_6_assigns_an_id_to_a_client_without_one) {
    client("five", "").join({.version = v5});
    EXPECT_TRUE(client("five").last().assigned_client_id.starts_with("auto-"));
    client("four", "").join({.version = v3_1_1});
    EXPECT_EQ(2U, count(&broker::Counters::sessions));
}

TEST_F(Connect, refuses_an_empty_client_id_where_it_must) {
    struct Row {
        const char* sentence = "";
        ConnectTerms terms;
        std::uint8_t want_v3 = 0;
    };
    const Row rows[] = {
        {"3.1 has no empty ids", {.version = v3_1}, 2},
        {"MQTT311-3.1.3-8: without clean session", {.clean_start = false}, 2},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        client(row.sentence, "").connect(row.terms).expect(connack).expect_closed();
        EXPECT_EQ(row.want_v3, client(row.sentence).last().return_code_v3);
    }
}

TEST_F(Connect, MQTT_3_1_3_8_MQTT311_3_1_3_9_allow_zero_length_clientid_false_refuses_empty_ids) {
    listener.allow_zero_length_client_id = false;
    client("five", "")
        .connect({.version = v5})
        .expect(connack, ReasonCode::client_identifier_not_valid)
        .expect_closed();
    client("four", "").connect().expect(connack).expect_closed();
    EXPECT_EQ(2, client("four").last().return_code_v3);
}

TEST_F(Connect,
       MQTT_3_1_4_2_MQTT_3_2_2_7_MQTT_3_2_2_8_MQTT311_3_2_2_5_refusals_carry_their_reason) {
    struct Row {
        const char* sentence;
        ReasonCode decision;
        std::uint8_t want_v3;
    };
    const Row rows[] = {
        {"bad password", ReasonCode::bad_user_name_or_password, 4},
        {"not authorised", ReasonCode::not_authorized, 5},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        world().authenticator.answer = [&](const auto&) { return row.decision; };
        client("five").connect({.version = v5}).expect(connack, row.decision).expect_closed();
        client("four").connect().expect(connack).expect_closed();
        EXPECT_EQ(row.want_v3, client("four").last().return_code_v3);
    }
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_F(Connect, refuses_versions_that_the_listener_does_not_allow) {
    listener.allow_v3_1 = listener.allow_v3_1_1 = listener.allow_v5 = false;
    client("five")
        .connect({.version = v5})
        .expect(connack, ReasonCode::unsupported_protocol_version)
        .expect_closed();
    for (const Version version : {v3_1, v3_1_1}) {
        client("old").connect({.version = version}).expect(connack).expect_closed();
        EXPECT_EQ(1, client("old").last().return_code_v3);
    }
}

TEST_F(Connect, MQTT_3_1_2_2_MQTT311_3_1_2_2_answers_an_unknown_level) {
    const std::uint8_t connect[] = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 9, 2, 0, 60, 0, 1, 'a'};
    client("a").open().send(connect).expect(connack).expect_closed();
    EXPECT_EQ(1, client("a").last().return_code_v3);
}

TEST_F(Connect, MQTT311_3_1_4_1_says_nothing_about_a_connect_that_does_not_conform) {
    struct Row {
        const char* sentence;
        std::vector<std::uint8_t> connect;
    };
    const Row rows[] = {
        {"the name is not MQTT", {0x10, 13, 0, 4, 'M', 'Q', 'T', 'X', 4, 2, 0, 60, 0, 1, 'a'}},
        {"the name is not UTF-8", {0x10, 13, 0, 4, 'M', 0xD1, 'T', 'T', 4, 2, 0, 60, 0, 1, 'a'}},
        {"the reserved flag is set", {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 3, 0, 60, 0, 1, 'a'}},
        {"a byte too many", {0x10, 14, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'a', 'b'}},
        {"the will topic has a wildcard",
         {0x10, 19, 0, 4, 'M', 'Q', 'T', 'T', 4, 6, 0, 60, 0, 1, 'a', 0, 1, '#', 0, 1, 'x'}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        client(row.sentence).open().send(row.connect).expect_closed();
    }
}

TEST_F(Connect, MQTT_3_1_0_1_MQTT311_3_1_0_1_closes_on_any_other_first_packet) {
    const std::uint8_t ping[] = {0xC0, 0};
    client("a").open().send(ping).expect_closed();
    const std::uint8_t noise[] = {'G', 'E', 'T', ' ', '/'};
    client("b").open().send(noise).expect_closed();
    // It need not be whole: a PUBLISH that claims a megabyte is refused at its first byte.
    const std::uint8_t part_of_publish[] = {0x30, 0x80, 0x80, 0x40};
    client("c").open().send(part_of_publish).expect_closed();
}

TEST_F(Connect, MQTT_3_1_0_2_a_second_connect_ends_it) {
    client("a").join({.version = v5});
    const std::uint8_t connect[] = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'a'};
    client("a").send(connect).expect(disconnected, ReasonCode::protocol_error).expect_closed();
}

TEST_F(Connect, packets_sent_at_once_with_connect_are_served) {
    client("a").open();
    const std::uint8_t both[] = {0x10, 13, 0,  4, 'M', 'Q', 'T',  'T', 4,
                                 2,    0,  60, 0, 1,   'a', 0xC0, 0};
    client("a").send(both).expect(connack).expect(pingresp).expect_nothing();
}

TEST_F(Connect, a_byte_at_a_time_is_the_same_connect) {
    client("a").open();
    const std::uint8_t connect[] = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 1, 'a'};
    for (const std::uint8_t& byte : connect) client("a").send({&byte, 1});
    client("a").expect(connack).expect_nothing();
}

TEST_F(Connect, silence_is_closed_after_the_connect_timeout) {
    client("a").open();
    advance(29s);
    EXPECT_TRUE(client("a").is_open());
    advance(2s);
    client("a").expect_closed();
}

TEST_F(Connect, MQTT_3_1_2_22_closes_after_one_and_a_half_keep_alives) {
    client("a").join({.version = v5, .keep_alive_s = 10});
    advance(14s);
    client("a").ping().expect(pingresp);
    advance(14800ms);
    client("a").expect_nothing();
    EXPECT_TRUE(client("a").is_open());
    advance(400ms);
    client("a").expect(disconnected, ReasonCode::keep_alive_timeout).expect_closed();
}

TEST_F(Connect, keep_alive_0_is_for_ever) {
    client("a").join();
    advance(24h);
    EXPECT_TRUE(client("a").is_open());
}

TEST_F(Connect, a_login_that_expires_ends_the_connection_and_fires_the_will) {
    client("b").join().subscribe("will").expect(suback);
    world().authenticator.accepted.lasts_s = 60;
    ConnectTerms terms{.version = v5};
    terms.will = WillTerms{.topic = "will", .payload = "bye"};
    client("five").join(terms);
    client("four").join({.keep_alive_s = 50});
    advance(59s);
    client("four").ping().expect(pingresp);
    client("five").expect_nothing();
    advance(2s);
    client("five").expect(disconnected, ReasonCode::maximum_connect_time).expect_closed();
    client("four").expect_nothing().expect_closed();
    client("b").expect_publish("will", "bye");
    EXPECT_TRUE(world().log.contains("Client five came with a login that has expired"));
}

TEST_F(Connect, a_keep_alive_counts_while_a_login_lasts) {
    world().authenticator.accepted.lasts_s = 60;
    client("a").join({.version = v5, .keep_alive_s = 10});
    client("late").join({.version = v5, .keep_alive_s = 38});
    advance(16s);
    client("a").expect(disconnected, ReasonCode::keep_alive_timeout).expect_closed();
    advance(45s);
    client("late").expect(disconnected, ReasonCode::keep_alive_timeout).expect_closed();
}

TEST_F(Connect, max_keepalive_tells_version_5_and_refuses_the_others) {
    options.keep_alive_max_s = 20;
    client("five").join({.version = v5, .keep_alive_s = 0});
    EXPECT_EQ(std::uint16_t{20}, client("five").last().server_keep_alive_s);
    client("short").join({.version = v5, .keep_alive_s = 5});
    EXPECT_FALSE(client("short").last().server_keep_alive_s);
    client("four").connect({.keep_alive_s = 60}).expect(connack).expect_closed();
    EXPECT_EQ(2, client("four").last().return_code_v3);
    client("fits").join({.keep_alive_s = 20});
    advance(31s);
    client("five").expect(disconnected, ReasonCode::keep_alive_timeout).expect_closed();
}

TEST_F(Connect, MQTT_3_2_2_9_connack_tells_the_limits) {
    options.inflight_messages_max = 7;
    options.packet_size_max = 1000;
    options.retain_available = false;
    listener.qos_max = mqtt::Qos::at_least_once;
    listener.topic_alias_max = 3;
    client("a").join({.version = v5});
    const Packet& packet = client("a").last();
    EXPECT_EQ(std::uint16_t{7}, packet.receive_maximum);
    EXPECT_EQ(std::uint32_t{1000}, packet.maximum_packet_size);
    EXPECT_EQ(false, packet.retain_available);
    EXPECT_EQ(std::uint8_t{1}, packet.maximum_qos);
    EXPECT_EQ(std::uint16_t{3}, packet.topic_alias_maximum);
}

TEST_F(Connect, MQTT_3_2_2_12_MQTT_3_2_2_13_wills_beyond_the_limits_are_refused) {
    options.retain_available = false;
    listener.qos_max = mqtt::Qos::at_most_once;
    client("a")
        .connect({.version = v5, .will = WillTerms{.topic = "w", .payload = "", .qos = 1}})
        .expect(connack, ReasonCode::qos_not_supported)
        .expect_closed();
    client("a")
        .connect({.version = v5, .will = WillTerms{.topic = "w", .payload = "", .retain = true}})
        .expect(connack, ReasonCode::retain_not_supported)
        .expect_closed();
}

TEST_F(Connect, global_max_clients_counts_sessions) {
    options.clients_max = 1;
    client("a").join(persistent(v5)).drop();
    client("b").connect({.version = v5}).expect(connack, ReasonCode::server_busy).expect_closed();
    client("a").join({.version = v5}).disconnect();
    client("b").join({.version = v5});
}

TEST_F(Connect, clientid_prefixes_keeps_strangers_out) {
    options.client_id_prefixes = "good-";
    client("good-1").join();
    client("bad-1")
        .connect({.version = v5})
        .expect(connack, ReasonCode::client_identifier_not_valid)
        .expect_closed();
}

TEST_F(Connect, use_username_as_clientid_makes_the_user_the_client) {
    listener.use_user_name_as_client_id = true;
    client("a").join({.version = v5, .user_name = "joe"});
    EXPECT_EQ("joe", client("a").last().assigned_client_id);
    client("b").join({.version = v5, .user_name = "joe"});
    client("a").expect(disconnected, ReasonCode::session_taken_over).expect_closed();
    client("c").connect().expect(connack).expect_closed();
    EXPECT_EQ(2, client("c").last().return_code_v3);
}

TEST_F(Connect, MQTT_3_2_2_15_packets_above_the_maximum_size_are_refused) {
    options.packet_size_max = 100;
    client("a").join({.version = v5}).publish("x", std::string(200, 'p'));
    client("a").expect(disconnected, ReasonCode::packet_too_large).expect_closed();
}

TEST_F(Connect, MQTT_3_14_2_1_MQTT_3_14_4_2_MQTT_4_13_2_1_shutting_down_tells_every_client) {
    client("five").join({.version = v5});
    client("four").join();
    world().shard(0).disconnect_all(ReasonCode::server_shutting_down);
    world().settle();
    client("five").expect(disconnected, ReasonCode::server_shutting_down).expect_closed();
    client("four").expect_closed();
}

TEST_F(Connect, server_reference_sends_away_who_finds_no_room) {
    options.clients_max = 1;
    options.server_reference = "other.example.com:1884";
    client("a").join({.version = v5});
    client("b").connect({.version = v5}).expect(connack, ReasonCode::use_another_server);
    EXPECT_EQ("other.example.com:1884", client("b").last().server_reference);
    client("four").connect().expect(connack).expect_closed();
    EXPECT_EQ(3, client("four").last().return_code_v3);
    // Without room for the reference it is the plain refusal.
    client("small").connect({.version = v5, .maximum_packet_size = 20});
    client("small").expect(connack, ReasonCode::server_busy).expect_closed();
    world().shard(0).disconnect_all(ReasonCode::server_shutting_down);
    world().settle();
    client("a").expect(disconnected, ReasonCode::use_another_server).expect_closed();
    EXPECT_EQ("other.example.com:1884", client("a").last().server_reference);
}

TEST_F(Connect, MQTT_3_1_2_28_response_information_is_for_who_asks) {
    options.response_information = "re/%c/%u/100%/%x";
    client("a").join({.version = v5, .user_name = "joe", .request_response_information = true});
    EXPECT_EQ("re/a/joe/100%/%x", client("a").last().response_information);
    client("b").join({.version = v5, .request_response_information = true});
    EXPECT_EQ("re/b//100%/%x", client("b").last().response_information);
    client("c").join({.version = v5});
    EXPECT_FALSE(client("c").last().response_information);
    client("four").join({.version = v3_1_1});
    const ConnectTerms small{
        .version = v5, .maximum_packet_size = 36, .request_response_information = true};
    client("a client whose id makes it too long").join(small);
    EXPECT_FALSE(client("a client whose id makes it too long").last().response_information);
}

TEST_F(Connect, response_information_is_absent_unless_it_is_configured) {
    client("a").join({.version = v5, .request_response_information = true});
    EXPECT_FALSE(client("a").last().response_information);
}

TEST_F(Connect, a_shorter_session_expiry_is_told) {
    options.persistent_client_expiration_s = 100;
    ConnectTerms terms = persistent(v5);
    for (const std::uint32_t asked : {101U, mqtt::session_never_expires}) {
        terms.session_expiry_s = asked;
        client("a").join(terms);
        EXPECT_EQ(std::uint32_t{100}, client("a").last().session_expiry_s);
    }
    terms.session_expiry_s = 100;
    client("a").join(terms);
    EXPECT_FALSE(client("a").last().session_expiry_s);
    terms.session_expiry_s = 0;
    client("a").join(terms);
    EXPECT_FALSE(client("a").last().session_expiry_s);
}

TEST_F(Connect, what_the_protocol_assumes_is_left_out_of_connack) {
    options.inflight_messages_max = 0;
    options.packet_size_max = 0;
    listener.topic_alias_max = 0;
    client("a").join({.version = v5});
    const Packet& packet = client("a").last();
    EXPECT_FALSE(packet.receive_maximum || packet.maximum_packet_size || packet.maximum_qos);
    EXPECT_FALSE(packet.retain_available || packet.topic_alias_maximum);
    EXPECT_FALSE(packet.server_keep_alive_s || packet.session_expiry_s);
}

TEST_F(Connect, validate_payload_format_looks_at_the_will_too) {
    options.validate_payload_format = true;
    WillTerms will{.topic = "w", .payload = "\xFF", .properties = {.payload_format = 1}};
    client("a").connect({.version = v5, .will = will});
    client("a").expect(connack, ReasonCode::payload_format_invalid).expect_closed();
    will.properties.payload_format = 0;
    client("a").join({.version = v5, .will = will});
}

}  // namespace
}  // namespace support
