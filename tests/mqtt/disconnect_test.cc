// DISCONNECT, AUTH and the pings: the packets that may be nothing but a fixed header.
#include "mqtt/disconnect.h"

#include "mqtt/auth.h"
#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

TEST(Disconnect, decodes_and_encodes_the_same) {
    check_valid({
        {"3.1.1", v3_1_1, "E0 []"},
        {"5.0", v5, "E0 []"},
        {"5.0 with a reason", v5, "E0 [04]", {0}},
        {"5.0, each property", v5, "E0 [8E [11 00000001 1F(r) 26(k)(v) 1C(s)]]", {0, 1}},
        {"5.0 in a longer form", v5, "E0 [00 00]", {0, 1}, false},
    });
}

TEST(Disconnect, refuses_what_is_malformed) {
    check_invalid({
        {"a reason before 5.0", v3_1_1, "E0 [00]", malformed_packet},
        {"MQTT-3.14.2-1: not a reason of DISCONNECT", v5, "E0 [01]", malformed_packet},
        {"two session expiries", v5, "E0 [00 [11 00000001 11 00000001]]", protocol_error},
        {"a property of CONNECT", v5, "E0 [00 [21 0001]]", malformed_packet},
        {"bytes after the properties", v5, "E0 [00 00 00]", malformed_packet},
    });
}

TEST(Auth, decodes_and_encodes_the_same) {
    check_valid({
        {"nothing", v5, "F0 []"},
        {"continue", v5, "F0 [18 [15(m)]]", {0}},
        {"re-authenticate, each property", v5, "F0 [19 [15(m) 16(d) 1F(r) 26(k)(v)]]", {0}},
    });
}

TEST(Auth, refuses_what_is_malformed) {
    check_invalid({
        {"MQTT-3.15.2-1: not a reason of AUTH", v5, "F0 [80 [15(m)]]", malformed_packet},
        {"a reason alone", v5, "F0 [18]", malformed_packet},
        {"no method", v5, "F0 [18 [16(d)]]", protocol_error},
        {"two methods", v5, "F0 [18 [15(m) 15(m)]]", protocol_error},
        {"a property of CONNECT", v5, "F0 [18 [15(m) 17 01]]", malformed_packet},
        {"bytes after the properties", v5, "F0 [18 [15(m)] 00]", malformed_packet},
    });
}

TEST(Ping, is_a_fixed_header) {
    check_valid({
        {"PINGREQ", v3_1, "C0 []"},
        {"PINGRESP", v5, "D0 []"},
    });
    check_invalid({
        {"PINGREQ with a body", v3_1_1, "C0 [00]", malformed_packet},
        {"PINGRESP with a body", v5, "D0 [00]", malformed_packet},
    });
}

}  // namespace
}  // namespace mqtt::testing
