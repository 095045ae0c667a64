// Each option at least once, each range, and what an option without effect says.
#include "config/options.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/memory_files.h"

namespace config {
namespace {

// A good value for each option that does not take "true", "1" and "x" by its kind.
const std::map<std::string_view, std::string> values = {
    {"accept_protocol_versions", "3,4 5"},
    {"address", "example.com:1884"},
    {"addresses", "a b:1884 [::1]:1885"},
    {"auth_http_*", "http://127.0.0.1/"},
    {"auth_opt_*", "value"},
    {"bridge_protocol_version", "mqttv50"},
    {"bridge_reload_type", "immediate"},
    {"bridge_tcp_keepalive", "1 2 3"},
    {"durability", "process"},
    {"durability_topic", "memory a/#"},
    {"keepalive_interval", "5"},
    {"listener", "1884"},
    {"log_dest", "stdout"},
    {"log_type", "all"},
    {"max_packet_size", "20"},
    {"mysql_store", "a/# messages"},
    {"persistent_client_expiration", "2w"},
    {"plugin_load", "name path"},
    {"plugin_opt_*", "value"},
    {"plugin_use", "loaded"},
    {"protocol", "mqtt"},
    {"proxy_protocol_trusted", "192.0.2.0/24"},
    {"receive_maximum_exceeded", "warn"},
    {"shared_subscription_strategy", "sticky"},
    {"socket_domain", "ipv4"},
    {"start_type", "lazy"},
    {"topic", "a/# both 1 l/ r/"},
};

std::string context(const Option& option) {
    if (option.name == "connection") return "";
    if (option.name == "durability_topic") return "persistence true\n";
    if (option.name == "plugin_use") return "plugin_load loaded path\nlistener 1884\n";
    switch (option.scope) {
        case Scope::listener:
        case Scope::named_listener:
            return "listener 1884\n";
        case Scope::bridge:
            return "connection b\n";
        case Scope::plugin:
            return "plugin path\n";
        default:
            return "";
    }
}

// What makes a file whole after the option.
std::string completion(const Option& option) {
    const bool bridge = option.scope == Scope::bridge || option.name == "connection";
    std::string text;
    if (bridge && !option.name.starts_with("address")) text += "address host\n";
    if (bridge && option.name != "topic") text += "topic #\n";
    if (option.name == "bridge_psk") text += "bridge_identity x\n";
    if (option.name == "bridge_identity") text += "bridge_psk x\n";
    if (option.name == "certfile") text += "keyfile x\n";
    if (option.name == "keyfile" || option.name == "cafile" || option.name == "capath") {
        text += "certfile x\n";
    }
    if (option.name == "cafile" || option.name == "capath") text += "keyfile x\n";
    if (option.name == "mysql_store") text += "mysql_store_database x\n";
    if (option.name == "mysql_store_*") text += "mysql_store a messages\n";
    const bool is_of_jwt = option.name.starts_with("auth_jwt_");
    if (is_of_jwt && option.name != "auth_jwt_key_file") text += "auth_jwt_key_file x\n";
    return text;
}

std::string spelled(std::string_view name) {
    std::string key(name);
    const bool is_of_sql =
        name == "mysql_store_*" || (name.starts_with("auth_") && name != "auth_opt_*");
    const char* const rest = name == "auth_http_*" ? "url" : is_of_sql ? "database" : "key";
    if (key.back() == '*') key.replace(key.size() - 1, 1, rest);
    return key;
}

// The text that reads `option` with the first value of its kind that it takes.
std::string good_text(const Option& option) {
    const auto special = values.find(option.name);
    std::vector<std::string> candidates = {"true", "1", "x"};
    if (special != values.end()) candidates = {special->second};
    if (option.name == "include_dir") return {};
    for (const std::string& value : candidates) {
        std::string text =
            context(option) + spelled(option.name) + " " + value + "\n" + completion(option);
        if (parse_text(text)) return text;
    }
    return {};
}

TEST(Options, EachIsReadAndSaysOnceIfItIsNotHonoured) {
    for (const Option& option : options()) {
        if (option.name == "include_dir") continue;  // include_test.cc
        SCOPED_TRACE(option.name);
        const std::string text = good_text(option);
        ASSERT_FALSE(text.empty())
            << "no good value: "
            << error_of(context(option) + spelled(option.name) + " 1\n" + completion(option));
        const auto config = parse_text(text);
        ASSERT_TRUE(config);

        const std::string key = spelled(option.name);
        const auto line =
            static_cast<int>(std::count(
                text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find("\n" + key) + 1),
                '\n')) +
            1;
        std::vector<std::string> about;
        for (const Warning& warning : config->warnings) {
            if (warning.message.find("'" + key + "'") == std::string::npos) continue;
            about.push_back(warning.message);
            EXPECT_EQ(warning.file, "main.conf");
            EXPECT_EQ(warning.line, context(option).empty() ? 1 : line);
        }
        const bool silent = option.support == Support::honoured && option.deprecated.empty();
        EXPECT_EQ(about.size(), silent ? 0U : 1U);
        if (option.support == Support::accepted) {
            EXPECT_EQ(about.at(0),
                      "Warning: The '" + key + "' option is accepted but not honoured yet.");
        }
    }
}

TEST(Options, ASecondLineOfTheSameOptionWarnsNoMore) {
    const auto config =
        parse_text("connection a\naddress h\ntopic #\nconnection b\naddress h\ntopic #\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(shown_warnings(*config),
              (std::vector<std::string>{
                  "main.conf:1: Warning: The 'connection' option is accepted but not honoured yet.",
                  "main.conf:2: Warning: The 'address' option is accepted but not honoured yet.",
                  "main.conf:3: Warning: The 'topic' option is accepted but not honoured yet."}));
}

TEST(Options, DroppedAndDeprecatedOnesSaySo) {
    const auto config = parse_text("retry_interval 20\nport 1884\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(shown_warnings(*config),
              (std::vector<std::string>{
                  "main.conf:1: Warning: The 'retry_interval' option is no longer available.",
                  "main.conf:2: Warning: The 'port' option is deprecated. Use 'listener'."}));
}

struct Row {
    std::string text;
    std::function<bool(const Config&)> holds;
};

TEST(Options, NumbersAndTheirEdges) {
    const std::vector<Row> rows = {
        {"connect_timeout 1\n", [](const Config& c) { return c.connect_timeout_s == 1; }},
        {"threads 0\n", [](const Config& c) { return c.threads == 0; }},
        {"threads 4\n", [](const Config& c) { return c.threads == 4; }},
        {"max_retained_messages 4294967296\n",
         [](const Config& c) { return c.max_retained_messages == 4'294'967'296; }},
        {"max_retained_bytes 7\n", [](const Config& c) { return c.max_retained_bytes == 7; }},
        {"max_subscriptions_per_client 0\n",
         [](const Config& c) { return c.max_subscriptions_per_client == 0; }},
        {"max_user_properties 0\n", [](const Config& c) { return c.max_user_properties == 0; }},
        {"listener 1884\nmax_connection_rate 7\n",
         [](const Config& c) { return c.listeners.at(0).max_connection_rate == 7; }},
        {"listener 1884\nmax_message_rate 7\n",
         [](const Config& c) { return c.listeners.at(0).max_message_rate == 7; }},
        {"listener 1884\nmax_byte_rate 8\n",
         [](const Config& c) { return c.listeners.at(0).max_byte_rate == 8; }},
        {"", [](const Config& c) { return c.queue_memory_limit_bytes == 67'108'864; }},
        {"queue_memory_limit 0\n", [](const Config& c) { return c.queue_memory_limit_bytes == 0; }},
        {"max_output_bytes 0\n", [](const Config& c) { return c.max_output_bytes == 0; }},
        {"max_output_bytes 8589934592\n",
         [](const Config& c) { return c.max_output_bytes == 8'589'934'592; }},
        {"shared_subscription_strategy sticky\n",
         [](const Config& c) { return c.shared_subscription_strategy == SharedStrategy::sticky; }},
        {"shared_subscription_strategy hash\n",
         [](const Config& c) { return c.shared_subscription_strategy == SharedStrategy::hash; }},
        {"shared_subscription_strategy hash\nshared_subscription_strategy round_robin\n",
         [](const Config& c) {
             return c.shared_subscription_strategy == SharedStrategy::round_robin;
         }},
        {"global_max_clients -7\n", [](const Config& c) { return c.global_max_clients == -1; }},
        {"global_max_connections 5\n",
         [](const Config& c) { return c.global_max_connections == 5; }},
        {"auth_failure_limit 5\n", [](const Config& c) { return c.auth_failure_limit == 5; }},
        {"max_connections_per_address 5\n",
         [](const Config& c) { return c.max_connections_per_address == 5; }},
        {"tcp_user_timeout 90\n", [](const Config& c) { return c.tcp_user_timeout_s == 90; }},
        {"max_inflight_bytes -1\n", [](const Config& c) { return c.max_inflight_bytes == 0; }},
        {"max_inflight_messages 65535\n",
         [](const Config& c) { return c.max_inflight_messages == 0; }},
        {"max_inflight_messages 65534\n",
         [](const Config& c) { return c.max_inflight_messages == 65'534; }},
        {"max_inflight_messages -1\n",
         [](const Config& c) { return c.max_inflight_messages == 0; }},
        {"max_keepalive 65535\n", [](const Config& c) { return c.max_keepalive_s == 65'535; }},
        {"max_packet_size 20\n", [](const Config& c) { return c.max_packet_size_bytes == 20; }},
        {"max_queued_messages -1\n", [](const Config& c) { return c.max_queued_messages == 0; }},
        {"max_queued_bytes 7\n", [](const Config& c) { return c.max_queued_bytes == 7; }},
        {"message_size_limit 268435455\n",
         [](const Config& c) { return c.message_size_limit_bytes == 268'435'455; }},
        {"sys_interval 0\n", [](const Config& c) { return c.sys_interval_s == 0; }},
        {"autosave_interval -1\n",
         [](const Config& c) { return c.persistence.autosave_interval_s == 0; }},
        {"durability memory\n",
         [](const Config& c) { return c.persistence.durability == Durability::memory; }},
        {"durability process\n",
         [](const Config& c) { return c.persistence.durability == Durability::process; }},
        {"persistence true\ndurability_topic process a/+\ndurability_topic disk a b/#\n",
         [](const Config& c) {
             const std::vector<DurabilityTopic> want = {{Durability::process, "a/+"},
                                                        {Durability::disk, "a b/#"}};
             return c.persistence.durability_topics == want && c.warnings.empty();
         }},
        {"durability disk\n",
         [](const Config& c) { return c.persistence.durability == Durability::disk; }},
        {"log_facility 7\n", [](const Config& c) { return c.log.facility == 7; }},
        {"receive_maximum_exceeded warn\n",
         [](const Config& c) { return !c.enforce_receive_maximum; }},
        {"receive_maximum_exceeded disconnect\n",
         [](const Config& c) { return c.enforce_receive_maximum; }},
        {"response_information re/%c/%u\n",
         [](const Config& c) { return c.response_information == "re/%c/%u"; }},
        {"clientid_prefixes dev-\n", [](const Config& c) { return c.clientid_prefixes == "dev-"; }},
        {"listener 1\nmax_connections -9\n",
         [](const Config& c) { return c.listeners[0].max_connections == -1; }},
        {"listener 65535\nmaximum_qos 1\n",
         [](const Config& c) {
             return c.listeners[0].max_qos == 1 && c.listeners[0].port == 65'535;
         }},
        {"listener 1\nmax_topic_alias 0\n",
         [](const Config& c) { return c.listeners[0].max_topic_alias == 0; }},
        {"listener 1\naccept_protocol_versions 4,\t5\n",
         [](const Config& c) { return c.listeners[0].versions == AcceptedVersions{.v31 = false}; }},
        {"listener 1\nsocket_domain ipv6\nbind_interface eth0\nmount_point a/\n",
         [](const Config& c) {
             return c.listeners[0].socket_domain == SocketDomain::ipv6 &&
                    c.listeners[0].bind_interface == "eth0" && c.listeners[0].mount_point == "a/";
         }},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const auto config = parse_text(row.text);
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_TRUE(row.holds(*config));
    }
}

TEST(Options, PersistentClientExpirationKnowsSixUnits) {
    const std::vector<std::pair<std::string, std::int64_t>> rows = {
        {"5s", 5},         {"1h", 3'600},
        {"2d", 172'800},   {"1w", 604'800},
        {"1m", 2'592'000}, {"1y", 31'536'000},
        {"0x10s", 16},     {"2147483647y", 2'147'483'647LL * 31'536'000},
    };
    for (const auto& [value, want] : rows) {
        SCOPED_TRACE(value);
        const auto config = parse_text("persistent_client_expiration " + value + "\n");
        ASSERT_TRUE(config);
        EXPECT_EQ(config->persistent_client_expiration_s, want);
    }
    EXPECT_EQ(parse_text("")->persistent_client_expiration_s, std::nullopt);
}

TEST(Options, ValuesOutOfRange) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"connect_timeout 0", "Error: Invalid 'connect_timeout' value (0): must be >= 1."},
        {"receive_maximum_exceeded shout",
         "Error: Invalid 'receive_maximum_exceeded' value (shout)."},
        {"threads -1", "Error: Invalid 'threads' value (-1): must be 0 to 64."},
        {"threads 65", "Error: Invalid 'threads' value (65): must be 0 to 64."},
        {"queue_memory_limit -1", "Error: Invalid 'queue_memory_limit' value (-1): must be >= 0."},
        {"max_output_bytes -1", "Error: Invalid 'max_output_bytes' value (-1): must be >= 0."},
        {"shared_subscription_strategy random",
         "Error: Invalid 'shared_subscription_strategy' value (random)."},
        {"max_inflight_messages 65536", "Error: 'max_inflight_messages' must be <= 65535."},
        {"max_keepalive 65536",
         "Error: Invalid 'max_keepalive' value (65536): must be 0 to 65535."},
        {"max_packet_size 19", "Error: Invalid 'max_packet_size' value (19): must be >= 20."},
        {"max_packet_size 2147483648", "Error: 'max_packet_size' value out of range."},
        {"message_size_limit 268435456",
         "Error: Invalid 'message_size_limit' value (268435456): must be 0 to 268435455."},
        {"message_size_limit -1",
         "Error: Invalid 'message_size_limit' value (-1): must be 0 to 268435455."},
        {"sys_interval -1", "Error: Invalid 'sys_interval' value (-1): must be 0 to 65535."},
        {"log_facility 8", "Error: Invalid 'log_facility' value (8): must be 0 to 7."},
        {"retain_expiry_interval 0",
         "Error: Invalid 'retain_expiry_interval' value (0): must be >= 1."},
        {"max_qos 3", "Error: Invalid 'max_qos' value (3): must be 0 to 2."},
        {"port 0", "Error: Invalid 'port' value (0)."},
        {"listener 65536", "Error: Invalid 'port' value (65536)."},
        {"listener -1", "Error: Invalid 'port' value (-1)."},
        {"listener x", "Error: 'listener' value not a number."},
        {"listener 0", "Error: A listener with port 0 must provide a Unix socket path."},
        {"protocol mqttsn", "Error: Invalid 'protocol' value (mqttsn)."},
        {"socket_domain ipx", "Error: Invalid 'socket_domain' value (ipx)."},
        {"log_dest printer", "Error: Invalid 'log_dest' value (printer)."},
        {"log_dest file", "Error: Empty 'log_dest' value in configuration."},
        {"log_type loud", "Error: Invalid 'log_type' value (loud)."},
        {"auto_id_prefix " + std::string(51, 'x'), "Error: 'auto_id_prefix' length must be <= 50."},
        {"durability safe", "Error: Invalid 'durability' value (safe)."},
        {"durability_topic", "Error: Empty 'durability_topic' value in configuration."},
        {"durability_topic disk", "Error: Empty 'durability_topic' value in configuration."},
        {"durability_topic safe a", "Error: Invalid 'durability_topic' value (safe)."},
        {"durability_topic disk a/#/b", "Error: Invalid 'durability_topic' filter (a/#/b)."},
        {"durability_topic disk a+", "Error: Invalid 'durability_topic' filter (a+)."},
        {"persistent_client_expiration 5",
         "Error: Invalid 'persistent_client_expiration' duration in configuration."},
        {"persistent_client_expiration 0d",
         "Error: Invalid 'persistent_client_expiration' duration in configuration."},
        {"persistent_client_expiration -1d",
         "Error: Invalid 'persistent_client_expiration' duration in configuration."},
        {"persistent_client_expiration d",
         "Error: Invalid 'persistent_client_expiration' duration in configuration."},
        {"persistent_client_expiration",
         "Error: Empty 'persistent_client_expiration' value in configuration."},
    };
    for (const auto& [line, want] : rows) {
        SCOPED_TRACE(line);
        EXPECT_EQ(error_of("\n" + line + "\n"), "main.conf:2: " + want);
    }
}

TEST(Options, ListenerValuesThatAreRefused) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"accept_protocol_versions",
         "Error: Empty 'accept_protocol_versions' value in configuration."},
        {"accept_protocol_versions 4,6", "Error: Invalid 'accept_protocol_versions' value (6)."},
        {"mount_point a/+",
         "Error: Invalid 'mount_point' value (a/+). Does it contain a wildcard character?"},
        {"enable_proxy_protocol 3", "Error: enable_proxy_protocol must be 1 or 2."},
        {"listener_auto_id_prefix " + std::string(51, 'x'),
         "Error: 'listener_auto_id_prefix' length must be <= 50."},
        {"plugin_use absent", "Error: Plugin 'absent' not previously loaded."},
        {"max_topic_alias 65536",
         "Error: Invalid 'max_topic_alias' value (65536): must be 0 to 65535."},
    };
    for (const auto& [line, want] : rows) {
        SCOPED_TRACE(line);
        EXPECT_EQ(error_of("listener 1884\n" + line + "\n"), "main.conf:2: " + want);
    }
}

TEST(Options, ValuesWithoutEffectYetSaySo) {
    const std::vector<std::string> lines = {"protocol http_api", "log_dest dlt",
                                            "log_dest android"};
    for (const std::string& line : lines) {
        SCOPED_TRACE(line);
        const auto config = parse_text("listener 1\n" + line + "\n");
        ASSERT_TRUE(config);
        EXPECT_EQ(shown_warnings(*config),
                  (std::vector<std::string>{"main.conf:2: Warning: The '" + line +
                                            "' option is accepted but not honoured yet."}));
    }
}

TEST(Options, LogDestinationsAddUpAndReplaceTheDefault) {
    EXPECT_TRUE(parse_text("")->log.to_stderr);
    const auto config = parse_text("log_dest stdout\nlog_dest file  /a b\nlog_dest topic\n");
    ASSERT_TRUE(config);
    EXPECT_TRUE(config->log.to_stdout && config->log.to_topic);
    EXPECT_FALSE(config->log.to_stderr || config->log.to_syslog);
    EXPECT_EQ(config->log.file, "/a b");
    const auto none = parse_text("log_dest syslog\nlog_dest none\n");
    EXPECT_FALSE(none->log.to_syslog || none->log.to_stderr);
    EXPECT_EQ(error_of("log_dest file a\nlog_dest file b\n"),
              "main.conf:2: Error: Duplicate \"log_dest file\" value.");
}

TEST(Options, LogTypesAddUpAndTheFlagsOverrideThem) {
    const std::string text = "log_type error\nlog_type debug\n";
    const auto plain = parse_text(text);
    EXPECT_TRUE(plain->log.has(base::LogType::error) && plain->log.has(base::LogType::debug));
    EXPECT_FALSE(plain->log.has(base::LogType::notice));
    const auto verbose = parse_text(text, {.verbose = true});
    EXPECT_TRUE(verbose->log.has(base::LogType::subscribe));
    const auto quiet = parse_text(text, {.verbose = true, .quiet = true});
    EXPECT_EQ(quiet->log.types, 0U);
    EXPECT_EQ(parse_text("log_type all\nlog_type none\n")->log.types, 0U);
}

TEST(Options, DurabilityByTopicNeedsPersistence) {
    const auto config = parse_text("sys_interval 1\ndurability_topic disk a\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(shown_warnings(*config),
              std::vector<std::string>{"main.conf:2: Warning: 'durability_topic' has no effect "
                                       "without 'persistence true'."});
}

TEST(Options, DurabilityByTopicHasAHundredLines) {
    std::string text = "persistence true\n";
    for (int i = 0; i < 100; ++i) text += "durability_topic disk a\n";
    EXPECT_TRUE(parse_text(text));
    EXPECT_EQ("main.conf:102: Error: More than 100 lines of 'durability_topic'.",
              error_of(text + "durability_topic disk a\n"));
}

}  // namespace
}  // namespace config
