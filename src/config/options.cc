#include "config/options.h"

#include <fmt/format.h>

#include "config/setters.h"
#include "config/sql_settings.h"

namespace config {
namespace {

using enum Scope;
using enum Support;

std::string requires_first(std::string_view option, std::string_view what) {
    return fmt::format("Error: The '{}' option requires a {} to be defined first.", option, what);
}

// Puts the cursor where the option belongs, or says what is missing.
Outcome find_target(const Option& option, Draft& draft, std::string_view key) {
    switch (option.scope) {
        case general:
            return {};
        case security:
            draft.security_set = true;
            if (draft.config.per_listener_settings && !draft.at.listener) {
                return base::fail(requires_first(key, "listener"));
            }
            return {};
        case listener:
            return draft.at.listener ? Outcome{} : draft.use_default_listener(key);
        case named_listener:
            if (!draft.at.listener) return base::fail(requires_first(key, "listener"));
            return {};
        case bridge:
            if (!draft.at.bridge) return base::fail(requires_first(key, "connection"));
            return {};
        case plugin:
            if (!draft.at.plugin) return base::fail(requires_first(key, "plugin"));
            return {};
    }
    return {};
}

// One warning for each option that has not its full effect.
void warn_about(const Option& option, Draft& draft, std::string_view key) {
    if (option.support == honoured && option.deprecated.empty()) return;
    if (option.support == accepted) {
        draft.warn(fmt::format("Warning: The '{}' option is accepted but not honoured yet.", key));
    } else if (option.support == dropped && !option.deprecated.empty()) {
        draft.warn(
            fmt::format("Warning: The '{}' option is not needed. {}", key, option.deprecated));
    } else if (option.support == dropped) {
        draft.warn(fmt::format("Warning: The '{}' option is no longer available.", key));
    } else {
        draft.warn(
            fmt::format("Warning: The '{}' option is deprecated. {}", key, option.deprecated));
    }
}

// Fail closed: what an unhonoured option would have checked, nobody passes.
void close_doors(const Option& option, Draft& draft, std::string_view key) {
    const std::string because =
        fmt::format("'{}' at {}:{} is not honoured yet", key, draft.place.file, draft.place.line);
    const auto close = [&](std::string& reason) {
        if (reason.empty()) reason = because;
    };
    if (option.guards == Guards::authentication || option.guards == Guards::both) {
        close(draft.config.authentication_unavailable_because);
    }
    if (option.guards == Guards::authorization || option.guards == Guards::both) {
        close(draft.config.authorization_unavailable_because);
    }
    if (!draft.at.listener) return;
    auto& at = draft.target<Listener>();
    const bool beyond_us =
        !at.tls.engine.empty() || at.tls.keyform == "engine" || at.protocol == Protocol::http_api;
    if (beyond_us) close(at.unavailable_because);
}

}  // namespace

std::string out_of_range(std::string_view name, std::int64_t value, const Range& range) {
    if (value > range.max && range.max >= std::numeric_limits<int>::max()) {
        return fmt::format("Error: '{}' value out of range.", name);
    }
    if (range.max >= std::numeric_limits<int>::max()) {
        return fmt::format("Error: Invalid '{}' value ({}): must be >= {}.", name, value,
                           range.min);
    }
    return fmt::format("Error: Invalid '{}' value ({}): must be {} to {}.", name, value, range.min,
                       range.max);
}

Outcome apply(const Option& option, Draft& draft, Words& words) {
    const std::string_view key = words.key();
    if (auto found = find_target(option, draft, key); !found) return found;
    if (auto set = option.setting.set(draft, words); !set) return set;
    // A plugin whose place we take is no check that is missing.
    const bool is_of_plugin = option.scope == plugin || option.guards == Guards::both;
    if (is_of_plugin && is_sql_plugin(draft.target<Plugin>())) return {};
    warn_about(option, draft, key);
    close_doors(option, draft, key);
    return {};
}

}  // namespace config
