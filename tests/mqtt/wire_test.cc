// Reader and Writer: MQTT's wire types.
#include <gtest/gtest.h>

#include "mqtt/bytes.h"
#include "mqtt/reader.h"

namespace mqtt::testing {
namespace {

TEST(Wire, integers_round_trip) {
    std::vector<std::uint8_t> bytes;
    Writer out(bytes);
    out.u8(0xFE);
    out.u16(0xFEDC);
    out.u32(0xFEDCBA98);
    EXPECT_EQ(bytes, packet("FE FEDC FEDCBA98"));
    Reader in(bytes);
    EXPECT_EQ(in.u8(), 0xFE);
    EXPECT_EQ(in.u16(), 0xFEDC);
    EXPECT_EQ(in.u32(), 0xFEDCBA98);
    EXPECT_FALSE(in.failed());
    EXPECT_EQ(in.left(), 0U);
}

struct VariableInt {
    std::uint32_t value;
    const char* text;
};

TEST(Wire, MQTT_1_5_5_1_variable_integers_have_their_shortest_form) {
    const VariableInt rows[] = {
        {0, "00"},
        {127, "7F"},
        {128, "8001"},
        {16'383, "FF7F"},
        {16'384, "808001"},
        {2'097'151, "FFFF7F"},
        {2'097'152, "80808001"},
        {268'435'455, "FFFFFF7F"},
    };
    for (const VariableInt& row : rows) {
        SCOPED_TRACE(row.value);
        std::vector<std::uint8_t> bytes;
        Writer(bytes).variable_int(row.value);
        EXPECT_EQ(bytes, packet(row.text));
        EXPECT_EQ(variable_int_size(row.value), bytes.size());
        Reader in(bytes);
        EXPECT_EQ(in.variable_int(), row.value);
        EXPECT_FALSE(in.failed());
        EXPECT_EQ(in.left(), 0U);
    }
}

TEST(Wire, MQTT_1_5_5_1_refuses_other_forms) {
    for (const char* text :
         {"", "80", "8000", "FF00", "FFFFFF", "FFFFFFFF", "FFFFFFFF00", "8080808001", "80808000"}) {
        SCOPED_TRACE(text);
        const std::vector<std::uint8_t> bytes = packet(text);
        Reader in(bytes);
        EXPECT_EQ(in.variable_int(), 0U);
        EXPECT_TRUE(in.failed());
    }
}

TEST(Wire, a_reader_that_failed_gives_nothing_more) {
    const std::vector<std::uint8_t> bytes = packet("00 01 02");
    Reader in(bytes);
    EXPECT_EQ(in.u32(), 0U);
    EXPECT_TRUE(in.failed());
    EXPECT_EQ(in.u8(), 0);
    EXPECT_EQ(in.u16(), 0);
    EXPECT_TRUE(in.text().empty());
    EXPECT_TRUE(in.remainder().empty());
    EXPECT_EQ(in.left(), 0U);
}

TEST(Wire, text_must_be_utf8_and_binary_need_not) {
    const std::vector<std::uint8_t> bytes = packet("0002 C080 'x'");
    Reader text(bytes);
    EXPECT_EQ(text.text(), "");
    EXPECT_TRUE(text.failed());
    Reader binary(bytes);
    EXPECT_EQ(binary.binary().size(), 2U);
    EXPECT_EQ(binary.u8(), 'x');
    EXPECT_FALSE(binary.failed());
}

TEST(WireDeathTest, a_writer_refuses_what_no_length_can_say) {
    std::vector<std::uint8_t> bytes;
    const std::vector<std::uint8_t> too_long(65'536);
    EXPECT_DEATH(Writer(bytes).binary(too_long), "0xFFFF");
    EXPECT_DEATH(Writer(bytes).variable_int(268'435'456), "remaining_length_max");
}

}  // namespace
}  // namespace mqtt::testing
