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

TEST(Options, WhichDoor) {
    struct Row {
        const char* sentence;
        Words words;
        int port;
        bool tls;
        bool web_socket;
        bool os_certs;
    };
    const Row rows[] = {
        {"plain", {}, 1883, false, false, false},
        {"an authority", {"--cafile", "x"}, 8883, true, false, false},
        {"a folder of them", {"--capath", "x"}, 8883, true, false, false},
        {"those of the machine", {"--tls-use-os-certs"}, 8883, true, false, true},
        {"both", {"--tls-use-os-certs", "--cafile", "x"}, 8883, true, false, true},
        {"a key", {"--psk", "ab", "--psk-identity", "a"}, 8883, true, false, false},
        {"another port", {"--cafile", "x", "-p", "7"}, 7, true, false, false},
        {"the port of TLS", {"-p", "8883"}, 8883, true, false, true},
        {"which is not", {"-p", "8883", "--no-tls"}, 8883, false, false, false},
        {"a unix socket", {"-p", "8883", "--unix", "/s"}, 8883, false, false, false},
        {"a WebSocket", {"--ws"}, 1883, false, true, false},
        {"both kinds", {"--ws", "--cafile", "x"}, 8883, true, true, false},
        {"mqtts", {"-L", "mqtts://h/t"}, 8883, true, false, true},
        {"mqtts with an authority",
         {"-L", "mqtts://h/t", "--cafile", "x"},
         8883,
         true,
         false,
         false},
        {"ws", {"-L", "WS://h/t"}, 1883, false, true, false},
        {"wss", {"-L", "wss://h:99/t"}, 99, true, true, true},
    };
    for (const Row& row : rows) {
        Words words = {"-t", "a", "-n"};
        words.insert(words.end(), row.words.begin(), row.words.end());
        const auto options = parse(Tool::pub, words);
        ASSERT_TRUE(options) << row.sentence << options.error().text;
        EXPECT_EQ(options->port, row.port) << row.sentence;
        EXPECT_EQ(options->uses_tls, row.tls) << row.sentence;
        EXPECT_EQ(options->web_socket, row.web_socket) << row.sentence;
        EXPECT_EQ(options->tls.use_os_certs, row.os_certs) << row.sentence;
    }
}

TEST(Options, WhatDoesNotFitTogether) {
    struct Row {
        Words words;
        const char* error;
    };
    const Row rows[] = {
        {{"--cafile", "x", "--cert", "x"}, "Error: Both certfile and keyfile must be provided"},
        {{"--cafile", "x", "--key", "x"}, "Error: Both certfile and keyfile must be provided"},
        {{"--cert", "x", "--key", "x"}, "Error: --cert is for TLS: name the authority"},
        {{"--psk", "ab"}, "Error: --psk-identity required if --psk used."},
        {{"--psk", "ab", "--psk-identity", "a", "--cafile", "x"}, "Error: Only one of --psk or"},
        {{"--keyform", "pem"}, "Error: If keyform is set, keyfile must be also specified."},
        {{"--cafile", "x", "--cert", "x", "--key", "x", "--keyform", "engine"},
         "Error: --keyform engine is not supported"},
        {{"--cafile", "x", "--cert", "x", "--key", "x", "--keyform", "der"},
         "Error: keyform must be pem, it is 'der'."},
        {{"--tls-engine", "x"}, "Error: --tls-engine is not supported yet by this build."},
    };
    for (const Row& row : rows) {
        Words words = {"-t", "a", "-n"};
        words.insert(words.end(), row.words.begin(), row.words.end());
        const auto options = parse(Tool::pub, words);
        ASSERT_FALSE(options) << row.error;
        EXPECT_TRUE(options.error().text.starts_with(row.error)) << options.error().text;
    }
}

}  // namespace
}  // namespace cli
