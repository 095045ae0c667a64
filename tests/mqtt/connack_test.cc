#include "mqtt/connack.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

TEST(Connack, decodes_and_encodes_the_same) {
    check_valid({
        {"3.1", v3_1, "20 [00 00]"},
        {"3.1, its unused byte set", v3_1, "20 [FF 05]", {}, false},
        {"3.1.1, session present", v3_1_1, "20 [01 00]"},
        {"3.1.1, refused", v3_1_1, "20 [00 04]"},
        {"MQTT-3.2.2-1: session present in 5.0", v5, "20 [01 00 00]"},
        {"5.0, refused", v5, "20 [00 87 [1F(no)]]"},
        {"5.0, each property", v5,
         "20 [00 00 [11 00000001 21 0001 24 01 25 00 27 00000001 12(id) 22 0001 1F(r) 26(k)(v)"
         " 28 00 29 01 2A 00 13 003C 1A(i) 1C(s) 15(m) 16(d)]]"},
    });
}

TEST(Connack, refuses_what_is_malformed) {
    check_invalid({
        {"reserved flag", v3_1_1, "20 [02 00]", malformed_packet},
        {"return code 6", v3_1_1, "20 [00 06]", malformed_packet},
        {"not a reason of CONNACK", v5, "20 [00 92 00]", malformed_packet},
        {"a session present in a refusal", v5, "20 [01 80 00]", protocol_error},
        {"bytes after the code", v3_1_1, "20 [00 00 00]", malformed_packet},
        {"maximum QoS 2", v5, "20 [00 00 [24 02]]", protocol_error},
        {"retain available 2", v5, "20 [00 00 [25 02]]", protocol_error},
        {"receive maximum 0", v5, "20 [00 00 [21 0000]]", protocol_error},
        {"maximum packet size 0", v5, "20 [00 00 [27 00000000]]", protocol_error},
        {"wildcards available 2", v5, "20 [00 00 [28 02]]", protocol_error},
        {"subscription ids available 2", v5, "20 [00 00 [29 02]]", protocol_error},
        {"shared available 2", v5, "20 [00 00 [2A 02]]", protocol_error},
        {"two server keep alives", v5, "20 [00 00 [13 0001 13 0001]]", protocol_error},
        {"a property of CONNECT", v5, "20 [00 00 [17 01]]", malformed_packet},
    });
}

TEST(Connack, MQTT311_3_2_2_4_a_refusal_never_says_session_present) {
    std::vector<std::uint8_t> bytes;
    Writer out(bytes);
    Connack connack;
    connack.session_present = true;
    connack.reason = not_authorized;
    encode(out, connack, v3_1_1);
    EXPECT_EQ(bytes, packet("20 [00 05]"));
}

TEST(Connack, names_the_reason_of_a_return_code) {
    const ReasonCode reasons[] = {success,
                                  unsupported_protocol_version,
                                  client_identifier_not_valid,
                                  server_unavailable,
                                  bad_user_name_or_password,
                                  not_authorized};
    std::uint8_t code = 0;
    for (const ReasonCode reason : reasons) {
        const std::uint8_t body[] = {0, code};
        const auto connack = decode_connack(body, v3_1_1);
        ASSERT_TRUE(connack);
        EXPECT_EQ(connack->reason, reason);
        EXPECT_EQ(connack->return_code_v3, code);
        EXPECT_EQ(connack_return_code_v3(connack->reason), code);
        ++code;
    }
}

}  // namespace
}  // namespace mqtt::testing
