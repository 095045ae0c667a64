#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "config/special_settings.h"

namespace config {
namespace {

constexpr int restart_base_s_max = 3600;
constexpr int restart_cap_s_max = 7200;

base::Result<BridgeAddress, std::string> address(std::string_view word) {
    BridgeAddress found;
    const std::size_t colon = word.rfind(':');
    std::string_view host = word.substr(0, colon);
    if (colon != std::string_view::npos) {
        const std::string line = fmt::format("port {}", word.substr(colon + 1));
        const auto port = Words(line).number();
        if (!port || *port < 1 || *port > 65'535) {
            return base::fail(
                fmt::format("Error: Invalid bridge port value ({}).", word.substr(colon + 1)));
        }
        found.port = static_cast<std::uint16_t>(*port);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) return base::fail(fmt::format("Error: Invalid 'address' value ({}).", word));
    found.host = host;
    return found;
}

// A word, or one in double quotes that may have spaces.
base::Result<std::string_view, std::string> quoted_word(Words& words) {
    const std::string_view rest = words.rest();
    const std::size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
    const std::string_view trimmed = rest.substr(begin);
    if (!trimmed.starts_with('"') || trimmed.starts_with("\"\"")) return words.needed_word();
    const std::size_t end = trimmed.find('"', 1);
    if (end == std::string_view::npos) {
        return base::fail(
            fmt::format("Error: Missing closing quote in topic value ({}).", trimmed));
    }
    words.skip(begin + end + 1);
    return trimmed.substr(1, end - 1);
}

// The next word of a `topic` line; a comment ends the line, and "" is an empty word.
std::string_view topic_word(Words& words, bool& present) {
    const std::string_view word = words.word();
    present = !word.empty() && !word.starts_with('#');
    if (!present) words.drop_rest();
    return word == "\"\"" || !present ? std::string_view{} : word;
}

base::Result<Direction, std::string> direction(std::string_view word) {
    std::string lower(word);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (lower == "out") return Direction::out;
    if (lower == "in") return Direction::in;
    if (lower == "both") return Direction::both;
    return base::fail(fmt::format("Error: Invalid bridge topic direction '{}'.", word));
}

Outcome check_topic(const BridgeTopic& topic) {
    // Without a pattern the two prefixes are one topic each, so both must be there.
    if (topic.pattern.empty() && (topic.local_prefix.empty() || topic.remote_prefix.empty())) {
        return base::fail(std::string("Error: Invalid bridge remapping."));
    }
    if (!is_valid_filter(topic.pattern)) {
        return base::fail(fmt::format("Error: Invalid bridge topic '{}'.", topic.pattern));
    }
    if (has_wildcard(topic.local_prefix)) {
        return base::fail(
            fmt::format("Error: Invalid bridge topic local prefix '{}'.", topic.local_prefix));
    }
    if (has_wildcard(topic.remote_prefix)) {
        return base::fail(
            fmt::format("Error: Invalid bridge topic remote prefix '{}'.", topic.remote_prefix));
    }
    return {};
}

base::Result<int, std::string> seconds(Words& words, std::string_view word) {
    const std::string line = fmt::format("{} {}", words.key(), word);
    const auto value = Words(line).number();
    if (!value) return base::fail(value.error());
    return static_cast<int>(std::clamp<std::int64_t>(*value, -1, 1'000'000'000));
}

}  // namespace

bool has_wildcard(std::string_view topic) {
    return topic.find_first_of("+#") != std::string_view::npos;
}

// Filter rules of MQTT, section 4.7.1: # alone in the last level, + alone in its level.
bool is_valid_filter(std::string_view filter) {
    while (!filter.empty()) {
        const std::size_t end = filter.find('/');
        const std::string_view level = filter.substr(0, end);
        if (has_wildcard(level) && level.size() > 1) return false;
        if (level == "#") return end == std::string_view::npos;
        if (end == std::string_view::npos) return true;
        filter.remove_prefix(end + 1);
    }
    return true;
}

Outcome set_connection(Draft& draft, Words& words) {
    const auto name = words.needed_word();
    if (!name) return base::fail(name.error());
    return draft.add_bridge(*name);
}

Outcome set_address(Draft& draft, Words& words) {
    auto& bridge = draft.target<Bridge>();
    if (!bridge.addresses.empty()) {
        return base::fail(
            std::string("Error: Invalid bridge configuration, 'address' only allowed once."));
    }
    for (auto word = words.word(); !word.empty() && !word.starts_with('#'); word = words.word()) {
        auto found = address(word);
        if (!found) return base::fail(found.error());
        bridge.addresses.push_back(std::move(*found));
    }
    if (bridge.addresses.empty()) {
        return base::fail(std::string("Error: Empty address value in configuration."));
    }
    return {};
}

// topic PATTERN [[[out|in|both] qos] local-prefix remote-prefix]
Outcome set_topic(Draft& draft, Words& words) {
    BridgeTopic topic;
    const auto pattern = quoted_word(words);
    if (!pattern) return base::fail(pattern.error());
    if (*pattern != "\"\"") topic.pattern = *pattern;

    bool present = false;
    if (const auto word = topic_word(words, present); present) {
        const auto found = direction(word);
        if (!found) return base::fail(found.error());
        topic.direction = *found;
    }
    if (const auto word = topic_word(words, present); present) {
        if (word != "0" && word != "1" && word != "2") {
            return base::fail(fmt::format("Error: Invalid bridge QoS level '{}'.", word));
        }
        topic.qos = static_cast<std::uint8_t>(word.front() - '0');
    }
    topic.local_prefix = topic_word(words, present);
    topic.remote_prefix = topic_word(words, present);

    if (auto valid = check_topic(topic); !valid) return valid;
    draft.target<Bridge>().topics.push_back(std::move(topic));
    return {};
}

Outcome set_bridge_protocol_version(Draft& draft, Words& words) {
    const auto version = words.needed_word();
    if (!version) return base::fail(version.error());
    auto& bridge = draft.target<Bridge>();
    if (*version == "mqttv31") {
        bridge.protocol_version = BridgeVersion::v31;
    } else if (*version == "mqttv311") {
        bridge.protocol_version = BridgeVersion::v311;
    } else if (*version == "mqttv50") {
        bridge.protocol_version = BridgeVersion::v5;
    } else {
        return base::fail(invalid_value(words.key(), *version));
    }
    return {};
}

Outcome set_bridge_reload_type(Draft& draft, Words& words) {
    const auto type = words.needed_word();
    if (!type) return base::fail(type.error());
    if (*type != "lazy" && *type != "immediate") {
        return base::fail(invalid_value(words.key(), *type));
    }
    draft.target<Bridge>().reload_immediately = *type == "immediate";
    return {};
}

Outcome set_bridge_tcp_keepalive(Draft& draft, Words& words) {
    auto& bridge = draft.target<Bridge>();
    const std::pair<int*, std::string_view> values[] = {
        {&bridge.tcp_keepalive_idle_s, "idle"},
        {&bridge.tcp_keepalive_interval_s, "interval"},
        {&bridge.tcp_keepalive_count, "counter"}};
    for (const auto& [member, name] : values) {
        const auto value = words.number();
        if (!value) return base::fail(value.error());
        if (*value <= 0 || *value > 1'000'000'000) {
            return base::fail(fmt::format("Error: invalid TCP keepalive {} value.", name));
        }
        *member = static_cast<int>(*value);
    }
    return {};
}

// BASE [CAP [STABLE]]: one number is a constant time, two are the ends of a growing one.
Outcome set_restart_timeout(Draft& draft, Words& words) {
    auto& bridge = draft.target<Bridge>();
    const auto base_word = words.needed_word();
    if (!base_word) return base::fail(base_word.error());
    const auto base_s = seconds(words, *base_word);
    if (!base_s) return base::fail(base_s.error());
    bridge.restart_base_s = std::clamp(*base_s, 1, restart_base_s_max);
    bridge.restart_cap_s = bridge.restart_base_s;

    const auto cap_word = words.word();
    if (cap_word.empty()) return {};
    const auto cap_s = seconds(words, cap_word);
    if (!cap_s) return base::fail(cap_s.error());
    if (*cap_s < bridge.restart_base_s) {
        return base::fail(
            std::string("Error: backoff cap is lower than the base in restart_timeout."));
    }
    bridge.restart_cap_s = std::min(*cap_s, restart_cap_s_max);

    const auto stable_word = words.word();
    if (stable_word.empty()) return {};
    const auto stable_s = seconds(words, stable_word);
    if (!stable_s) return base::fail(stable_s.error());
    if (*stable_s < 0) {
        return base::fail(std::string("Error: stable connection period cannot be negative."));
    }
    bridge.restart_stable_s = *stable_s;
    return {};
}

Outcome set_start_type(Draft& draft, Words& words) {
    const auto type = words.needed_word();
    if (!type) return base::fail(type.error());
    auto& bridge = draft.target<Bridge>();
    if (*type == "automatic") {
        bridge.start_type = StartType::automatic;
    } else if (*type == "lazy") {
        bridge.start_type = StartType::lazy;
    } else if (*type == "once") {
        bridge.start_type = StartType::once;
    } else if (*type == "manual") {
        return base::fail(std::string("Error: Manual start_type not supported."));
    } else {
        return base::fail(invalid_value(words.key(), *type));
    }
    return {};
}

}  // namespace config
