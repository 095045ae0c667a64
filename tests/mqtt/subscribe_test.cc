#include "mqtt/subscribe.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

TEST(Subscribe, decodes_and_encodes_the_same) {
    check_valid({
        {"one filter", v3_1_1, "82 [0001 (a/#) 01]"},
        {"three filters in 3.1", v3_1, "82 [FFFF (a) 00 (b) 01 (c) 02]", {6, 10}},
        {"5.0", v5, "82 [0001 00 (a) 00]"},
        {"5.0, each option", v5, "82 [0001 00 (a) 2E (b) 11 ($share/g/c) 0A]", {7, 11}},
        {"5.0, each property", v5, "82 [0001 [0B FFFFFF7F 26(k)(v) 26(k)(v)] (a) 00]"},
        {"a filter that only the server can refuse", v3_1_1, "82 [0001 (a+/#b) 00]"},
    });
}

TEST(Subscribe, refuses_what_is_malformed) {
    check_invalid({
        {"MQTT-2.2.1-3, MQTT311-2.3.1-1: packet id 0", v3_1_1, "82 [0000 (a) 00]",
         malformed_packet},
        {"MQTT311-3.8.3-3: no filter", v3_1_1, "82 [0001]", protocol_error},
        {"MQTT-3.8.3-2: no filter in 5.0", v5, "82 [0001 00]", protocol_error},
        {"MQTT-3.8.3-1, MQTT311-3.8.3-1: filter not UTF-8", v3_1_1, "82 [0001 0001 FF 00]",
         malformed_packet},
        {"MQTT311-3.8.3-4: QoS 3", v3_1_1, "82 [0001 (a) 03]", malformed_packet},
        {"QoS 3 in 5.0", v5, "82 [0001 00 (a) 03]", protocol_error},
        {"MQTT311-3.8.3-4: options before 5.0", v3_1_1, "82 [0001 (a) 04]", malformed_packet},
        {"MQTT-3.8.3-5: reserved bits", v5, "82 [0001 00 (a) 40]", malformed_packet},
        {"retain handling 3", v5, "82 [0001 00 (a) 30]", protocol_error},
        {"MQTT-3.8.3-4: no local and shared", v5, "82 [0001 00 ($share/g/a) 04]", protocol_error},
        {"the second filter is cut", v3_1_1, "82 [0001 (a) 00 0002 'a']", malformed_packet},
        {"subscription id 0", v5, "82 [0001 [0B 00] (a) 00]", protocol_error},
        {"two subscription ids", v5, "82 [0001 [0B 01 0B 02] (a) 00]", protocol_error},
        {"subscription id of five bytes", v5, "82 [0001 [0B 8080808001] (a) 00]", malformed_packet},
        {"a property of SUBACK", v5, "82 [0001 [1F(r)] (a) 00]", malformed_packet},
    });
}

TEST(Subscribe, gives_its_entries_in_order) {
    const std::vector<std::uint8_t> body = packet("0001 00 (a) 2E (b) 11");
    const auto subscribe = decode_subscribe(body, v5);
    ASSERT_TRUE(subscribe);
    std::vector<SubscribeEntry> entries;
    subscribe->for_each([&](const SubscribeEntry& entry) { entries.push_back(entry); });
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].filter, "a");
    EXPECT_EQ(entries[0].options.qos, Qos::exactly_once);
    EXPECT_TRUE(entries[0].options.no_local);
    EXPECT_TRUE(entries[0].options.retain_as_published);
    EXPECT_EQ(entries[0].options.retain_handling, RetainHandling::do_not_send);
    EXPECT_EQ(entries[1].filter, "b");
    EXPECT_EQ(entries[1].options.qos, Qos::at_least_once);
    EXPECT_FALSE(entries[1].options.no_local);
    EXPECT_EQ(entries[1].options.retain_handling, RetainHandling::send_if_new);
    EXPECT_EQ(subscribe->count(), 2U);
}

TEST(Suback, decodes_and_encodes_the_same) {
    check_valid({
        {"3.1.1", v3_1_1, "90 [0001 00 01 02 80]", {3, 4, 5}},
        {"3.1", v3_1, "90 [0001 02]"},
        {"5.0",
         v5,
         "90 [0001 00 00 01 02 80 83 87 8F 91 97 9E A1 A2]",
         {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}},
        {"5.0, each property", v5, "90 [0001 [1F(r) 26(k)(v)] 00]"},
    });
}

TEST(Suback, refuses_what_is_malformed) {
    check_invalid({
        {"packet id 0", v3_1_1, "90 [0000 00]", malformed_packet},
        {"a reserved code", v3_1_1, "90 [0001 03]", malformed_packet},
        {"not a reason of SUBACK", v5, "90 [0001 00 10]", malformed_packet},
        {"a later reason is wrong", v5, "90 [0001 00 00 04]", malformed_packet},
        {"two reason strings", v5, "90 [0001 [1F(a) 1F(a)] 00]", protocol_error},
        {"a property of SUBSCRIBE", v5, "90 [0001 [0B 01] 00]", malformed_packet},
    });
}

TEST(Suback, MQTT311_3_9_3_2_becomes_what_its_version_knows) {
    const std::uint8_t reasons[] = {0, 2, 0x87};
    Suback suback;
    suback.id = 1;
    suback.reasons = reasons;
    std::vector<std::uint8_t> bytes;
    Writer out(bytes);
    encode(out, suback, v3_1_1);
    encode(out, suback, v3_1);
    EXPECT_EQ(bytes, packet("90 [0001 00 02 80] 90 [0001 00 02 00]"));
}

}  // namespace
}  // namespace mqtt::testing
