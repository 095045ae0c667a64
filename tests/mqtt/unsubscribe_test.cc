#include "mqtt/unsubscribe.h"

#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using enum ReasonCode;
using enum Version;

TEST(Unsubscribe, decodes_and_encodes_the_same) {
    check_valid({
        {"one filter", v3_1_1, "A2 [0001 (a/#)]"},
        {"two filters in 3.1", v3_1, "A2 [0001 (a) (b)]", {5}},
        {"5.0", v5, "A2 [0001 [26(k)(v)] (a)]"},
    });
}

TEST(Unsubscribe, refuses_what_is_malformed) {
    check_invalid({
        {"MQTT-2.2.1-3, MQTT311-2.3.1-1: packet id 0", v3_1_1, "A2 [0000 (a)]", malformed_packet},
        {"MQTT311-3.10.3-2: no filter", v3_1_1, "A2 [0001]", protocol_error},
        {"MQTT-3.10.3-2: no filter in 5.0", v5, "A2 [0001 00]", protocol_error},
        {"MQTT-3.10.3-1, MQTT311-3.10.3-1: filter not UTF-8", v3_1_1, "A2 [0001 0001 80]",
         malformed_packet},
        {"a property of SUBSCRIBE", v5, "A2 [0001 [0B 01] (a)]", malformed_packet},
    });
}

TEST(Unsubscribe, gives_its_filters_in_order) {
    const std::vector<std::uint8_t> body = packet("0001 (a) (b/#)");
    const auto unsubscribe = decode_unsubscribe(body, v3_1_1);
    ASSERT_TRUE(unsubscribe);
    std::vector<std::string_view> filters;
    unsubscribe->for_each([&](std::string_view filter) { filters.push_back(filter); });
    EXPECT_EQ(filters, (std::vector<std::string_view>{"a", "b/#"}));
    EXPECT_EQ(unsubscribe->count(), 2U);
}

TEST(Unsuback, decodes_and_encodes_the_same) {
    check_valid({
        {"3.1.1", v3_1_1, "B0 [0001]"},
        {"5.0", v5, "B0 [0001 00 00 11 80 83 87 8F 91]", {4, 5, 6, 7, 8, 9}},
        {"5.0, each property", v5, "B0 [0001 [1F(r) 26(k)(v)] 11]"},
    });
}

TEST(Unsuback, refuses_what_is_malformed) {
    check_invalid({
        {"packet id 0", v3_1_1, "B0 [0000]", malformed_packet},
        {"reasons before 5.0", v3_1_1, "B0 [0001 00]", malformed_packet},
        {"not a reason of UNSUBACK", v5, "B0 [0001 00 01]", malformed_packet},
        {"two reason strings", v5, "B0 [0001 [1F(a) 1F(a)] 00]", protocol_error},
    });
}

}  // namespace
}  // namespace mqtt::testing
