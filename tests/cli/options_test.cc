#include <gtest/gtest.h>

#include <set>

#include "cli/option_table.h"
#include "cli/parse_options.h"

namespace cli {
namespace {

using Words = std::vector<std::string>;

base::Result<ToolOptions, UsageError> parse(Tool tool, const Words& words,
                                            std::string_view file = {}) {
    return parse_options(tool, "t", words, file);
}

TEST(OptionTable, EachNameIsThereOnce) {
    std::set<std::string_view> names;
    for (const OptionRow& row : option_table()) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        if (!row.long_name.empty()) {
            EXPECT_TRUE(names.insert(row.long_name).second) << row.long_name;
        }
        EXPECT_NE(row.tools, 0) << row.name;
        EXPECT_FALSE(row.help.empty()) << row.name;
    }
}

struct UrlRow {
    const char* url;
    const char* host;
    int port;
    const char* user;
    const char* password;
    const char* topic;
};

TEST(Options, Url) {
    const UrlRow rows[] = {
        {"mqtt://h/t", "h", 1883, "", "", "t"},      {"MQTT://h:99/a/b", "h", 99, "", "", "a/b"},
        {"mqtt://u@h/t", "h", 1883, "u", "", "t"},   {"mqtt://u:p@h:5/t", "h", 5, "u", "p", "t"},
        {"mqtt://[::1]:7/t", "::1", 7, "", "", "t"}, {"mqtt://[::1]/t", "::1", 1883, "", "", "t"},
    };
    for (const UrlRow& row : rows) {
        const auto options = parse(Tool::pub, {"-L", row.url});
        ASSERT_TRUE(options) << row.url;
        EXPECT_EQ(options->host, row.host);
        EXPECT_EQ(options->port, row.port);
        EXPECT_EQ(options->connection.user_name.value_or(""), row.user);
        EXPECT_EQ(options->connection.password.value_or(""), row.password);
        EXPECT_EQ(options->topic, row.topic);
    }
}

TEST(Options, FileComesFirst) {
    const auto options =
        parse(Tool::pub, {"-h", "line"}, "# comment\n-h file\r\n-m two words \n\n-r\n");
    ASSERT_TRUE(options);
    EXPECT_EQ(options->host, "line");
    EXPECT_EQ(options->message, "two words ");
    EXPECT_TRUE(options->retain);
}

TEST(Options, FilePath) {
    EXPECT_EQ(default_options_path(Tool::pub, "/x", "/h"), "/x/mosquitto_pub");
    EXPECT_EQ(default_options_path(Tool::sub, nullptr, "/h"), "/h/.config/mosquitto_sub");
    EXPECT_EQ(default_options_path(Tool::rr, nullptr, nullptr), "");
}

TEST(Options, SessionExpiryImpliesVersion5) {
    const auto options = parse(Tool::sub, {"-t", "a", "-i", "c", "-x", "-1"});
    ASSERT_TRUE(options);
    EXPECT_EQ(options->connection.version, mqtt::Version::v5);
    EXPECT_EQ(options->connection.session_expiry_s, mqtt::session_never_expires);
}

TEST(Options, PropertiesFindTheirPlace) {
    const auto options = parse(Tool::pub, {"-t", "a",  "-n",      "--will-topic",
                                           "w",  "-D", "publish", "message-expiry-interval",
                                           "9",  "-D", "will",    "will-delay-interval",
                                           "3",  "-D", "connect", "receive-maximum",
                                           "4",  "-D", "publish", "user-property",
                                           "k",  "v"});
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_EQ(options->publish.properties.message_expiry_s, 9U);
    EXPECT_EQ(options->connection.will->delay_s, 3U);
    EXPECT_EQ(options->connection.receive_maximum, 4);
    EXPECT_EQ(options->publish.properties.user.view().count(), 1U);
}

TEST(Options, EveryToolNeedsNoTlsOn8883) {
    EXPECT_FALSE(parse(Tool::pub, {"-t", "a", "-n", "-p", "8883"}));
    EXPECT_TRUE(parse(Tool::pub, {"-t", "a", "-n", "-p", "8883", "--no-tls"}));
}

}  // namespace
}  // namespace cli
