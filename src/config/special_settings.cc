#include "config/special_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "base/log.h"

namespace config {
namespace {

constexpr std::size_t auto_id_prefix_bytes_max = 50;

constexpr std::array<std::pair<std::string_view, Durability>, 3> durability_levels{
    {{"memory", Durability::memory}, {"process", Durability::process}, {"disk", Durability::disk}}};

// One of a few words, and what each means.
template <typename Value, std::size_t count>
base::Result<Value, std::string> choice(
    Words& words, const std::array<std::pair<std::string_view, Value>, count>& choices) {
    const auto word = words.needed_word();
    if (!word) return base::fail(word.error());
    const auto* found = std::find_if(choices.begin(), choices.end(),
                                     [&](const auto& each) { return each.first == *word; });
    if (found == choices.end()) return base::fail(invalid_value(words.key(), *word));
    return found->second;
}

base::Result<std::uint16_t, std::string> port_number(Words& words, std::int64_t min) {
    const auto value = words.number();
    if (!value) return base::fail(value.error());
    if (*value < min || *value > 65'535) {
        return base::fail(invalid_value("port", std::to_string(*value)));
    }
    return static_cast<std::uint16_t>(*value);
}

base::Result<std::string, std::string> short_prefix(Words& words) {
    auto prefix = words.text();
    if (prefix && prefix->size() > auto_id_prefix_bytes_max) {
        return base::fail(fmt::format("Error: '{}' length must be <= {}.", words.key(),
                                      auto_id_prefix_bytes_max));
    }
    return prefix;
}

// For a value that has no effect yet, of an option that has.
void warn_unhonoured(Draft& draft, const std::string& what) {
    draft.warn(fmt::format("Warning: The '{}' option is accepted but not honoured yet.", what));
}

std::string duplicate_value(std::string_view name) {
    return fmt::format("Error: Duplicate '{}' value in configuration.", name);
}

}  // namespace

Outcome set_nothing(Draft&, Words& words) {
    words.drop_rest();
    return {};
}

Outcome set_listener(Draft& draft, Words& words) {
    const auto port = port_number(words, 0);
    if (!port) return base::fail(port.error());
    std::string_view where = words.word();
    if (where.starts_with('#')) where = {};  // A comment may follow the numbers here.
    if (*port == 0 && where.empty()) {
        return base::fail(
            std::string("Error: A listener with port 0 must provide a Unix socket path."));
    }
    if (auto added = draft.add_listener(); !added) return added;

    draft.config.local_only = false;
    auto& listener = draft.target<Listener>();
    listener.port = *port;
    (*port == 0 ? listener.unix_path : listener.host) = where;
    return {};
}

Outcome set_port(Draft& draft, Words& words) {
    const auto port = port_number(words, 1);
    if (!port) return base::fail(port.error());
    if (draft.default_port_set) {
        draft.warn(
            "Warning: Default listener port specified multiple times. Only the latest will be "
            "used.");
    }
    if (auto used = draft.use_default_listener({}); !used) return used;
    draft.default_port_set = true;
    draft.config.local_only = false;
    draft.target<Listener>().port = *port;
    return {};
}

Outcome set_bind_address(Draft& draft, Words& words) {
    auto host = words.text();
    if (!host) return base::fail(host.error());
    if (auto used = draft.use_default_listener({}); !used) return used;
    auto& listener = draft.target<Listener>();
    if (!listener.host.empty()) return base::fail(duplicate_value(words.key()));
    draft.config.local_only = false;
    listener.host = std::move(*host);
    return {};
}

Outcome set_accept_protocol_versions(Draft& draft, Words& words) {
    std::string list(words.rest());
    words.drop_rest();
    std::replace_if(
        list.begin(), list.end(), [](char c) { return c == ',' || c == '\t'; }, ' ');
    list.insert(0, "accept_protocol_versions ");
    Words versions(list);

    AcceptedVersions accepted{.v31 = false, .v311 = false, .v5 = false};
    auto version = versions.needed_word();
    if (!version) return base::fail(version.error());
    for (; !version->empty(); *version = versions.word()) {
        if (*version == "3") {
            accepted.v31 = true;
        } else if (*version == "4") {
            accepted.v311 = true;
        } else if (*version == "5") {
            accepted.v5 = true;
        } else {
            return base::fail(invalid_value(words.key(), *version));
        }
    }
    draft.target<Listener>().versions = accepted;
    return {};
}

Outcome set_protocol(Draft& draft, Words& words) {
    constexpr std::array<std::pair<std::string_view, Protocol>, 3> protocols{
        {{"mqtt", Protocol::mqtt},
         {"websockets", Protocol::websockets},
         {"http_api", Protocol::http_api}}};
    const auto protocol = choice(words, protocols);
    if (!protocol) return base::fail(protocol.error());
    if (*protocol == Protocol::http_api) warn_unhonoured(draft, "protocol http_api");
    draft.target<Listener>().protocol = *protocol;
    return {};
}

Outcome set_durability(Draft& draft, Words& words) {
    const auto level = choice(words, durability_levels);
    if (!level) return base::fail(level.error());
    draft.config.persistence.durability = *level;
    return {};
}

Outcome set_durability_topic(Draft& draft, Words& words) {
    const auto level = choice(words, durability_levels);
    if (!level) return base::fail(level.error());
    auto filter = words.text();
    if (!filter) return base::fail(filter.error());
    if (!is_valid_filter(*filter)) {
        return base::fail(fmt::format("Error: Invalid 'durability_topic' filter ({}).", *filter));
    }
    auto& topics = draft.config.persistence.durability_topics;
    if (topics.empty()) draft.durability_topic_place = draft.place;
    if (topics.size() >= durability_topics_max) {
        return base::fail(
            fmt::format("Error: More than {} lines of 'durability_topic'.", durability_topics_max));
    }
    topics.push_back({*level, std::move(*filter)});
    return {};
}

Outcome set_receive_maximum_exceeded(Draft& draft, Words& words) {
    const auto word = words.needed_word();
    if (!word) return base::fail(word.error());
    if (*word != "disconnect" && *word != "warn") {
        return base::fail(invalid_value(words.key(), *word));
    }
    draft.config.enforce_receive_maximum = *word == "disconnect";
    return {};
}

Outcome set_shared_subscription_strategy(Draft& draft, Words& words) {
    constexpr std::array<std::pair<std::string_view, SharedStrategy>, 3> strategies{
        {{"round_robin", SharedStrategy::round_robin},
         {"sticky", SharedStrategy::sticky},
         {"hash", SharedStrategy::hash}}};
    const auto strategy = choice(words, strategies);
    if (!strategy) return base::fail(strategy.error());
    draft.config.shared_subscription_strategy = *strategy;
    return {};
}

Outcome set_socket_domain(Draft& draft, Words& words) {
    constexpr std::array<std::pair<std::string_view, SocketDomain>, 2> domains{
        {{"ipv4", SocketDomain::ipv4}, {"ipv6", SocketDomain::ipv6}}};
    const auto domain = choice(words, domains);
    if (!domain) return base::fail(domain.error());
    draft.target<Listener>().socket_domain = *domain;
    return {};
}

Outcome set_enable_proxy_protocol(Draft& draft, Words& words) {
    const auto version = words.number();
    if (!version) return base::fail(version.error());
    if (*version < 1 || *version > 2) {
        return base::fail(std::string("Error: enable_proxy_protocol must be 1 or 2."));
    }
    draft.target<Listener>().enable_proxy_protocol = static_cast<int>(*version);
    return {};
}

Outcome set_proxy_protocol_trusted(Draft& draft, Words& words) {
    constexpr std::size_t lines_max = 100;
    auto& trusted = draft.target<Listener>().proxy_protocol_trusted;
    const auto value = words.text();
    if (!value) return base::fail(value.error());
    const auto network = Network::parse(*value);
    if (!network) {
        return base::fail(invalid_value(words.key(), *value) +
                          " It must be ADDRESS or ADDRESS/BITS, with zeros behind the bits.");
    }
    if (trusted.size() == lines_max) {
        return base::fail(fmt::format("Error: A listener takes no more than {} '{}' lines.",
                                      lines_max, words.key()));
    }
    trusted.push_back(*network);
    return {};
}

Outcome set_mount_point(Draft& draft, Words& words) {
    auto& listener = draft.target<Listener>();
    if (!listener.mount_point.empty()) return base::fail(duplicate_value(words.key()));
    auto prefix = words.text();
    if (!prefix) return base::fail(prefix.error());
    if (has_wildcard(*prefix)) {
        return base::fail(invalid_value(words.key(), *prefix) +
                          " Does it contain a wildcard character?");
    }
    listener.mount_point = std::move(*prefix);
    return {};
}

Outcome set_websockets_origin(Draft& draft, Words& words) {
    auto origin = words.text();
    if (!origin) return base::fail(origin.error());
    draft.target<Listener>().websockets_origins.push_back(std::move(*origin));
    return {};
}

Outcome set_auto_id_prefix(Draft& draft, Words& words) {
    auto prefix = short_prefix(words);
    if (!prefix) return base::fail(prefix.error());
    auto& security = draft.target<Security>();
    if (security.auto_id_prefix != Security{}.auto_id_prefix) {
        return base::fail(duplicate_value(words.key()));
    }
    security.auto_id_prefix = std::move(*prefix);
    return {};
}

Outcome set_listener_auto_id_prefix(Draft& draft, Words& words) {
    auto prefix = short_prefix(words);
    if (!prefix) return base::fail(prefix.error());
    auto& listener = draft.target<Listener>();
    if (listener.listener_auto_id_prefix) return base::fail(duplicate_value(words.key()));
    listener.listener_auto_id_prefix = std::move(*prefix);
    return {};
}

Outcome set_per_listener_settings(Draft& draft, Words& words) {
    const auto value = words.boolean();
    if (!value) return base::fail(value.error());
    if (!*value) return {};  // Once on it stays on.
    if (draft.security_set && !draft.config.per_listener_settings) {
        return base::fail(std::string(
            "Error: per_listener_settings must be set before any other security settings."));
    }
    draft.config.per_listener_settings = true;
    return {};
}

// The first line replaces the default, the others add to it.
Outcome set_log_dest(Draft& draft, Words& words) {
    const auto destination = words.needed_word();
    if (!destination) return base::fail(destination.error());
    Logging& log = draft.config.log;
    if (!std::exchange(draft.log_dest_set, true)) log.to_stderr = false;
    if (*destination == "none") {
        log.to_stdout = log.to_stderr = log.to_syslog = log.to_topic = false;
        log.file.clear();
    } else if (*destination == "stdout") {
        log.to_stdout = true;
    } else if (*destination == "stderr") {
        log.to_stderr = true;
    } else if (*destination == "syslog") {
        log.to_syslog = true;
    } else if (*destination == "topic") {
        log.to_topic = true;
    } else if (*destination == "dlt" || *destination == "android") {
        warn_unhonoured(draft, fmt::format("log_dest {}", *destination));
    } else if (*destination == "file") {
        if (!log.file.empty()) {
            return base::fail(std::string("Error: Duplicate \"log_dest file\" value."));
        }
        auto path = words.text();
        if (!path) return base::fail(path.error());
        log.file = std::move(*path);
    } else {
        return base::fail(invalid_value(words.key(), *destination));
    }
    return {};
}

Outcome set_log_type(Draft& draft, Words& words) {
    using base::LogType;
    constexpr std::array<std::pair<std::string_view, LogType>, 11> types{
        {{"none", LogType::none},
         {"information", LogType::information},
         {"notice", LogType::notice},
         {"warning", LogType::warning},
         {"error", LogType::error},
         {"debug", LogType::debug},
         {"subscribe", LogType::subscribe},
         {"unsubscribe", LogType::unsubscribe},
         {"websockets", LogType::websockets},
         {"internal", LogType::internal},
         {"all", static_cast<LogType>(std::numeric_limits<std::uint32_t>::max())}}};
    const auto type = choice(words, types);
    if (!type) return base::fail(type.error());
    std::uint32_t& set = draft.config.log.types;
    if (!std::exchange(draft.log_type_set, true) || *type == LogType::none) set = 0;
    set |= static_cast<std::uint32_t>(*type);
    return {};
}

Outcome set_max_inflight_messages(Draft& draft, Words& words) {
    const auto value = words.number();
    if (!value) return base::fail(value.error());
    if (*value > 65'535) {
        return base::fail(std::string("Error: 'max_inflight_messages' must be <= 65535."));
    }
    // 65,535 is as many as there are packet ids: no limit of ours.
    const bool limits = *value > 0 && *value < 65'535;
    draft.config.max_inflight_messages = static_cast<std::uint16_t>(limits ? *value : 0);
    return {};
}

Outcome set_persistent_client_expiration(Draft& draft, Words& words) {
    constexpr std::int64_t day_s = 86'400;
    constexpr std::array<std::pair<char, std::int64_t>, 6> units{{{'s', 1},
                                                                  {'h', 3'600},
                                                                  {'d', day_s},
                                                                  {'w', 7 * day_s},
                                                                  {'m', 30 * day_s},
                                                                  {'y', 365 * day_s}}};
    const auto word = words.needed_word();
    if (!word) return base::fail(word.error());
    const std::string line = fmt::format("{} {}", words.key(), word->substr(0, word->size() - 1));
    const auto* unit = std::find_if(units.begin(), units.end(),
                                    [&](const auto& each) { return each.first == word->back(); });
    const auto count = Words(line).number();
    if (unit == units.end() || !count || *count <= 0 || *count > std::numeric_limits<int>::max()) {
        return base::fail(
            fmt::format("Error: Invalid '{}' duration in configuration.", words.key()));
    }
    draft.config.persistent_client_expiration_s = *count * unit->second;
    return {};
}

Outcome set_plugin(Draft& draft, Words& words) {
    const auto path = words.needed_word();
    if (!path) return base::fail(path.error());
    return draft.add_plugin({.path = std::string(*path), .name = {}, .options = {}});
}

Outcome set_plugin_load(Draft& draft, Words& words) {
    const auto name = words.needed_word();
    if (!name) return base::fail(name.error());
    auto path = words.text();
    if (!path) return base::fail(path.error());
    const auto& plugins = draft.config.plugins;
    if (std::any_of(plugins.begin(), plugins.end(),
                    [&](const Plugin& plugin) { return plugin.name == *name; })) {
        return base::fail(fmt::format("Error: Duplicate plugin name '{}'.", *name));
    }
    return draft.add_plugin({.path = std::move(*path), .name = std::string(*name), .options = {}});
}

Outcome set_plugin_use(Draft& draft, Words& words) {
    auto name = words.text();
    if (!name) return base::fail(name.error());
    const auto& plugins = draft.config.plugins;
    const auto found = std::find_if(plugins.begin(), plugins.end(),
                                    [&](const Plugin& plugin) { return plugin.name == *name; });
    if (found == plugins.end()) {
        return base::fail(fmt::format("Error: Plugin '{}' not previously loaded.", *name));
    }
    draft.at.plugin = static_cast<std::size_t>(found - plugins.begin());
    draft.target<Listener>().plugin_names.push_back(std::move(*name));
    return {};
}

// plugin_opt_KEY VALUE, or auth_opt_KEY VALUE.
Outcome set_plugin_opt(Draft& draft, Words& words) {
    const std::string_view marker = "_opt_";
    const std::string_view key = words.key().substr(words.key().find(marker) + marker.size());
    if (key.empty()) return base::fail(std::string("Error: Empty 'plugin_opt_' config option."));
    auto value = words.text();
    if (!value) return base::fail(value.error());
    draft.target<Plugin>().options.emplace_back(key, std::move(*value));
    return {};
}

}  // namespace config
