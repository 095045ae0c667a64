// Which listeners there are, who may come in, and which must stay closed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/memory_files.h"

namespace config {
namespace {

// "port host anonymous", or "port host named" where everyone must say who they are.
std::vector<std::string> doors(const Config& config) {
    std::vector<std::string> shown;
    for (const Listener& listener : config.listeners) {
        shown.push_back(std::to_string(listener.port) + " " +
                        (listener.host.empty() ? "*" : listener.host) +
                        (listener.allow_anonymous ? " anonymous" : " named"));
    }
    return shown;
}

struct Row {
    const char* sentence;
    std::string text;
    std::vector<std::uint16_t> ports;
    std::vector<std::string> want;
};

TEST(Listeners, WhichThereAreAndWhoMayComeIn) {
    const std::vector<Row> rows = {
        {"without a listener only this machine, and anyone on it",
         "",
         {},
         {"1883 127.0.0.1 anonymous", "1883 ::1 anonymous"}},
        {"-p moves local-only mode",
         "",
         {1884, 1885},
         {"1884 127.0.0.1 anonymous", "1884 ::1 anonymous", "1885 127.0.0.1 anonymous",
          "1885 ::1 anonymous"}},
        {"local-only mode can ask for names",
         "allow_anonymous false\n",
         {},
         {"1883 127.0.0.1 named", "1883 ::1 named"}},
        {"a listener asks for names", "listener 1884\n", {}, {"1884 * named"}},
        {"unless told otherwise",
         "allow_anonymous true\nlistener 1884 10.0.0.1\n",
         {},
         {"1884 10.0.0.1 anonymous"}},
        {"allow_anonymous is for all listeners, wherever it stands",
         "listener 1\nallow_anonymous true\nlistener 2\n",
         {},
         {"1 * anonymous", "2 * anonymous"}},
        {"listener_allow_anonymous is for one",
         "listener 1\nlistener_allow_anonymous true\nlistener 2\n",
         {},
         {"1 * anonymous", "2 * named"}},
        {"and wins over allow_anonymous",
         "allow_anonymous true\nlistener 1\nlistener_allow_anonymous false\nlistener 2\n",
         {},
         {"1 * named", "2 * anonymous"}},
        {"per_listener_settings makes allow_anonymous an option of the last listener",
         "per_listener_settings true\nlistener 1\nallow_anonymous true\nlistener 2\n",
         {},
         {"1 * anonymous", "2 * named"}},
        {"-p is ignored beside a listener", "listener 1884\n", {1885}, {"1884 * named"}},
        {"port is the default listener", "port 1884\n", {}, {"1884 * named"}},
        {"bind_address too",
         "bind_address 10.0.0.1\nallow_anonymous true\n",
         {},
         {"1883 10.0.0.1 anonymous"}},
        {"both together are one listener",
         "port 1884\nbind_address 10.0.0.1\n",
         {},
         {"1884 10.0.0.1 named"}},
        {"a listener option without a listener leaves local-only mode alone",
         "max_connections 5\n",
         {},
         {"1883 127.0.0.1 anonymous", "1883 ::1 anonymous"}},
        {"socket_domain takes one loopback address",
         "socket_domain ipv4\n",
         {},
         {"1883 127.0.0.1 anonymous"}},
        {"beside a listener the default listener is opened too",
         "max_connections 5\nlistener 1884\n",
         {},
         {"1883 * named", "1884 * named"}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.sentence);
        const auto config = parse_text(row.text, {.ports = row.ports});
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_EQ(doors(*config), row.want);
    }
}

TEST(Listeners, NoFileIsLocalOnlyMode) {
    const auto config = parse({}, memory_files({}));
    ASSERT_TRUE(config);
    EXPECT_TRUE(config->local_only);
    EXPECT_EQ(doors(*config),
              (std::vector<std::string>{"1883 127.0.0.1 anonymous", "1883 ::1 anonymous"}));
    EXPECT_TRUE(config->warnings.empty());
}

TEST(Listeners, OptionsBelongToTheLastListener) {
    const auto config = parse_text(
        "listener 1\nmax_connections 10\nlistener 2\nmax_connections 20\nuse_username_as_clientid "
        "true\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->listeners[0].max_connections, 10);
    EXPECT_EQ(config->listeners[1].max_connections, 20);
    EXPECT_FALSE(config->listeners[0].use_username_as_clientid);
    EXPECT_TRUE(config->listeners[1].use_username_as_clientid);
}

TEST(Listeners, LocalOnlyModeKeepsTheOptionsOfTheDefaultListener) {
    const auto config = parse_text("max_connections 5\n");
    ASSERT_TRUE(config);
    for (const Listener& listener : config->listeners) EXPECT_EQ(listener.max_connections, 5);
    EXPECT_EQ(shown_warnings(*config),
              (std::vector<std::string>{
                  "main.conf:1: Warning: Creating default listener on port 1883 due to "
                  "'max_connections' option. It is best to write a 'listener' line first."}));
}

TEST(Listeners, WarningsAboutPorts) {
    EXPECT_EQ(shown_warnings(*parse_text("listener 1884\n", {.ports = {1885}})),
              (std::vector<std::string>{
                  "Warning: -p is ignored, because the config file has a listener."}));
    EXPECT_EQ(shown_warnings(*parse_text("port 1884\nport 1885\n")),
              (std::vector<std::string>{
                  "main.conf:1: Warning: The 'port' option is deprecated. Use 'listener'.",
                  "main.conf:2: Warning: Default listener port specified multiple times. Only the "
                  "latest will be used."}));
}

TEST(Listeners, IdPrefixesAndEmptyIdsAreInherited) {
    const auto config = parse_text(
        "auto_id_prefix all-\nallow_zero_length_clientid false\nlistener 1\n"
        "listener_auto_id_prefix one-\nlistener 2\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->listeners[0].auto_id_prefix, "one-");
    EXPECT_EQ(config->listeners[1].auto_id_prefix, "all-");
    EXPECT_FALSE(config->listeners[0].allow_zero_length_clientid);
    EXPECT_EQ(parse_text("")->listeners[0].auto_id_prefix, "auto-");
}

TEST(Listeners, PerListenerSettingsInheritNothing) {
    const auto config = parse_text(
        "per_listener_settings true\nlistener 1\nauto_id_prefix one-\n"
        "allow_zero_length_clientid false\nlistener 2\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->listeners[0].auto_id_prefix, "one-");
    EXPECT_FALSE(config->listeners[0].allow_zero_length_clientid);
    EXPECT_EQ(config->listeners[1].auto_id_prefix, "auto-");
    EXPECT_TRUE(config->listeners[1].allow_zero_length_clientid);
}

TEST(Listeners, WhatIsRefused) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"mount_point a\n",
         "main.conf:1: Error: The 'mount_point' option requires a listener to be defined first."},
        {"per_listener_settings true\nallow_anonymous true\n",
         "main.conf:2: Error: The 'allow_anonymous' option requires a listener to be defined "
         "first."},
        {"allow_anonymous true\nper_listener_settings true\n",
         "main.conf:2: Error: per_listener_settings must be set before any other security "
         "settings."},
        {"listener 1\nlistener 2\nlistener 1\n",
         "main.conf:3: Error: Two listeners on port 1 of the same address."},
        {"max_connections 1\nlistener 1883\n",
         "main.conf:2: Error: Two listeners on port 1883 of the same address."},
        {"plugin_opt_a b\n",
         "main.conf:1: Error: The 'plugin_opt_a' option requires a plugin to be defined first."},
        {"plugin x\nplugin_opt_ b\n", "main.conf:2: Error: Empty 'plugin_opt_' config option."},
        {"plugin\n", "main.conf:1: Error: Empty 'plugin' value in configuration."},
        {"plugin_load a x\nplugin_load a y\n", "main.conf:2: Error: Duplicate plugin name 'a'."},
        {"listener 1\nmount_point a\nmount_point b\n",
         "main.conf:3: Error: Duplicate 'mount_point' value in configuration."},
        {"bind_address a\nbind_address b\n",
         "main.conf:2: Error: Duplicate 'bind_address' value in configuration."},
        {"auto_id_prefix a\nauto_id_prefix b\n",
         "main.conf:2: Error: Duplicate 'auto_id_prefix' value in configuration."},
        {"listener 1\nproxy_protocol_trusted 192.0.2.1/24\n",
         "main.conf:2: Error: Invalid 'proxy_protocol_trusted' value (192.0.2.1/24). It must be "
         "ADDRESS or ADDRESS/BITS, with zeros behind the bits."},
        {"\nlistener 1\ncertfile c\n",
         "main.conf:2: Error: Both certfile and keyfile must be provided to enable a TLS "
         "listener."},
        {"listener 1\ncafile c\n",
         "main.conf:1: Error: cafile specified without certfile and keyfile."},
        {"listener 1\ncapath c\n",
         "main.conf:1: Error: capath specified without certfile and keyfile."},
        {"listener 1\ncertfile c\nkeyfile k\npsk_hint h\n",
         "main.conf:1: Error: Cannot use both certificate and psk encryption in a single "
         "listener."},
        {"listener 1\nenable_proxy_protocol 2\ncertfile c\nkeyfile k\n",
         "main.conf:1: Error: certfile and keyfile cannot be used with `enable_proxy_protocol "
         "2`."},
        {"listener 1\nenable_proxy_protocol 2\nuse_subject_as_username true\n",
         "main.conf:1: Error: use_subject_as_username cannot be used with `enable_proxy_protocol "
         "2`."},
    };
    for (const auto& [text, want] : rows) {
        SCOPED_TRACE(text);
        EXPECT_EQ(error_of(text), want);
    }
}

TEST(Limits, OfListenersConnectionsAndPlugins) {
    const auto numbered = [](const std::string& before, const std::string& after) {
        std::string text;
        for (int i = 1; i <= 1000; ++i) text.append(before).append(std::to_string(i)).append(after);
        return text;
    };
    const std::string listeners = numbered("listener ", "\n");
    const std::string bridges = numbered("connection ", "\naddress h\ntopic #\n");
    const std::string plugins = numbered("plugin ", "\n");
    EXPECT_EQ(error_of(listeners + bridges + plugins), "");
    EXPECT_EQ(error_of(listeners + "listener 1001\n"),
              "main.conf:1001: Error: More than 1000 listeners.");
    EXPECT_EQ(error_of(listeners + "port 1001\n"),
              "main.conf:1001: Error: More than 1000 listeners.");
    EXPECT_EQ(error_of(bridges + "connection x\n"),
              "main.conf:3001: Error: More than 1000 connections.");
    EXPECT_EQ(error_of(plugins + "plugin x\n"), "main.conf:1001: Error: More than 1000 plugins.");
}

TEST(Limits, AWarningIsGivenOnce) {
    std::string text = "listener 1\n";
    for (int i = 0; i < 100; ++i) text += "protocol http_api\nlog_dest dlt\n";
    EXPECT_EQ(parse_text(text)->warnings.size(), 2U);
}

struct Closed {
    std::string text;
    std::string because;  // Of the first listener.
};

TEST(FailClosed, ListenersThatAskForMoreThanThereIsStayClosed) {
    const std::string needs_tls =
        "require_certificate, crlfile, use_identity_as_username and use_subject_as_username need "
        "certfile and keyfile, or psk_hint";
    const std::vector<Closed> rows = {
        {"listener 8883\ncertfile c\nkeyfile k\n", ""},
        {"listener 8883\npsk_hint h\n", ""},
        {"listener 8883\nrequire_certificate true\ncertfile c\nkeyfile k\n", ""},
        {"listener 8883\nrequire_certificate true\n", needs_tls},
        {"listener 8883\nuse_identity_as_username true\n", needs_tls},
        {"listener 8883\nuse_subject_as_username true\n", needs_tls},
        {"listener 8883\ncrlfile c\n", needs_tls},
        {"listener 8883\ntls_version tlsv1.3\n", ""},
        {"listener 8883\ntls_engine e\n", "'tls_engine' at main.conf:2 is not honoured yet"},
        {"listener 8883\ntls_keyform engine\n", "'tls_keyform' at main.conf:2 is not honoured yet"},
        {"listener 8080\nprotocol websockets\n", ""},
        {"listener 8080\nprotocol http_api\n", "'protocol' at main.conf:2 is not honoured yet"},
        {"listener 0 /run/socket\n", ""},
        {"listener 1\nenable_proxy_protocol 1\n", ""},
        {"listener 1\nenable_proxy_protocol 2\nrequire_certificate true\n", ""},
        {"listener 1\nenable_proxy_protocol 1\nrequire_certificate true\n", needs_tls},
        {"listener 1\nproxy_protocol_v2_require_tls true\n",
         "proxy_protocol_v2_require_tls needs enable_proxy_protocol 2"},
        {"listener 1\nenable_proxy_protocol 1\nproxy_protocol_trusted 192.0.2.0/24\n", ""},
        {"listener 1\nproxy_protocol_trusted 192.0.2.0/24\n",
         "proxy_protocol_trusted needs enable_proxy_protocol"},
        {"listener 0 /run/s\nenable_proxy_protocol 1\nproxy_protocol_trusted ::1\n",
         "proxy_protocol_trusted is about addresses, and a unix socket has none"},
        {"listener 1\nrequire_certificate false\n", ""},
        {"listener 1\nprotocol mqtt\n", ""},
        {"listener 1\nlistener 8883\ncertfile c\nkeyfile k\n", ""},
    };
    for (const Closed& row : rows) {
        SCOPED_TRACE(row.text);
        const auto config = parse_text(row.text);
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_EQ(config->listeners.front().unavailable_because, row.because);
    }
}

struct Guarded {
    std::string text;
    std::string authentication;
    std::string authorization;
};

TEST(FailClosed, ChecksThatThereAreNotYetLetNobodyPass) {
    const auto because = [](const std::string& option, int line) {
        return "'" + option + "' at main.conf:" + std::to_string(line) + " is not honoured yet";
    };
    const std::vector<Guarded> rows = {
        {"allow_anonymous true\n", "", ""},
        {"password_file p\nacl_file a\n", "", ""},
        {"psk_file p\n", "", ""},
        {"plugin p\n", because("plugin", 1), because("plugin", 1)},
        {"auth_plugin p\n", because("auth_plugin", 1), because("auth_plugin", 1)},
        {"global_plugin p\n", because("global_plugin", 1), because("global_plugin", 1)},
        {"plugin_load n p\n", because("plugin_load", 1), because("plugin_load", 1)},
        {"per_listener_settings true\nlistener 1\nplugin p\nlistener 2\n", because("plugin", 3),
         because("plugin", 3)},
    };
    for (const Guarded& row : rows) {
        SCOPED_TRACE(row.text);
        const auto config = parse_text(row.text);
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_EQ(config->authentication_unavailable_because, row.authentication);
        EXPECT_EQ(config->authorization_unavailable_because, row.authorization);
    }
}

TEST(Plugins, OptionsBelongToTheLastPlugin) {
    const auto config = parse_text(
        "auth_plugin a.so\nauth_opt_host localhost\nplugin b.so\nplugin_opt_query select  1\n"
        "auth_plugin_deny_special_chars false\n");
    ASSERT_TRUE(config);
    ASSERT_EQ(config->plugins.size(), 2U);
    const std::vector<std::pair<std::string, std::string>> first = {{"host", "localhost"}};
    const std::vector<std::pair<std::string, std::string>> second = {{"query", "select  1"}};
    EXPECT_EQ(config->plugins[0].options, first);
    EXPECT_EQ(config->plugins[1].options, second);
    EXPECT_TRUE(config->plugins[0].deny_special_chars);
    EXPECT_FALSE(config->plugins[1].deny_special_chars);
}

}  // namespace
}  // namespace config
