// A Config in the making: the value so far, and where the next line would put its setting.
//
// The cursors belong to one file: an included file begins without a listener, bridge and plugin,
// and the file that includes it goes on with its own.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/words.h"

namespace config {

inline constexpr std::size_t listeners_max = 1000;
inline constexpr std::size_t bridges_max = 1000;
inline constexpr std::size_t plugins_max = 1000;
// Each is matched for each message that may be kept.
inline constexpr std::size_t durability_topics_max = 100;

struct Place {
    std::string file;
    int line = 0;
};

struct Cursors {
    std::optional<std::size_t> listener;
    std::optional<std::size_t> bridge;
    std::optional<std::size_t> plugin;
};

struct Draft {
    Config config;
    Cursors at;
    Place place;  // The line being read.

    std::vector<Place> listener_places;  // One for each of config.listeners; bridges likewise.
    std::vector<Place> bridge_places;
    // Of each plugin, and the last listener before it.
    std::vector<std::pair<Place, std::optional<std::size_t>>> plugin_places;
    Place durability_topic_place;  // Of the first one, if any.
    std::optional<std::size_t> default_listener;
    bool default_port_set = false;
    bool security_set = false;  // An option of scope `security` has been read.
    bool log_dest_set = false;
    bool log_type_set = false;
    std::set<std::string> warned;  // What has been said.

    Draft() { config.local_only = true; }

    // Says a thing once, about the first line it is true of.
    void warn(const std::string& message) {
        if (!warned.insert(message).second) return;
        config.warnings.push_back({place.file, place.line, message});
    }

    // Adds one and puts the cursor on it.
    Outcome add_listener();
    Outcome add_bridge(std::string_view name);
    Outcome add_plugin(Plugin plugin);
    // The listener that options without a `listener` line go to: made once, with a warning.
    Outcome use_default_listener(std::string_view option);

    // Where the setters write. The cursor is set: apply() has seen to it.
    template <typename Owner>
    Owner& target();
};

template <>
inline Config& Draft::target<Config>() {
    return config;
}
template <>
inline Listener& Draft::target<Listener>() {
    return config.listeners.at(at.listener.value());
}
template <>
inline Bridge& Draft::target<Bridge>() {
    return config.bridges.at(at.bridge.value());
}
template <>
inline Plugin& Draft::target<Plugin>() {
    return config.plugins.at(at.plugin.value());
}
template <>
inline Security& Draft::target<Security>() {
    return config.per_listener_settings ? target<Listener>().security : config.security;
}

}  // namespace config
