#include "mqtt/reason_code.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mqtt {
namespace {

using enum ReasonCode;

TEST(ReasonCode, has_words_of_its_own) {
    std::set<std::string> words;
    std::size_t known = 0;
    for (unsigned code = 0; code < 256; ++code) {
        const std::string_view description = describe(static_cast<ReasonCode>(code));
        if (description == "unknown reason") continue;
        ++known;
        words.emplace(description);
    }
    EXPECT_EQ(known, 43U);  // Table 2-6 of section 2.4.
    EXPECT_EQ(words.size(), known);
    EXPECT_EQ(describe(session_taken_over), "session taken over");
}

struct Row {
    ReasonCode reason;
    std::optional<std::uint8_t> want;
};

TEST(ReasonCode, maps_to_a_return_code) {
    const Row rows[] = {
        {success, 0},
        {unsupported_protocol_version, 1},
        {client_identifier_not_valid, 2},
        {server_unavailable, 3},
        {server_busy, 3},
        {quota_exceeded, 3},
        {use_another_server, 3},
        {bad_user_name_or_password, 4},
        {not_authorized, 5},
        {banned, 5},
        {malformed_packet, std::nullopt},
        {protocol_error, std::nullopt},
        {topic_name_invalid, std::nullopt},
        {qos_not_supported, std::nullopt},
        {retain_not_supported, std::nullopt},
    };
    for (const Row& row : rows) EXPECT_EQ(connack_return_code_v3(row.reason), row.want);
}

// How many of the 256 values each packet may carry, counted in section 3's tables.
TEST(ReasonCode, belongs_to_packets) {
    const auto count = [](PacketType type) {
        unsigned carried = 0;
        for (unsigned code = 0; code < 256; ++code) {
            carried += may_carry(type, static_cast<ReasonCode>(code)) ? 1 : 0;
        }
        return carried;
    };
    EXPECT_EQ(count(PacketType::connack), 22U);
    EXPECT_EQ(count(PacketType::puback), 9U);
    EXPECT_EQ(count(PacketType::pubrec), 9U);
    EXPECT_EQ(count(PacketType::pubrel), 2U);
    EXPECT_EQ(count(PacketType::pubcomp), 2U);
    EXPECT_EQ(count(PacketType::suback), 12U);
    EXPECT_EQ(count(PacketType::unsuback), 7U);
    // 29 in section 3.14.2.1, and 0x8C, which only section 2.4 gives to it.
    EXPECT_EQ(count(PacketType::disconnect), 30U);
    EXPECT_EQ(count(PacketType::auth), 3U);
    EXPECT_EQ(count(PacketType::publish), 0U);
}

}  // namespace
}  // namespace mqtt
