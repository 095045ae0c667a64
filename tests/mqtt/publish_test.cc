#include "mqtt/publish.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

// Every cut that leaves the topic and the id whole is a shorter payload.
const std::vector<std::size_t> from_5 = {5, 6, 7, 8, 9};
const std::vector<std::size_t> from_7 = {7, 8, 9};

TEST(Publish, decodes_and_encodes_the_same) {
    check_valid({
        {"QoS 0", v3_1_1, "30 [(a/b) 'hi']", from_5},
        {"QoS 0 in 3.1", v3_1, "30 [(a/b) 'hi']", from_5},
        {"no payload", v3_1_1, "31 [(a/b)]"},
        {"QoS 1", v3_1_1, "32 [(a/b) 0001 'hi']", from_7},
        {"QoS 2, DUP, RETAIN", v3_1_1, "3D [(a/b) FFFF 'hi']", from_7},
        {"MQTT-2.2.2-1: no properties in 5.0", v5, "30 [(a/b) 00 'hi']", {6, 7}},
        {"an alias instead of a topic", v5, "30 [() [23 0001] 'x']", {6}},
        {"an alias and a topic", v5, "30 [(a) [23 FFFF]]"},
        {"each property", v5,
         "34 [(a/b) 0001 [23 0001 02 0000003C 0B 01 0B 8001 01 01 03(text) 08(r/t) 09(xy)"
         " 26(k)(v) 26(k)(v)]]"},
        {"properties in another order",
         v5,
         "30 [(a) [26(k)(v) 0B07 26(l)(w) 0B08 01 00]]",
         {},
         false},
        {"empty values", v5, "30 [(a) [03() 09() 26()()]]"},
        {"a topic beyond ASCII", v3_1_1, "30 [(\xC3\xA4/\xE2\x82\xAC/\xF0\x9F\x98\x80)]"},
    });
}

TEST(Publish, refuses_what_is_malformed) {
    check_invalid({
        {"MQTT-3.3.1-4, MQTT311-3.3.1-4: QoS 3", v3_1_1, "36 [(a) 0001]", malformed_packet},
        {"MQTT-3.3.1-2, MQTT311-3.3.1-2: DUP with QoS 0", v3_1_1, "38 [(a)]", malformed_packet},
        {"MQTT-2.2.1-3, MQTT311-2.3.1-1: packet id 0", v3_1_1, "32 [(a) 0000]", malformed_packet},
        {"topic longer than the packet", v3_1_1, "30 [0005 'abc']", malformed_packet},
        {"MQTT-3.3.2-1, MQTT311-3.3.2-1: ill-formed UTF-8", v3_1_1, "30 [0001 FF]",
         malformed_packet},
        {"MQTT-1.5.4-2: U+0000 in the topic", v5, "30 [0003 610061 00]", malformed_packet},
        {"MQTT-3.3.2-2, MQTT311-3.3.2-2: '+' in the topic", v3_1_1, "30 [(a/+)]",
         topic_name_invalid},
        {"MQTT-3.3.2-2: '#' in the topic", v5, "30 [(#) 00]", topic_name_invalid},
        {"MQTT-4.7.3-1, MQTT311-4.7.3-1: empty topic", v3_1_1, "30 [()]", topic_name_invalid},
        {"empty topic without alias", v5, "30 [() 00]", protocol_error},
        {"MQTT-3.3.2-8: alias 0", v5, "30 [(a) [23 0000]]", topic_alias_invalid},
        {"two aliases", v5, "30 [(a) [23 0001 23 0001]]", protocol_error},
        {"payload format 2", v5, "30 [(a) [01 02]]", protocol_error},
        {"two payload formats", v5, "30 [(a) [01 01 01 01]]", protocol_error},
        {"two expiries", v5, "30 [(a) [02 00000001 02 00000001]]", protocol_error},
        {"two content types", v5, "30 [(a) [03(x) 03(x)]]", protocol_error},
        {"two response topics", v5, "30 [(a) [08(x) 08(x)]]", protocol_error},
        {"two correlations", v5, "30 [(a) [09(x) 09(x)]]", protocol_error},
        {"MQTT-3.3.2-14: wildcard in the response topic", v5, "30 [(a) [08(x/#)]]", protocol_error},
        {"empty response topic", v5, "30 [(a) [08()]]", protocol_error},
        {"MQTT-3.3.2-19: content type not UTF-8", v5, "30 [(a) [03 0001 80]]", malformed_packet},
        {"MQTT-3.3.2-13: response topic not UTF-8", v5, "30 [(a) [08 0001 80]]", malformed_packet},
        {"MQTT-1.5.7-1: user property's key not UTF-8", v5, "30 [(a) [26 0001 C0 (v)]]",
         malformed_packet},
        {"MQTT-1.5.7-1: user property's value not UTF-8", v5, "30 [(a) [26 (k) 0001 C0]]",
         malformed_packet},
        {"subscription id 0", v5, "30 [(a) [0B 00]]", protocol_error},
        {"subscription id in a longer form", v5, "30 [(a) [0B 8100]]", malformed_packet},
        {"a property of CONNECT", v5, "30 [(a) [11 00000001]]", malformed_packet},
        {"a property of none", v5, "30 [(a) [7F 00]]", malformed_packet},
        {"a property id past 64", v5, "30 [(a) [C001 00]]", malformed_packet},
        {"a property id in a longer form", v5, "30 [(a) [8100 00]]", malformed_packet},
        {"property cut by its section's end", v5, "30 [(a) [02 0000] 0000]", malformed_packet},
        {"section longer than the packet", v5, "30 [(a) 05 0100]", malformed_packet},
        {"section length in a longer form", v5, "30 [(a) 8000]", malformed_packet},
    });
}

TEST(Publish, MQTT_3_3_4_6_a_client_sends_no_subscription_identifier) {
    const std::vector<std::uint8_t> bytes = packet("30 [(a) [0B 07]]");
    const Frame frame = whole_frame(bytes, v5);
    const auto from_client = decode_publish(frame.flags, frame.body, v5);
    ASSERT_FALSE(from_client);
    EXPECT_EQ(from_client.error(), protocol_error);
    EXPECT_TRUE(decode_publish(frame.flags, frame.body, v5, true));
}

TEST(Publish, MQTT_2_2_1_2_MQTT311_2_3_1_5_qos_0_has_no_packet_id) {
    const std::vector<std::uint8_t> body = packet("(a) 0001");
    const auto publish = decode_publish(0, body, v3_1_1);
    ASSERT_TRUE(publish);
    EXPECT_EQ(publish->id, 0);
    EXPECT_EQ(publish->payload.size(), 2U);
    for (const Version version : {v3_1_1, v5}) {
        Publish out;
        out.topic = "a";
        out.id = 7;
        std::vector<std::uint8_t> bytes;
        Writer writer(bytes);
        encode(writer, out, version);
        EXPECT_EQ(bytes, packet(version == v5 ? "30 [(a) 00]" : "30 [(a)]"));
    }
}

TEST(Publish, lists_its_subscription_identifiers_in_order) {
    const auto bytes = packet("30 [(a) [0B FFFFFF7F 26(k)(v) 01 01 0B 01 03(t) 0B 8001]]");
    const Frame frame = whole_frame(bytes, v5);
    const auto publish = decode_publish(frame.flags, frame.body, v5, true);
    ASSERT_TRUE(publish);
    EXPECT_EQ(subscription_ids(*publish), (std::vector<std::uint32_t>{268'435'455, 1, 128}));
}

TEST(Publish, its_views_are_of_the_body) {
    const std::vector<std::uint8_t> bytes = packet("30 [(a/b) 'hi']");
    const Frame frame = whole_frame(bytes, v3_1_1);
    const auto publish = decode_publish(frame.flags, frame.body, v3_1_1);
    ASSERT_TRUE(publish);
    EXPECT_EQ(publish->topic, "a/b");
    EXPECT_EQ(base::as_bytes(publish->topic).data(), bytes.data() + 4);
    EXPECT_EQ(publish->payload.data(), bytes.data() + 7);
}

TEST(Publish, MQTT_3_3_2_17_MQTT_3_3_2_18_user_properties_are_forwarded_in_order) {
    const auto bytes = packet("30 [(a) [26(b)(1) 02 00000005 26(a)(2) 03(t) 26(b)(1)]]");
    const Frame frame = whole_frame(bytes, v5);
    const auto publish = decode_publish(frame.flags, frame.body, v5);
    ASSERT_TRUE(publish);
    std::vector<std::uint8_t> forwarded;
    Writer out(forwarded);
    write_forwarded(out, publish->properties);
    EXPECT_EQ(forwarded, packet("03(t) 26(b)(1) 26(a)(2) 26(b)(1)"));
    EXPECT_EQ(forwarded_size(publish->properties), forwarded.size());
}

struct SectionRow {
    const char* sentence;
    const char* text;
    ReasonCode want;
};

TEST(Publish, properties_are_decoded_without_their_packet) {
    for (const auto& [sentence, text, want] : std::initializer_list<SectionRow>{
             {"none", "00", success},
             {"all that a message has", "[01 01 03(text) 08(r/t) 09(xy) 26(k)(v)]", success},
             {"identifiers, as from a server", "[0B 01 0B 8001]", success},
             {"bytes after the section", "[01 01] 00", malformed_packet},
             {"a section cut short", "05 0101", malformed_packet},
             {"no bytes at all", "", malformed_packet},
             {"a property of CONNECT", "[11 00000001]", malformed_packet},
             {"two content types", "[03(x) 03(x)]", protocol_error},
         }) {
        const std::vector<std::uint8_t> section = PacketText(text).bytes();
        const auto decoded = decode_publish_properties(section);
        EXPECT_EQ(decoded ? success : decoded.error(), want) << sentence;
    }
    const std::vector<std::uint8_t> section = PacketText("[03(ct) 0B 07 0B 08]").bytes();
    const auto decoded = decode_publish_properties(section);
    EXPECT_EQ(decoded->properties.content_type, "ct");
    EXPECT_EQ(subscription_ids(*decoded), (std::vector<std::uint32_t>{7, 8}));
}

}  // namespace
}  // namespace mqtt::testing
