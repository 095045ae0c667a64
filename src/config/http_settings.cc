// auth_http_*.
#include "config/http_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/auth_values.h"

namespace config {
namespace {

constexpr std::string_view prefix = "auth_http_";
constexpr std::string_view plain = "http://";
constexpr std::string_view encrypted = "https://";
constexpr std::size_t headers_max = 32;
constexpr std::uint64_t timeout_ms_min = 100;

using Text = std::string HttpAuth::*;
using Duration = std::uint64_t HttpAuth::*;

constexpr std::array<std::pair<std::string_view, Text>, 4> texts{{
    {"ca_file", &HttpAuth::ca_file},
    {"cert_file", &HttpAuth::cert_file},
    {"key_file", &HttpAuth::key_file},
    {"url", &HttpAuth::url},
}};
constexpr std::array<std::pair<std::string_view, Duration>, 4> durations{{
    {"cache", &HttpAuth::cache_ms},
    {"negative_cache", &HttpAuth::negative_cache_ms},
    {"stale_if_error", &HttpAuth::stale_if_error_ms},
    {"timeout", &HttpAuth::timeout_ms},
}};

bool is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// As RFC 9110 has the names of fields.
bool is_header_name(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
    });
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// What the request is, a line of the configuration does not say.
bool is_ours(std::string_view name) {
    constexpr std::array<std::string_view, 5> ours{"connection", "content-length", "content-type",
                                                   "expect", "transfer-encoding"};
    return std::any_of(ours.begin(), ours.end(), [&](std::string_view each) {
        return std::equal(each.begin(), each.end(), name.begin(), name.end(),
                          [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b | 32 : b); });
    });
}

Outcome add_header(HttpAuth& http, const std::string& value) {
    const std::size_t colon = value.find(':');
    const std::string_view name = std::string_view(value).substr(0, colon);
    if (colon == std::string::npos || !is_header_name(name) ||
        std::any_of(value.begin(), value.end(), is_control)) {
        return base::fail(invalid_value("header", value) + " Write 'Name: value'.");
    }
    if (is_ours(name)) {
        return base::fail(
            fmt::format("Error: the header '{}' is set by the request itself.", name));
    }
    if (http.headers.size() == headers_max) {
        return base::fail(fmt::format("Error: more than {} 'auth_http_header'.", headers_max));
    }
    http.headers.push_back(value);
    return {};
}

std::string_view authority_of(std::string_view url) {
    const std::string_view rest =
        url.substr(url.starts_with(encrypted) ? encrypted.size() : plain.size());
    return rest.substr(0, rest.find_first_of("/?"));
}

Outcome check_url(const std::string& url) {
    const auto refuse = [&](std::string_view why) {
        return base::fail(invalid_value("url", url) + fmt::format(" {}", why));
    };
    if (!url.starts_with(plain) && !url.starts_with(encrypted)) {
        return refuse("It begins with http:// or https://.");
    }
    const std::string_view authority = authority_of(url);
    if (authority.find('@') != std::string_view::npos) {
        // It would stand in the log.
        return base::fail(
            std::string("Error: 'url' has a user name or password in it: say 'auth_http_header "
                        "Authorization: ...'."));
    }
    if (authority.empty() || authority.front() == ':') return refuse("It names no host.");
    const bool is_odd = std::any_of(url.begin(), url.end(),
                                    [](char c) { return is_control(c) || c == ' ' || c == '#'; });
    return is_odd ? Outcome(refuse("It has a blank or a '#' in it.")) : Outcome();
}

bool is_this_machine(std::string_view authority) {
    return authority.starts_with("127.") || authority.starts_with("[::1]") ||
           authority == "localhost" || authority.starts_with("localhost:");
}

Outcome set_text(HttpAuth& http, std::string_view key, Text text, const std::string& value) {
    if (!(http.*text).empty()) {
        return base::fail(
            fmt::format("Error: Duplicate 'auth_http_{}' value in configuration.", key));
    }
    if (key == "url") {
        if (auto checked = check_url(value); !checked) return checked;
    }
    http.*text = value;
    return {};
}

Outcome set(HttpAuth& http, std::string_view key, const std::string& value) {
    if (const Text* text = find_member(texts, key)) return set_text(http, key, *text, value);
    if (const Duration* duration = find_member(durations, key)) {
        return set_duration(http.*(*duration), key, value);
    }
    if (key == "header") return add_header(http, value);
    if (key == "on_error") {
        return set_choice(http.on_error, key, value,
                          std::array<std::string_view, 3>{"deny", "next", "stale"});
    }
    const auto size = read_count(key, value, auth_pool_size_max);
    if (!size) return base::fail(size.error());
    http.pool_size = *size;
    return {};
}

bool is_key(std::string_view key) {
    return find_member(texts, key) != nullptr || find_member(durations, key) != nullptr ||
           key == "header" || key == "on_error" || key == "pool_size";
}

}  // namespace

Outcome set_http_option(Draft& draft, Words& words) {
    const std::string_view key = words.key().substr(prefix.size());
    if (!is_key(key)) {
        return base::fail(fmt::format("Error: Unknown configuration variable '{}'.", words.key()));
    }
    auto value = words.text();
    if (!value) return base::fail(value.error());
    HttpAuth& http = draft.target<Security>().http;
    if (http.place.text.empty()) {
        http.place = {fmt::format("{}:{}", draft.place.file, draft.place.line)};
    }
    if (auto done = set(http, key, *value); !done) return done;
    if (key == "url" && value->starts_with(plain) && !is_this_machine(authority_of(*value))) {
        draft.warn(
            "Warning: 'auth_http_url' is not https: passwords go over the network as they are.");
    }
    return {};
}

Outcome check_http(const HttpAuth& http) {
    if (http.place.text.empty()) return {};
    const auto refuse = [&](std::string_view what) {
        return base::fail(fmt::format("Error: users over HTTP ({}): {}.", http.place.text, what));
    };
    if (http.url.empty()) return refuse("no service is named; say 'auth_http_url'");
    if (http.timeout_ms < timeout_ms_min) return refuse("'timeout' must be 100ms or more");
    if (http.cert_file.empty() != http.key_file.empty()) {
        return refuse("'cert_file' and 'key_file' need each other");
    }
    const bool has_files = !http.ca_file.empty() || !http.cert_file.empty();
    if (has_files && !http.url.starts_with(encrypted)) {
        return refuse("certificates are for a 'url' with https://");
    }
    return {};
}

}  // namespace config
