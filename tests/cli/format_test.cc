#include "cli/format.h"

#include <gtest/gtest.h>

#include "cli/parse_options.h"

namespace cli {
namespace {

WallTime a_time() {
    WallTime time;
    time.seconds = 1'700'000'000;
    time.nanoseconds = 12'345'678;
    ::gmtime_r(&time.seconds, &time.local);
    return time;
}

client::Received a_message(std::string_view payload) {
    client::Received received;
    received.publish.topic = "a/topic";
    received.publish.payload = base::as_bytes(payload);
    received.publish.qos = mqtt::Qos::at_least_once;
    received.publish.id = 7;
    return received;
}

struct Row {
    const char* sentence;
    const char* format;
    std::string payload;
    std::string want;
};

const Row rows[] = {
    {"topic, right and left", "%9t|%-9t|", "", "  a/topic|a/topic  |"},
    {"precision cuts text", "%.3t|%5.3t|", "", "a/t|  a/t|"},
    {"width cuts the payload", "%3p|", "hello", "hel|"},
    {"zeros before a number", "%03m|%-3m|%3l", "hello", "007|7  |  5"},
    {"hex", "%x|%X", "\x1f\xab", "1fab|1FAB"},
    {"hex with separator", "%.1:x|%.2 X", "\x01\x02\x03", "01:02:03|0102 03"},
    {"a number that is not there", "[%3A]", "", "[   ]"},
    {"flags", "%q%r%%@@", "", "10%@"},
    {"time", "@Y-@m-@d @N", "", "2023-11-14 012345678"},
    {"unix time", "%U", "", "1700000000.012345678"},
    {"escapes", "\\n\\t\\\\", "", "\n\t\\"},
    {"float", "%.2f", std::string("\x00\x00\xc0\x3f", 4), "1.50"},
    {"double", "%d", std::string("\x00\x00\x00\x00\x00\x00\xf8\x3f", 8), "1.500000"},
    {"no float", "[%4f]", "abc", "[    ]"},
    {"JSON", "%j", "x",
     R"({"tst":"2023-11-14T22:13:20.012345Z+0000","topic":"a/topic","qos":1,"retain":0,)"
     R"("payloadlen":1,"mid":7,"payload":"x"})"},
};

TEST(Format, Table) {
    OutputOptions options;
    options.end_of_line = false;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        ASSERT_EQ(check_format(row.format), "");
        std::string out;
        EXPECT_FALSE(format_message(out, row.format, options, a_message(row.payload), a_time()));
        EXPECT_EQ(out, row.want);
    }
}

TEST(Format, BytesThatAreNoTextBecomeNumbers) {
    const auto json = format_json(a_message("\xff\x01"), a_time(), false, false);
    ASSERT_TRUE(json);
    EXPECT_NE(json->find("\"payload\":[255,1]"), std::string::npos) << *json;
}

TEST(Format, DeepJsonIsRefused) {
    const std::string deep(100'000, '[');
    EXPECT_FALSE(format_json(a_message(deep + std::string(100'000, ']')), a_time(), true, false));
}

struct BadRow {
    const char* format;
    const char* want;
};

TEST(Format, WrongFormats) {
    const BadRow bad[] = {
        {"%", "Error: Incomplete format specifier.\n"},
        {"%5", "Error: Incomplete format specifier.\n"},
        {"%.", "Error: Incomplete format specifier.\n"},
        {"@", "Error: Incomplete format specifier.\n"},
        {"%z", "Error: Invalid format specifier 'z'.\n"},
        {"\\", "Error: Incomplete escape specifier.\n"},
        {"\\q", "Error: Invalid escape specifier 'q'.\n"},
    };
    for (const BadRow& row : bad) EXPECT_EQ(check_format(row.format), row.want) << row.format;
}

}  // namespace
}  // namespace cli
