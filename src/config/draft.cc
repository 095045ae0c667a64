#include "config/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace config {

Outcome Draft::add_listener() {
    if (config.listeners.size() == listeners_max) {
        return base::fail(fmt::format("Error: More than {} listeners.", listeners_max));
    }
    at.listener = config.listeners.size();
    config.listeners.emplace_back();
    listener_places.push_back(place);
    return {};
}

Outcome Draft::add_bridge(std::string_view name) {
    const auto& bridges = config.bridges;
    if (std::any_of(bridges.begin(), bridges.end(),
                    [&](const Bridge& bridge) { return bridge.name == name; })) {
        return base::fail(fmt::format("Error: Duplicate bridge name '{}'.", name));
    }
    if (bridges.size() == bridges_max) {
        return base::fail(fmt::format("Error: More than {} connections.", bridges_max));
    }
    at.bridge = bridges.size();
    config.bridges.emplace_back().name = name;
    bridge_places.push_back(place);
    return {};
}

Outcome Draft::add_plugin(Plugin plugin) {
    if (config.plugins.size() == plugins_max) {
        return base::fail(fmt::format("Error: More than {} plugins.", plugins_max));
    }
    at.plugin = config.plugins.size();
    config.plugins.push_back(std::move(plugin));
    plugin_places.emplace_back(place, at.listener);
    return {};
}

Outcome Draft::use_default_listener(std::string_view option) {
    if (!default_listener) {
        if (auto added = add_listener(); !added) return added;
        default_listener = at.listener;
        if (!option.empty()) {
            warn(
                fmt::format("Warning: Creating default listener on port 1883 due to '{}' option. "
                            "It is best to write a 'listener' line first.",
                            option));
        }
    }
    at.listener = default_listener;
    return {};
}

}  // namespace config
