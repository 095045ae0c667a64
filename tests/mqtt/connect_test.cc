#include "mqtt/connect.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

TEST(Connect, decodes_and_encodes_the_same) {
    check_valid({
        {"3.1", v3_1, "10 [(MQIsdp) 03 02 003C (c)]"},
        {"3.1, all fields; the length overrides the flags",
         v3_1,
         "10 [(MQIsdp) 03 E6 003C (c) (w) (bye) (u) (p)]",
         {23, 26}},
        {"3.1 of a bridge", v3_1, "10 [(MQIsdp) 83 00 003C (c)]"},
        {"3.1.1", v3_1_1, "10 [(MQTT) 04 00 FFFF (c)]"},
        {"3.1.1 of a bridge", v3_1_1, "10 [(MQTT) 84 02 0000 (c)]"},
        {"3.1.1, no client id, clean session", v3_1_1, "10 [(MQTT) 04 02 0000 ()]"},
        {"3.1.1, all fields", v3_1_1, "10 [(MQTT) 04 F6 003C (c) (w/t) () (u) (p)]"},
        {"5.0", v5, "10 [(MQTT) 05 00 003C 00 ()]"},
        {"5.0, a password without a user name", v5, "10 [(MQTT) 05 42 003C 00 (c) (p)]"},
        {"5.0, each property", v5,
         "10 [(MQTT) 05 EE 003C [11 FFFFFFFF 21 0001 27 00000001 22 000A 19 01 17 00 15(PLAIN)"
         " 16(xy) 26(k)(v)] (c) [18 00000005 02 00000001 01 01 03(t) 08(r) 09(c) 26(k)(v)]"
         " (w/t) (bye) (u) (p)]"},
        {"5.0, properties at their defaults",
         v5,
         "10 [(MQTT) 05 02 0000 [11 00000000 21 FFFF 22 0000 19 00 17 01] (c)]",
         {},
         false},
    });
}

TEST(Connect, refuses_what_is_malformed) {
    check_invalid({
        {"MQTT-3.1.2-1, MQTT311-3.1.2-1: another protocol", v3_1_1, "10 [(MQTX) 04 02 0000 (c)]",
         protocol_error},
        {"MQTT-3.1.2-2, MQTT311-3.1.2-2: level 6", v5, "10 [(MQTT) 06 02 0000 00 (c)]",
         unsupported_protocol_version},
        {"level 3 by the later name", v5, "10 [(MQTT) 03 02 0000 (c)]",
         unsupported_protocol_version},
        {"level 4 by the earlier name", v5, "10 [(MQIsdp) 04 02 0000 (c)]",
         unsupported_protocol_version},
        {"a bridge's bit in 5.0", v5, "10 [(MQTT) 85 02 0000 00 (c)]",
         unsupported_protocol_version},
        {"MQTT-3.1.2-3, MQTT311-3.1.2-3: reserved flag", v3_1_1, "10 [(MQTT) 04 03 0000 (c)]",
         malformed_packet},
        {"MQTT-3.1.2-12, MQTT311-3.1.2-14: will QoS 3", v5,
         "10 [(MQTT) 05 1E 0000 00 (c) 00 (w) (x)]", malformed_packet},
        {"MQTT-3.1.2-11, MQTT311-3.1.2-13: will QoS without will", v3_1_1,
         "10 [(MQTT) 04 0A 0000 (c)]", malformed_packet},
        {"MQTT-3.1.2-13, MQTT311-3.1.2-15: will retain without will", v5,
         "10 [(MQTT) 05 22 0000 00 (c)]", malformed_packet},
        {"MQTT311-3.1.2-22: a password without a user name", v3_1_1,
         "10 [(MQTT) 04 42 0000 (c) (p)]", malformed_packet},
        {"MQTT311-3.1.3-7: no client id, session kept", v3_1_1, "10 [(MQTT) 04 00 0000 ()]",
         client_identifier_not_valid},
        {"no client id in 3.1", v3_1, "10 [(MQIsdp) 03 02 0000 ()]", client_identifier_not_valid},
        {"MQTT-3.1.3-4, MQTT311-3.1.3-4: client id not UTF-8", v3_1_1,
         "10 [(MQTT) 04 02 0000 0001 FF]", malformed_packet},
        {"MQTT-3.1.3-11, MQTT311-3.1.3-10: will topic not UTF-8", v3_1_1,
         "10 [(MQTT) 04 06 0000 (c) 0002 C080 (x)]", malformed_packet},
        {"wildcard in the will topic", v3_1_1, "10 [(MQTT) 04 06 0000 (c) (a/#) (x)]",
         topic_name_invalid},
        {"empty will topic", v3_1_1, "10 [(MQTT) 04 06 0000 (c) () (x)]", topic_name_invalid},
        {"MQTT-3.1.3-12, MQTT311-3.1.3-11: user name not UTF-8", v3_1_1,
         "10 [(MQTT) 04 82 0000 (c) 0003 EDA080]", malformed_packet},
        {"bytes after the payload", v3_1_1, "10 [(MQTT) 04 02 0000 (c) 00]", malformed_packet},
    });
}

TEST(Connect, refuses_what_properties_may_not_say) {
    check_invalid({
        {"receive maximum 0", v5, "10 [(MQTT) 05 02 0000 [21 0000] (c)]", protocol_error},
        {"maximum packet size 0", v5, "10 [(MQTT) 05 02 0000 [27 00000000] (c)]", protocol_error},
        {"request response information 2", v5, "10 [(MQTT) 05 02 0000 [19 02] (c)]",
         protocol_error},
        {"request problem information 2", v5, "10 [(MQTT) 05 02 0000 [17 02] (c)]", protocol_error},
        {"data without method", v5, "10 [(MQTT) 05 02 0000 [16(x)] (c)]", protocol_error},
        {"two session expiries", v5, "10 [(MQTT) 05 02 0000 [11 00000001 11 00000001] (c)]",
         protocol_error},
        {"a property of the will", v5, "10 [(MQTT) 05 02 0000 [18 00000001] (c)]",
         malformed_packet},
        {"a property of PUBLISH in the will", v5, "10 [(MQTT) 05 06 0000 00 (c) [23 0001] (w) (x)]",
         malformed_packet},
        {"two will delays", v5, "10 [(MQTT) 05 06 0000 00 (c) [18 00000001 18 00000001] (w) (x)]",
         protocol_error},
        {"payload format 2 in the will", v5, "10 [(MQTT) 05 06 0000 00 (c) [01 02] (w) (x)]",
         protocol_error},
    });
}

TEST(Connect, tells_its_version_even_if_it_does_not_decode) {
    EXPECT_EQ(peek_version(packet("(MQTT) 05 FF")), v5);
    EXPECT_EQ(peek_version(packet("(MQIsdp) 83")), v3_1);
    EXPECT_EQ(peek_version(packet("(MQTT) 04 03 0000 (c)")), v3_1_1);
    EXPECT_EQ(peek_version(packet("(MQTT) 06 02")), std::nullopt);
    EXPECT_EQ(peek_version(packet("(HTTP) 04")), std::nullopt);
    EXPECT_EQ(peek_version(packet("(MQTT)")), std::nullopt);
}

TEST(Connect, has_the_defaults_of_what_it_leaves_out) {
    const std::vector<std::uint8_t> body = packet("(MQTT) 05 00 0000 00 (c)");
    const auto connect = decode_connect(body);
    ASSERT_TRUE(connect);
    EXPECT_FALSE(connect->clean_start);
    EXPECT_EQ(connect->session_expiry_s, 0U);
    EXPECT_EQ(connect->receive_maximum, 65'535);
    EXPECT_EQ(connect->maximum_packet_size, std::nullopt);
    EXPECT_TRUE(connect->request_problem_information);
    EXPECT_FALSE(connect->will || connect->user_name || connect->password);
}

}  // namespace
}  // namespace mqtt::testing
