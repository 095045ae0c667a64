#include "mqtt/ack.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

TEST(Ack, decodes_and_encodes_the_same) {
    check_valid({
        {"PUBACK", v3_1_1, "40 [0001]"},
        {"PUBREC", v3_1, "50 [FFFF]"},
        {"PUBREL", v3_1_1, "62 [0001]"},
        {"PUBCOMP", v5, "70 [0001]"},
        {"PUBACK with a reason", v5, "40 [0001 10]", {2}},
        {"PUBREC with a failure", v5, "50 [0001 97]", {2}},
        {"PUBREL with a reason", v5, "62 [0001 92]", {2}},
        {"PUBCOMP with properties", v5, "70 [0001 92 [1F(why) 26(k)(v)]]", {2, 3}},
        {"success with properties", v5, "40 [0001 00 [26(k)(v) 26(k)(v)]]", {2, 3}},
        {"success in a longer form", v5, "40 [0001 00]", {2}, false},
        {"no properties in a longer form", v5, "40 [0001 00 00]", {2, 3}, false},
    });
}

TEST(Ack, refuses_what_is_malformed) {
    check_invalid({
        {"packet id 0", v3_1_1, "40 [0000]", malformed_packet},
        {"a reason before 5.0", v3_1_1, "40 [0001 00]", malformed_packet},
        {"MQTT-3.4.2-1: not a reason of PUBACK", v5, "40 [0001 92]", malformed_packet},
        {"MQTT-3.5.2-1: not a reason of PUBREC", v5, "50 [0001 01]", malformed_packet},
        {"MQTT-3.6.2-1: not a reason of PUBREL", v5, "62 [0001 10]", malformed_packet},
        {"MQTT-3.7.2-1: not a reason of PUBCOMP", v5, "70 [0001 80]", malformed_packet},
        {"two reason strings", v5, "40 [0001 00 [1F(a) 1F(a)]]", protocol_error},
        {"a property of PUBLISH", v5, "40 [0001 00 [01 01]]", malformed_packet},
        {"bytes after the properties", v5, "40 [0001 00 00 00]", malformed_packet},
    });
}

TEST(Ack, says_no_more_than_its_version_knows) {
    std::vector<std::uint8_t> bytes;
    Writer out(bytes);
    Ack ack{PacketType::pubrec, 7, quota_exceeded, "full", {}};
    encode(out, ack, v3_1_1);
    EXPECT_EQ(bytes, packet("50 [0007]"));
}

}  // namespace
}  // namespace mqtt::testing
