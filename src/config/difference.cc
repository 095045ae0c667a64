#include "config/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "config/options.h"
#include "config/sql_settings.h"

namespace config {
namespace {

auto identity(const Listener& listener) {
    return std::tie(listener.port, listener.host, listener.unix_path);
}

std::string name_of(const Listener& listener) {
    if (!listener.unix_path.empty()) return fmt::format("listener 0 {}", listener.unix_path);
    if (listener.host.empty()) return fmt::format("listener {}", listener.port);
    return fmt::format("listener {} {}", listener.port, listener.host);
}

// The counterpart of `listener`. Two of one identity (one for IPv4, one for IPv6) keep their order.
const Listener* counterpart(const Listener& listener, const std::vector<Listener>& its,
                            const std::vector<Listener>& others) {
    const auto is_same = [&](const Listener& each) { return identity(each) == identity(listener); };
    const auto here = its.begin() + (&listener - its.data());
    auto before = std::count_if(its.begin(), here, is_same);
    const auto found = std::find_if(others.begin(), others.end(), [&](const Listener& each) {
        return is_same(each) && before-- == 0;
    });
    return found == others.end() ? nullptr : &*found;
}

const Bridge* find_bridge(const std::vector<Bridge>& bridges, const std::string& name) {
    const auto found = std::find_if(bridges.begin(), bridges.end(),
                                    [&](const Bridge& bridge) { return bridge.name == name; });
    return found == bridges.end() ? nullptr : &*found;
}

void note(Difference& found, const Option& option, std::string name) {
    auto& names = option.reload == Reload::yes ? found.reloadable : found.needs_restart;
    names.push_back(std::move(name));
}

void compare_listener(const Compared& running, const Compared& wanted, Difference& found) {
    for (const Option& option : options()) {
        const Setting& setting = option.setting;
        if (setting.same == nullptr || !setting.of_listener || setting.same(running, wanted)) {
            continue;
        }
        note(found, option, fmt::format("{} ({})", option.name, name_of(*running.listener)));
    }
}

void compare_listeners(const Config& running, const Config& wanted, Difference& found) {
    for (const Listener& listener : running.listeners) {
        const Listener* other = counterpart(listener, running.listeners, wanted.listeners);
        if (other == nullptr) {
            found.reloadable.push_back(name_of(listener) + " is gone");
        } else {
            compare_listener({running, &listener}, {wanted, other}, found);
        }
    }
    for (const Listener& listener : wanted.listeners) {
        if (counterpart(listener, wanted.listeners, running.listeners) == nullptr) {
            found.reloadable.push_back(name_of(listener) + " is new");
        }
    }
}

void compare_bridges(const Config& running, const Config& wanted, Difference& found) {
    for (const Bridge& bridge : running.bridges) {
        const Bridge* other = find_bridge(wanted.bridges, bridge.name);
        if (other == nullptr || *other != bridge) {
            found.reloadable.push_back("connection " + bridge.name);
        }
    }
    for (const Bridge& bridge : wanted.bridges) {
        if (find_bridge(running.bridges, bridge.name) == nullptr) {
            found.reloadable.push_back("connection " + bridge.name);
        }
    }
}

// Those whose place we take are options of listeners.
std::vector<Plugin> without_sql(std::vector<Plugin> plugins) {
    std::erase_if(plugins, is_sql_plugin);
    return plugins;
}

}  // namespace

Difference difference(const Config& running, const Config& wanted) {
    Difference found;
    for (const Option& option : options()) {
        const Setting& setting = option.setting;
        if (setting.same == nullptr || setting.of_listener) continue;
        if (!setting.same({running, nullptr}, {wanted, nullptr})) {
            note(found, option, std::string(option.name));
        }
    }
    compare_listeners(running, wanted, found);
    compare_bridges(running, wanted, found);
    if (without_sql(running.plugins) != without_sql(wanted.plugins)) {
        found.needs_restart.emplace_back("plugin");
    }
    return found;
}

}  // namespace config
