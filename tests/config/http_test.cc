// Users whom a service is asked for over HTTP: auth_http_*.
#include <gtest/gtest.h>

#include "config/memory_files.h"

namespace config {
namespace {

constexpr const char* url = "auth_http_url http://127.0.0.1/\n";

TEST(Http, each_option_is_read) {
    const auto config = parse_text(
        "auth_http_url https://users.example:8443/mqtt?site=1\nauth_http_header X-Token: a: b\n"
        "auth_http_header Accept: text/plain\nauth_http_ca_file ca\nauth_http_cert_file cert\n"
        "auth_http_key_file key\nauth_http_pool_size 3\nauth_http_timeout 500ms\n"
        "auth_http_cache 1m\nauth_http_negative_cache 0s\nauth_http_stale_if_error 1d\n"
        "auth_http_on_error stale\n");
    ASSERT_TRUE(config) << to_string(config.error());
    HttpAuth want;
    want.url = "https://users.example:8443/mqtt?site=1";
    want.headers = {"X-Token: a: b", "Accept: text/plain"};
    want.ca_file = "ca";
    want.cert_file = "cert";
    want.key_file = "key";
    want.pool_size = 3;
    want.timeout_ms = 500;
    want.cache_ms = 60'000;
    want.negative_cache_ms = 0;
    want.stale_if_error_ms = 86'400'000;
    want.on_error = HttpAuth::OnError::stale;
    const HttpAuth& http = config->listeners.at(0).security.http;
    EXPECT_EQ(http, want);
    EXPECT_TRUE(http.is_on());
    EXPECT_EQ(http.place.text, "main.conf:1");
    EXPECT_EQ(shown_warnings(*config), std::vector<std::string>{});
}

TEST(Http, is_off_unless_it_is_asked_for) {
    const auto config = parse_text("allow_anonymous true\n");
    ASSERT_TRUE(config);
    EXPECT_FALSE(config->listeners.at(0).security.http.is_on());
}

TEST(Http, each_listener_may_have_its_own) {
    const auto config = parse_text(
        "per_listener_settings true\nlistener 1883\nauth_http_url http://[::1]:80/a\n"
        "listener 1884\nauth_http_url http://localhost/b\nlistener 1885\n");
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->listeners.at(0).security.http.url, "http://[::1]:80/a");
    EXPECT_EQ(config->listeners.at(1).security.http.url, "http://localhost/b");
    EXPECT_FALSE(config->listeners.at(2).security.http.is_on());
}

TEST(Http, a_password_that_others_may_read_is_warned_of) {
    const auto config = parse_text("auth_http_url http://users.example/\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(shown_warnings(*config),
              std::vector<std::string>{
                  "main.conf:1: Warning: 'auth_http_url' is not https: passwords go over the "
                  "network as they are."});
}

TEST(Http, what_is_wrong_is_said) {
    const std::pair<std::string, const char*> rows[] = {
        {"auth_http_uri http://a/", "main.conf:1: Error: Unknown configuration variable"},
        {"auth_http_url", "main.conf:1: Error:"},
        {"auth_http_url ftp://a/", "It begins with http:// or https://"},
        {"auth_http_url file:///etc/passwd", "It begins with http:// or https://"},
        {"auth_http_url http:///a", "names no host"},
        {"auth_http_url http://:80/a", "names no host"},
        {"auth_http_url http://a/b c", "has a blank or a '#' in it"},
        {"auth_http_url http://a/#b", "has a blank or a '#' in it"},
        {"auth_http_url http://u:secret@a/", "say 'auth_http_header Authorization: ...'"},
        {"auth_http_url http://a/\nauth_http_url http://b/", "main.conf:2: Error: Duplicate"},
        {"auth_http_cache 1s", "users over HTTP (main.conf:1): no service is named"},
        {std::string(url) + "auth_http_timeout 1ms", "must be 100ms or more"},
        {std::string(url) + "auth_http_pool_size 65", "It must be 1 to 64"},
        {std::string(url) + "auth_http_on_error shrug", "Invalid 'on_error' value (shrug)"},
        {std::string(url) + "auth_http_header token", "Write 'Name: value'"},
        {std::string(url) + "auth_http_header a b: c", "Write 'Name: value'"},
        {std::string(url) + "auth_http_header : c", "Write 'Name: value'"},
        {std::string(url) + "auth_http_header a: b\x01", "Write 'Name: value'"},
        {std::string(url) + "auth_http_header Content-Length: 1", "set by the request itself"},
        {std::string(url) + "auth_http_ca_file x", "for a 'url' with https://"},
        {"auth_http_url https://a/\nauth_http_key_file x", "need each other"},
    };
    for (const auto& [text, want] : rows) {
        const std::string error = error_of(text + "\n");
        EXPECT_NE(error.find(want), std::string::npos) << text << ": " << error;
    }
    std::string many = url;
    for (int i = 0; i < 33; ++i) many += "auth_http_header A: b\n";
    EXPECT_NE(error_of(many).find("main.conf:34: Error: more than 32"), std::string::npos);
}

}  // namespace
}  // namespace config
