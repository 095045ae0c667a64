#include "mqtt/topic.h"

#include <gtest/gtest.h>

#include <string>

namespace mqtt {
namespace {

using namespace std::string_literals;

std::string levels(std::size_t count) {
    std::string text = "a";
    for (std::size_t i = 1; i < count; ++i) text += "/a";
    return text;
}

struct Validity {
    const char* sentence;
    std::string text;
    bool is_topic;
    bool is_filter;
};

TEST(Topic, is_valid_or_not) {
    const Validity rows[] = {
        {"one level", "a", true, true},
        {"MQTT-4.7.3-1, MQTT311-4.7.3-1: empty", "", false, false},
        {"a separator alone", "/", true, true},
        {"empty levels", "//a//", true, true},
        {"spaces", "a b/ c", true, true},
        {"$ at the front", "$SYS/broker", true, true},
        {"exactly a word", "abcdefgh", true, true},
        {"a word and one more", "abcdefghi", true, true},
        {"beyond ASCII", "\xC3\xA4/\xE2\x82\xAC/\xF0\x9F\x98\x80", true, true},
        {"MQTT-4.7.0-1, MQTT311-4.7.1-1: # alone", "#", false, true},
        {"# last", "a/b/#", false, true},
        {"MQTT-4.7.1-1, MQTT311-4.7.1-2: # after a name", "a/b#", false, false},
        {"MQTT-4.7.1-1, MQTT311-4.7.1-2: # before a name", "a/#b", false, false},
        {"MQTT-4.7.1-1, MQTT311-4.7.1-2: # not last", "a/#/b", false, false},
        {"MQTT-4.7.1-1, MQTT311-4.7.1-2: # and a separator", "#/", false, false},
        {"MQTT-4.7.0-1, MQTT311-4.7.1-1: + alone", "+", false, true},
        {"+ at each level", "+/+/+", false, true},
        {"+ and #", "+/a/#", false, true},
        {"MQTT-4.7.1-2, MQTT311-4.7.1-3: + after a name", "a+", false, false},
        {"MQTT-4.7.1-2, MQTT311-4.7.1-3: + before a name", "a/+b/c", false, false},
        {"MQTT-4.7.1-2, MQTT311-4.7.1-3: two in a level", "a/++", false, false},
        {"two # in a level", "##", false, false},
        {"+ in the last place of a word", "abcdefg+", false, false},
        {"# past the first word", "abcdefghij#", false, false},
        {"# after a character beyond ASCII", "\xC3\xA4#", false, false},
        {"MQTT-4.7.3-2, MQTT311-4.7.3-2: U+0000", "a\0b"s, false, false},
        {"ill-formed", "a/\xFF", false, false},
        {"cut short at the end", "abcdefg\xE2\x82", false, false},
        {"65,535 bytes", std::string(65'535, 'a'), true, true},
        {"MQTT-4.7.3-3, MQTT311-4.7.3-3: 65,536 bytes", std::string(65'536, 'a'), false, false},
        {"200 levels", levels(200), true, true},
        {"201 levels", levels(201), false, false},
        {"200 empty levels", std::string(199, '/'), true, true},
        {"201 empty levels", std::string(200, '/'), false, false},
        {"200 levels beyond ASCII", levels(200) + "\xC3\xA4", true, true},
        {"201 levels, one beyond ASCII", "\xC3\xA4/" + levels(200), false, false},
    };
    for (const Validity& row : rows) {
        SCOPED_TRACE(row.sentence);
        EXPECT_EQ(is_valid_topic_name(row.text), row.is_topic);
        EXPECT_EQ(is_valid_topic_filter(row.text), row.is_filter);
    }
}

void refuses_a_bad_byte(std::size_t size, std::size_t at) {
    for (const char bad : {'+', '#', '\0', '\x80', '\xFF'}) {
        std::string topic(size, 'a');
        ASSERT_TRUE(is_valid_topic_name(topic));
        topic[at] = bad;
        EXPECT_FALSE(is_valid_topic_name(topic)) << size << ' ' << at << ' ' << int{bad};
    }
}

// Each place of a word and of the tail after it is looked at, for each byte that is not allowed.
TEST(Topic, MQTT_3_3_2_2_MQTT311_3_3_2_2_finds_a_wildcard_in_any_place) {
    for (std::size_t size = 1; size <= 24; ++size) {
        for (std::size_t at = 0; at < size; ++at) refuses_a_bad_byte(size, at);
    }
}

// '+' and '#' are told from all other bytes of ASCII.
TEST(Topic, allows_every_other_ascii_character) {
    for (char c = 1; c < 127; ++c) {
        const bool is_wildcard = c == '+' || c == '#';
        EXPECT_EQ(is_valid_topic_name(std::string(9, c)), !is_wildcard) << int{c};
        EXPECT_EQ(has_wildcard(std::string("ab") + c), is_wildcard) << int{c};
    }
}

struct Match {
    const char* filter;
    const char* topic;
    bool want;
};

void check(std::initializer_list<Match> rows) {
    for (const Match& row : rows) {
        EXPECT_EQ(matches(row.filter, row.topic), row.want) << row.filter << " : " << row.topic;
    }
}

TEST(Matches, a_topic_of_four_levels) {
    check({
        {"a/b/c/d", "a/b/c/d", true},      {"+/b/c/d", "a/b/c/d", true},
        {"+/+/c/d", "a/b/c/d", true},      {"+/+/+/d", "a/b/c/d", true},
        {"a/+/c/d", "a/b/c/d", true},      {"a/+/+/d", "a/b/c/d", true},
        {"+/+/+/+", "a/b/c/d", true},      {"#", "a/b/c/d", true},
        {"a/#", "a/b/c/d", true},          {"a/b/#", "a/b/c/d", true},
        {"a/b/c/#", "a/b/c/d", true},      {"+/b/c/#", "a/b/c/d", true},
        {"a/b/c/d/#", "a/b/c/d", true},    {"a/b/c", "a/b/c/d", false},
        {"a/b/c/d/e", "a/b/c/d", false},   {"b/+/c/d", "a/b/c/d", false},
        {"+/+/+", "a/b/c/d", false},       {"+/+/+/+/+", "a/b/c/d", false},
        {"+/c/c/d", "a/b/c/d", false},     {"+/b/c/e", "a/b/c/d", false},
        {"b/#", "a/b/c/d", false},         {"a/c/#", "a/b/c/d", false},
        {"+/c/#", "a/b/c/d", false},       {"a/b/c/d/+", "a/b/c/d", false},
        {"a/b/c/d/e/#", "a/b/c/d", false}, {"A/b/c/d", "a/b/c/d", false},
    });
}

TEST(Matches, empty_levels_are_levels) {
    check({
        {"+/+", "/a", true},    {"/+", "/a", true},     {"+", "/a", false},
        {"a/+", "a/", true},    {"a/+", "a", false},    {"a/", "a", false},
        {"a", "a/", false},     {"a//b", "a//b", true}, {"a/+/b", "a//b", true},
        {"a/b", "a//b", false}, {"/#", "/", true},      {"/#", "a", false},
        {"a/#", "a", true},     {"a/#", "ab", false},   {"a/+/#", "a", false},
        {"a/+/#", "a/b", true}, {"+/#", "a", true},     {"#", "/", true},
        {"ab", "a", false},     {"a", "ab", false},
    });
}

TEST(Matches, MQTT_4_7_2_1_MQTT311_4_7_2_1_a_wildcard_first_skips_dollar_topics) {
    check({
        {"#", "$SYS/a", false},
        {"+/a", "$SYS/a", false},
        {"+/#", "$SYS/a", false},
        {"$SYS/#", "$SYS/a", true},
        {"$SYS/+", "$SYS/a", true},
        {"$SYS/a", "$SYS/a", true},
        {"+/$SYS", "a/$SYS", true},
        {"#", "a/$SYS", true},
        {"$SYS/#", "$SYSTEM/a", false},
    });
}

TEST(Matches, two_hundred_levels) {
    const std::string deep = levels(200);
    EXPECT_TRUE(matches(deep, deep));
    EXPECT_TRUE(matches("a/#", deep));
    EXPECT_FALSE(matches(levels(199), deep));
    std::string pluses = "+";
    for (int i = 1; i < 200; ++i) pluses += "/+";
    EXPECT_TRUE(matches(pluses, deep));
    EXPECT_FALSE(matches(pluses, levels(199)));
}

TEST(Shared, takes_a_filter_apart) {
    const auto shared = split_shared("$share/group/a/+/#");
    ASSERT_TRUE(shared);
    EXPECT_EQ(shared->group, "group");
    EXPECT_EQ(shared->filter, "a/+/#");
    EXPECT_EQ(split_shared("$share/g/$share/g/a")->filter, "$share/g/a");
    EXPECT_EQ(split_shared("$share/g//")->filter, "/");
    EXPECT_TRUE(is_shared("$share/group/a"));
    EXPECT_FALSE(is_shared("$shared/group/a"));
    EXPECT_FALSE(is_shared("a/$share/b"));
}

TEST(Shared, MQTT_4_8_2_1_MQTT_4_8_2_2_refuses_a_wrong_one) {
    const std::string rows[] = {
        "$share/",    "$share/group", "$share/group/", "$share//a",         "$share/g+/a",
        "$share/#/a", "$share/+/a",   "$share/g/a#",   "$share/g/a/#/b",    "$share",
        "$SHARE/g/a", "share/g/a",    "$share/g/\xFF", "$share/\xC0\x80/a", "",
    };
    for (const std::string& row : rows) EXPECT_FALSE(split_shared(row)) << row;
}

}  // namespace
}  // namespace mqtt
