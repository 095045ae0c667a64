#include "mqtt/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace mqtt {
namespace {

using namespace std::string_literals;

struct Row {
    const char* sentence;
    std::string text;
    bool want;
};

TEST(Utf8, MQTT_1_5_4_1_is_valid_or_not) {
    const Row rows[] = {
        {"empty", "", true},
        {"ASCII", "hello, world", true},
        {"control characters are only advised against", "\x01\x1F\x7F", true},
        {"U+0080, the first of two bytes", "\xC2\x80", true},
        {"U+07FF, the last of two bytes", "\xDF\xBF", true},
        {"U+0800, the first of three bytes", "\xE0\xA0\x80", true},
        {"U+FFFF, the last of three bytes", "\xEF\xBF\xBF", true},
        {"U+10000, the first of four bytes", "\xF0\x90\x80\x80", true},
        {"U+10FFFF, the last of all", "\xF4\x8F\xBF\xBF", true},
        {"MQTT-1.5.4-3: U+FEFF is a character like others", "\xEF\xBB\xBFx", true},
        {"U+D7FF, before the surrogates", "\xED\x9F\xBF", true},
        {"U+E000, after the surrogates", "\xEE\x80\x80", true},
        {"U+D800, the first surrogate", "\xED\xA0\x80", false},
        {"U+DFFF, the last surrogate", "\xED\xBF\xBF", false},
        {"a pair of surrogates", "\xED\xA0\xBD\xED\xB8\x80", false},
        {"U+110000", "\xF4\x90\x80\x80", false},
        {"first byte F5", "\xF5\x80\x80\x80", false},
        {"first byte F8, five bytes", "\xF8\x88\x80\x80\x80", false},
        {"first byte FF", "\xFF", false},
        {"MQTT-1.5.4-2: U+0000", "\0"s, false},
        {"MQTT-1.5.4-2: U+0000 in a word", "abc\0defg"s, false},
        {"overlong '/' in two bytes", "\xC0\xAF", false},
        {"overlong U+0000", "\xC0\x80", false},
        {"overlong DEL", "\xC1\xBF", false},
        {"overlong U+07FF in three bytes", "\xE0\x9F\xBF", false},
        {"overlong U+FFFF in four bytes", "\xF0\x8F\xBF\xBF", false},
        {"a continuation first", "\x80", false},
        {"the last continuation first", "\xBF", false},
        {"two bytes cut to one", "\xC3", false},
        {"three bytes cut to two", "\xE2\x82", false},
        {"four bytes cut to three", "\xF0\x9F\x98", false},
        {"four bytes cut to one after a word", "12345678\xF0", false},
        {"no continuation after C3", "\xC3(", false},
        {"third byte is no continuation", "\xE2\x82(", false},
        {"fourth byte is no continuation", "\xF0\x9F\x98(", false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        EXPECT_EQ(is_valid_utf8(row.text), row.want);
        // Wherever it stands in a word.
        for (std::size_t before = 1; before <= 9; ++before) {
            EXPECT_EQ(is_valid_utf8(std::string(before, 'a') + row.text), row.want) << before;
            EXPECT_EQ(is_valid_utf8(row.text + std::string(before, 'a')), row.want) << before;
        }
    }
}

}  // namespace
}  // namespace mqtt
