// What a refusal tells people, and that no packet is larger than its client takes.
#include <functional>

#include "broker/reason_text.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

TEST(ReasonText, quotes_the_beginning_of_what_is_long) {
    EXPECT_EQ("'a/b'", broker::quoted("a/b"));
    EXPECT_EQ("'" + std::string(100, 'x') + "'", broker::quoted(std::string(100, 'x')));
    EXPECT_EQ("'" + std::string(100, 'x') + "...'", broker::quoted(std::string(101, 'x')));
    // Not in the middle of a character.
    const std::string umlauts = "x" + std::string(49, 'x') + "\xC3\xA4" + std::string(60, 'x');
    EXPECT_EQ("'" + umlauts.substr(0, 100) + "...'", broker::quoted(umlauts));
    const std::string at_the_edge = std::string(99, 'x') + "\xE2\x82\xAC" + "xxx";
    EXPECT_EQ("'" + at_the_edge.substr(0, 102) + "...'", broker::quoted(at_the_edge));
}

class Reasons : public BrokerTest {
protected:
    static constexpr ConnectTerms five{.version = v5};
    // The last packet's words contain each of `parts`.
    void expect_words(const std::string& name, std::initializer_list<const char*> parts) {
        const std::string& words = client(name).last().reason_string;
        for (const char* part : parts) {
            EXPECT_NE(std::string::npos, words.find(part)) << part << " in: " << words;
        }
    }
};

TEST_F(Reasons, disconnect_says_which_limit_and_which_option) {
    struct Row {
        std::function<void(TestClient&)> act;
        ReasonCode want;
        std::initializer_list<const char*> words;
    };
    options.packet_size_max = 1000;
    options.retain_available = false;
    options.inflight_messages_max = 1;
    const std::uint8_t second_connect[] = {0x10, 13, 0, 4,  'M', 'Q', 'T', 'T',
                                           4,    2,  0, 60, 0,   1,   'a'};
    const std::uint8_t malformed_subscribe[] = {0x82, 2, 0, 0};
    const Row rows[] = {
        {[](TestClient& a) { a.publish("x", "", {.alias = 11}); },
         ReasonCode::topic_alias_invalid,
         {"alias 11", "max_topic_alias 10"}},
        {[](TestClient& a) { a.publish("", "", {.alias = 3}); },
         ReasonCode::protocol_error,
         {"alias 3"}},
        {[](TestClient& a) { a.publish("x", "", {.retain = true}); },
         ReasonCode::retain_not_supported,
         {"retain_available"}},
        {[](TestClient& a) { a.publish("x", std::string(2000, 'x')); },
         ReasonCode::packet_too_large,
         {"max_packet_size", "1000"}},
        {[](TestClient& a) { a.publish("x", "", {.qos = 2}).publish("x", "", {.qos = 2}); },
         ReasonCode::receive_maximum_exceeded,
         {"max_inflight_messages", "1 "}},
        {[](TestClient& a) { a.subscribe("a/#/b"); }, ReasonCode::malformed_packet, {"'a/#/b'"}},
        {[](TestClient& a) { a.unsubscribe("a+"); }, ReasonCode::malformed_packet, {"'a+'"}},
        {[](TestClient& a) { a.disconnect(ReasonCode::success, 5); },
         ReasonCode::protocol_error,
         {"Session Expiry"}},
        {[&](TestClient& a) { a.send(second_connect); }, ReasonCode::protocol_error, {"CONNECT"}},
        {[&](TestClient& a) { a.send(malformed_subscribe); },
         ReasonCode::malformed_packet,
         {"SUBSCRIBE", "3.8"}},
        {[this](TestClient&) { client("other", "a").join(five).drop(); },
         ReasonCode::session_taken_over,
         {"'a'"}},
        {[this](TestClient&) { advance(20s); }, ReasonCode::keep_alive_timeout, {"10 s"}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(*row.words.begin());
        client("a").join({.version = v5, .keep_alive_s = 10});
        row.act(client("a"));
        while (client("a").waiting() > 1) client("a").expect(pubrec);
        client("a").expect(disconnected, row.want).expect_closed();
        expect_words("a", row.words);
    }
    EXPECT_TRUE(world().log.contains("disconnected due to protocol error: topic alias 3"));
}

TEST_F(Reasons, connack_says_why) {
    listener.qos_max = mqtt::Qos::at_most_once;
    options.client_id_prefixes = "good-";
    options.clients_max = 1;
    client("bad").connect(five).expect(connack, ReasonCode::client_identifier_not_valid);
    expect_words("bad", {"clientid_prefixes"});
    client("good-1").connect(
        {.version = v5, .will = WillTerms{.topic = "w", .payload = "", .qos = 1}});
    client("good-1").expect(connack, ReasonCode::qos_not_supported);
    expect_words("good-1", {"QoS 1", "max_qos 0"});
    client("good-1").join(five);
    EXPECT_EQ("", client("good-1").last().reason_string);
    client("good-2").connect(five).expect(connack, ReasonCode::server_busy).expect_closed();
    expect_words("good-2", {"global_max_clients 1"});
}

TEST_F(Reasons, acknowledgements_name_the_topic_or_the_filter) {
    options.message_size_max = 10;
    world().authorizer.answer = [](const auto& request) { return request.topic != "secret"; };
    client("a").join(five).publish("secret", "", {.qos = 1});
    client("a").expect(puback, ReasonCode::not_authorized);
    expect_words("a", {"'secret'"});
    client("a").publish("x", "12345678901", {.qos = 2}).expect(pubrec, ReasonCode::quota_exceeded);
    expect_words("a", {"message_size_limit", "10", "11"});
    client("a").subscribe("secret").expect(suback, ReasonCode::not_authorized);
    expect_words("a", {"'secret'"});
    client("a").unsubscribe("nothing").expect(unsuback, ReasonCode::no_subscription_existed);
    expect_words("a", {"'nothing'"});
    client("a").subscribe("fine").expect(suback, ReasonCode::success);
    EXPECT_EQ("", client("a").last().reason_string);
}

TEST_F(Reasons, MQTT_3_1_2_29_acknowledgements_have_none_if_the_client_wants_none) {
    world().authorizer.answer = [](const auto&) { return false; };
    client("a").join({.version = v5, .request_problem_information = false});
    client("a").publish("x", "", {.qos = 1}).expect(puback, ReasonCode::not_authorized);
    EXPECT_EQ("", client("a").last().reason_string);
    client("a").subscribe("x").expect(suback, ReasonCode::not_authorized);
    EXPECT_EQ("", client("a").last().reason_string);
    client("a").unsubscribe("x").expect(unsuback, ReasonCode::no_subscription_existed);
    EXPECT_EQ("", client("a").last().reason_string);
    // A last word may still be said: here the specification lets the server decide.
    client("a").publish("", "", {.alias = 3}).expect(disconnected, ReasonCode::protocol_error);
    expect_words("a", {"alias 3"});
}

TEST_F(Reasons, MQTT_3_2_2_19_MQTT_3_4_2_2_MQTT_3_14_2_3_are_left_out_where_they_do_not_fit) {
    world().authorizer.answer = [](const auto&) { return false; };
    const ConnectTerms small{.version = v5, .maximum_packet_size = 30};
    client("a").join(small).publish("x", "", {.qos = 1});
    client("a").expect(puback, ReasonCode::not_authorized);
    EXPECT_EQ("", client("a").last().reason_string);
    client("a").subscribe("topic/filter").expect(suback, ReasonCode::not_authorized);
    EXPECT_EQ("", client("a").last().reason_string);
    client("a").publish("", "", {.alias = 3}).expect(disconnected, ReasonCode::protocol_error);
    EXPECT_EQ("", client("a").last().reason_string);
    options.clients_max = 1;
    world().set_options(options);
    client("b").join(small);
    client("c").connect(small).expect(connack, ReasonCode::server_busy).expect_closed();
    EXPECT_EQ("", client("c").last().reason_string);
}

TEST_F(Reasons,
       MQTT_3_5_2_2_MQTT_3_9_2_1_MQTT_3_11_2_1_so_are_those_of_the_other_acknowledgements) {
    world().authorizer.answer = [](const auto&) { return false; };
    const std::string filter(15, 'f');
    for (const std::uint32_t room : {28U, 100U}) {
        SCOPED_TRACE(room);
        client("a").join({.version = v5, .maximum_packet_size = room});
        client("a").publish("x", "", {.qos = 2}).expect(pubrec, ReasonCode::not_authorized);
        EXPECT_EQ(room < 100, client("a").last().reason_string.empty());
        client("a").subscribe(filter).expect(suback, ReasonCode::not_authorized);
        EXPECT_EQ(room < 100, client("a").last().reason_string.empty());
        client("a").unsubscribe(filter).expect(unsuback, ReasonCode::no_subscription_existed);
        EXPECT_EQ(room < 100, client("a").last().reason_string.empty());
    }
}

TEST_F(Reasons, MQTT_3_1_2_24_a_connack_that_does_not_fit_is_a_refusal) {
    client("a").connect({.version = v5, .maximum_packet_size = 10});
    client("a").expect(connack, ReasonCode::packet_too_large).expect_closed();
    EXPECT_LE(client("a").last().size, 10U);
    client("b").connect({.version = v5, .maximum_packet_size = 4}).expect_closed();
    EXPECT_EQ(0U, count(&broker::Counters::sessions));
}

TEST_F(Reasons, MQTT_3_1_2_24_a_suback_that_would_not_fit_ends_it_before_it_takes_effect) {
    client("a").join({.version = v5, .maximum_packet_size = 30});
    mqtt::Subscribe packet;
    packet.id = 1;
    std::vector<mqtt::SubscribeEntry> entries(40);
    for (auto& entry : entries) entry.filter = "x";
    std::vector<std::uint8_t> bytes;
    mqtt::Writer out(bytes);
    mqtt::encode_subscribe(out, packet, entries, v5);
    client("a").send(bytes).expect(disconnected, ReasonCode::packet_too_large).expect_closed();
    EXPECT_EQ(0U, count(&broker::Counters::subscriptions));
}

TEST_F(Reasons, a_connect_that_does_not_decode_gets_the_smallest_answer) {
    // Reserved flag set; version 5, then 3.1.1.
    const std::uint8_t five_bytes[] = {0x10, 14, 0, 4, 'M', 'Q', 'T', 'T',
                                       5,    3,  0, 0, 0,   0,   1,   'a'};
    client("five").open();
    client("five").wire().version = v5;
    client("five").send(five_bytes).expect(connack, ReasonCode::malformed_packet).expect_closed();
    EXPECT_EQ(5U, client("five").last().size);
}

TEST_F(Reasons, MQTT311_3_1_4_1_what_is_no_connect_is_closed_without_a_connack) {
    const std::uint8_t reserved_flag[] = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T',
                                          4,    3,  0, 0, 0,   1,   'a'};
    client("four").open().send(reserved_flag).expect_closed();
}

}  // namespace
}  // namespace support
