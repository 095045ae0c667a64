// The connection blocks.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/memory_files.h"

namespace config {
namespace {

std::string block(const std::string& lines) {
    return "connection b\naddress h\n" + lines;
}

struct TopicRow {
    std::string line;
    BridgeTopic want;
};

TEST(Bridges, TopicLines) {
    const std::vector<TopicRow> rows = {
        {"topic a/#", {"a/#", Direction::out, 0, "", ""}},
        {"topic # in", {"#", Direction::in, 0, "", ""}},
        {"topic # BOTH 2", {"#", Direction::both, 2, "", ""}},
        {"topic a out 1 l/ r/", {"a", Direction::out, 1, "l/", "r/"}},
        {"topic a out 1 \"\" r/", {"a", Direction::out, 1, "", "r/"}},
        {"topic a out 1 l/ \"\"", {"a", Direction::out, 1, "l/", ""}},
        {"topic \"\" in 1 l r", {"", Direction::in, 1, "l", "r"}},
        {"topic \"a b/c\" in 1", {"a b/c", Direction::in, 1, "", ""}},
        {"topic \"a\" in", {"a", Direction::in, 0, "", ""}},
        {"topic a # comment", {"a", Direction::out, 0, "", ""}},
        {"topic a in # comment 2", {"a", Direction::in, 0, "", ""}},
        {"topic a in 1 # comment 2", {"a", Direction::in, 1, "", ""}},
        {"topic a in 1 l/ # comment", {"a", Direction::in, 1, "l/", ""}},
    };
    for (const TopicRow& row : rows) {
        SCOPED_TRACE(row.line);
        const auto config = parse_text(block(row.line + "\n"));
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_EQ(config->bridges.at(0).topics.at(0), row.want);
    }
}

TEST(Bridges, Addresses) {
    const auto config = parse_text(
        "connection b\naddresses a b:1884 ::1:1885 [::2]:1886 # c:0\n"
        "topic #\n");
    ASSERT_TRUE(config) << to_string(config.error());
    const std::vector<BridgeAddress> want = {
        {"a", 1883}, {"b", 1884}, {"::1", 1885}, {"::2", 1886}};
    EXPECT_EQ(config->bridges.at(0).addresses, want);
}

TEST(Bridges, OptionsBelongToTheLastConnection) {
    const auto config = parse_text(
        "connection a\naddress h\ntopic #\nkeepalive_interval 1\ncleansession true\n"
        "connection b\naddress h\ntopic #\nremote_username u\npassword p\nnotifications false\n"
        "local_cleansession true\nrestart_timeout 2 9 60\nbridge_receive_maximum 7\n");
    ASSERT_TRUE(config) << to_string(config.error());
    const Bridge& a = config->bridges.at(0);
    const Bridge& b = config->bridges.at(1);
    EXPECT_EQ(a.keepalive_s, 5);
    EXPECT_TRUE(a.clean_session);
    EXPECT_EQ(a.local_clean_session, true);
    EXPECT_FALSE(b.clean_session);
    EXPECT_EQ(b.local_clean_session, true);
    EXPECT_EQ(b.remote_username, "u");
    EXPECT_EQ(b.remote_password, "p");
    EXPECT_TRUE(a.notifications && !b.notifications);
    EXPECT_EQ(b.restart_base_s, 2);
    EXPECT_EQ(b.restart_cap_s, 9);
    EXPECT_EQ(b.restart_stable_s, 60);
    EXPECT_EQ(b.receive_maximum, 7);
    EXPECT_EQ(a.receive_maximum, std::nullopt);
}

TEST(Bridges, RestartTimeoutOfOneNumberIsConstantAndClamped) {
    const auto config = parse_text(block("topic #\nrestart_timeout 99999\n"));
    ASSERT_TRUE(config);
    EXPECT_EQ(config->bridges.at(0).restart_base_s, 3600);
    EXPECT_EQ(config->bridges.at(0).restart_cap_s, 3600);
}

TEST(Bridges, WhatIsRefused) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"topic \"\" in 1 l", "3: Error: Invalid bridge remapping."},
        {"topic \"\" in 1 \"\" \"\"", "3: Error: Invalid bridge remapping."},
        {"topic \"\"", "3: Error: Invalid bridge remapping."},
        {"topic", "3: Error: Empty 'topic' value in configuration."},
        {"topic a up", "3: Error: Invalid bridge topic direction 'up'."},
        {"topic a in 3", "3: Error: Invalid bridge QoS level '3'."},
        {"topic a in -1", "3: Error: Invalid bridge QoS level '-1'."},
        {"topic a/b#", "3: Error: Invalid bridge topic 'a/b#'."},
        {"topic #/a", "3: Error: Invalid bridge topic '#/a'."},
        {"topic a in 0 +/ r", "3: Error: Invalid bridge topic local prefix '+/'."},
        {"topic a in 0 l r/#", "3: Error: Invalid bridge topic remote prefix 'r/#'."},
        {"topic \"a b", "3: Error: Missing closing quote in topic value (\"a b)."},
        {"address i", "3: Error: Invalid bridge configuration, 'address' only allowed once."},
        {"connection b", "3: Error: Duplicate bridge name 'b'."},
        {"connection", "3: Error: Empty 'connection' value in configuration."},
        {"start_type manual", "3: Error: Manual start_type not supported."},
        {"start_type never", "3: Error: Invalid 'start_type' value (never)."},
        {"bridge_protocol_version 5", "3: Error: Invalid 'bridge_protocol_version' value (5)."},
        {"bridge_reload_type soon", "3: Error: Invalid 'bridge_reload_type' value (soon)."},
        {"bridge_tcp_keepalive 1 0 1", "3: Error: invalid TCP keepalive interval value."},
        {"bridge_receive_maximum 0",
         "3: Error: Invalid 'bridge_receive_maximum' value (0): must be 1 to 65535."},
        {"restart_timeout 5 4", "3: Error: backoff cap is lower than the base in restart_timeout."},
        {"restart_timeout 5 6 -1", "3: Error: stable connection period cannot be negative."},
        {"restart_timeout x", "3: Error: 'restart_timeout' value not a number."},
        {"username a\nremote_username b",
         "4: Error: Duplicate 'remote_username' value in configuration."},
        {"notifications true", "1: Error: Invalid bridge configuration: no topics defined."},
        {"topic #\nconnection c\ntopic #",
         "4: Error: Invalid bridge configuration: no remote addresses defined."},
        {"topic #\nbridge_psk 00",
         "1: Error: Invalid bridge configuration: missing bridge_identity."},
        {"topic #\nbridge_identity i",
         "1: Error: Invalid bridge configuration: missing bridge_psk."},
        {"topic #\nbridge_identity i\nbridge_psk 00\nbridge_cafile c",
         "1: Error: Invalid bridge configuration: cannot use both certificate and psk "
         "encryption."},
        {"topic #\nlocal_clientid x\nconnection c\naddress h\ntopic #\nlocal_clientid x",
         "5: Error: Bridge local_clientid 'x' is not unique."},
    };
    for (const auto& [lines, want] : rows) {
        SCOPED_TRACE(lines);
        EXPECT_EQ(error_of(block(lines + "\n")), "main.conf:" + want);
    }
    EXPECT_EQ(error_of("topic #\n"),
              "main.conf:1: Error: The 'topic' option requires a connection to be defined first.");
}

TEST(Bridges, AddressesThatAreRefused) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"address h:0", "Error: Invalid bridge port value (0)."},
        {"address h:65536", "Error: Invalid bridge port value (65536)."},
        {"address h:x", "Error: Invalid bridge port value (x)."},
        {"address :1883", "Error: Invalid 'address' value (:1883)."},
        {"address # none", "Error: Empty address value in configuration."},
    };
    for (const auto& [line, want] : rows) {
        SCOPED_TRACE(line);
        EXPECT_EQ(error_of("connection b\n" + line + "\n"), "main.conf:2: " + want);
    }
}

}  // namespace
}  // namespace config
