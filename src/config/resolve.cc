#include "config/resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include "config/http_settings.h"
#include "config/sql_settings.h"

namespace config {
namespace {

constexpr std::uint16_t default_port = 1883;

Outcome check_listener(const Listener& listener) {
    const Tls& tls = listener.tls;
    if (tls.certfile.empty() != tls.keyfile.empty()) {
        return base::fail(std::string(
            "Error: Both certfile and keyfile must be provided to enable a TLS listener."));
    }
    if (tls.certfile.empty() && (!tls.cafile.empty() || !tls.capath.empty())) {
        return base::fail(fmt::format("Error: {} specified without certfile and keyfile.",
                                      tls.cafile.empty() ? "capath" : "cafile"));
    }
    if (!tls.certfile.empty() && !tls.psk_hint.empty()) {
        return base::fail(std::string(
            "Error: Cannot use both certificate and psk encryption in a single listener."));
    }
    if (listener.enable_proxy_protocol == 2 && tls.use_subject_as_username) {
        return base::fail(std::string(
            "Error: use_subject_as_username cannot be used with `enable_proxy_protocol 2`."));
    }
    if (listener.enable_proxy_protocol == 2 && !tls.certfile.empty()) {
        return base::fail(std::string(
            "Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`."));
    }
    return {};
}

Outcome check_bridge(const Bridge& bridge) {
    constexpr std::string_view invalid = "Error: Invalid bridge configuration:";
    if (bridge.addresses.empty()) {
        return base::fail(fmt::format("{} no remote addresses defined.", invalid));
    }
    if (bridge.topics.empty()) return base::fail(fmt::format("{} no topics defined.", invalid));

    const BridgeTls& tls = bridge.tls;
    if (tls.psk.empty() != tls.psk_identity.empty()) {
        return base::fail(fmt::format("{} missing {}.", invalid,
                                      tls.psk.empty() ? "bridge_psk" : "bridge_identity"));
    }
    const bool certificate =
        !tls.cafile.empty() || !tls.capath.empty() || !tls.certfile.empty() || !tls.keyfile.empty();
    if (certificate && !tls.psk.empty()) {
        return base::fail(
            fmt::format("{} cannot use both certificate and psk encryption.", invalid));
    }
    return {};
}

// The name of a bridge towards this broker. What stands for the host's name is the same for all.
std::string local_id(const Bridge& bridge) {
    if (!bridge.local_clientid.empty()) return bridge.local_clientid;
    if (!bridge.remote_clientid.empty()) return "local." + bridge.remote_clientid;
    return "local.<host>." + bridge.name;
}

// Two listeners at one place: with SO_REUSEPORT both would open, and chance would choose whose
// rules a client meets.
bool listen_alike(const Listener& one, const Listener& other) {
    const auto place = [](const Listener& listener) {
        return std::tie(listener.port, listener.host, listener.unix_path, listener.bind_interface,
                        listener.socket_domain);
    };
    return place(one) == place(other);
}

Outcome check_unique(const std::vector<Listener>& listeners, std::size_t i) {
    for (std::size_t j = 0; j < i; ++j) {
        if (listen_alike(listeners[j], listeners[i])) {
            return base::fail(fmt::format("Error: Two listeners on port {} of the same address.",
                                          listeners[i].port));
        }
    }
    return {};
}

// Where users are besides files, which are read later.
Outcome check_users(const Security& security) {
    const JwtAuth& jwt = security.jwt;
    JwtAuth without_files = jwt;
    without_files.secret_file = without_files.key_file = without_files.jwks_file = {};
    if (!jwt.is_on() && without_files != JwtAuth()) {
        return base::fail(std::string(
            "Error: auth_jwt_* without a key: say 'auth_jwt_secret_file', 'auth_jwt_key_file' or "
            "'auth_jwt_jwks_file'."));
    }
    if (auto checked = check_sql(security.sql); !checked) return checked;
    return check_http(security.http);
}

base::Result<void, Error> check(const Draft& draft) {
    const Config& config = draft.config;
    const auto at = [](const Place& place, std::string message) {
        return base::fail(Error{place.file, place.line, std::move(message)});
    };
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
        if (auto checked = check_listener(config.listeners[i]); !checked) {
            return at(draft.listener_places[i], checked.error());
        }
    }
    for (std::size_t i = 0; i < config.listeners.size(); ++i) {
        if (auto unique = check_unique(config.listeners, i); !unique) {
            return at(draft.listener_places[i], unique.error());
        }
    }
    if (auto checked = check_users(config.security); !checked) return at({}, checked.error());
    for (const Listener& listener : config.listeners) {
        if (auto checked = check_users(listener.security); !checked) {
            return at({}, checked.error());
        }
    }
    std::set<std::string> local_ids;
    for (std::size_t i = 0; i < config.bridges.size(); ++i) {
        const Bridge& bridge = config.bridges[i];
        if (auto checked = check_bridge(bridge); !checked) {
            return at(draft.bridge_places[i], checked.error());
        }
        if (!local_ids.insert(local_id(bridge)).second) {
            return at(
                draft.bridge_places[i],
                fmt::format("Error: Bridge local_clientid '{}' is not unique.", local_id(bridge)));
        }
    }
    return {};
}

// Local-only mode: one listener for each loopback address and port, each with what the options
// before any `listener` line asked for.
void listen_locally(Config& config, std::vector<std::uint16_t> ports) {
    const Listener pattern = config.listeners.empty() ? Listener{} : config.listeners.front();
    if (ports.empty()) ports.push_back(default_port);
    config.listeners.clear();
    const auto add = [&](std::uint16_t port, const char* host) {
        Listener& added = config.listeners.emplace_back(pattern);
        added.port = port;
        added.host = host;
    };
    for (const std::uint16_t port : ports) {
        if (pattern.socket_domain != SocketDomain::ipv6) add(port, "127.0.0.1");
        if (pattern.socket_domain != SocketDomain::ipv4) add(port, "::1");
    }
}

// Lines that would have no effect must not look as if they kept somebody out.
void close_untrusting(Listener& listener) {
    if (listener.enable_proxy_protocol == 0) {
        listener.unavailable_because = "proxy_protocol_trusted needs enable_proxy_protocol";
    } else if (!listener.unix_path.empty()) {
        listener.unavailable_because =
            "proxy_protocol_trusted is about addresses, and a unix socket has none";
    }
}

// Mosquitto opens such listeners, and checks nothing there.
void close_unchecked(Listener& listener) {
    if (!listener.unavailable_because.empty()) return;
    const Tls& tls = listener.tls;
    const bool needs_tls = tls.require_certificate || tls.use_identity_as_username ||
                           tls.use_subject_as_username || !tls.crlfile.empty();
    const bool has_proxy = listener.enable_proxy_protocol == 2;
    if (needs_tls && !tls.is_on() && !has_proxy) {
        listener.unavailable_because =
            "require_certificate, crlfile, use_identity_as_username and use_subject_as_username "
            "need certfile and keyfile, or psk_hint";
    } else if (listener.proxy_protocol_v2_require_tls && !has_proxy) {
        listener.unavailable_because =
            "proxy_protocol_v2_require_tls needs enable_proxy_protocol 2";
    } else if (!listener.proxy_protocol_trusted.empty()) {
        close_untrusting(listener);
    }
}

void inherit(Listener& listener, const Config& config) {
    if (!config.per_listener_settings) listener.security = config.security;
    const Security& security = listener.security;
    // Who has opened a port must also say who may come in; on loopback all may.
    listener.allow_anonymous = listener.listener_allow_anonymous.value_or(
        security.allow_anonymous.value_or(config.local_only));
    listener.allow_zero_length_clientid = security.allow_zero_length_clientid;
    listener.auto_id_prefix = listener.listener_auto_id_prefix.value_or(security.auto_id_prefix);
}

}  // namespace

base::Result<Config, Error> resolve(Draft draft, const Options& options) {
    if (auto taken = take_over_sql_plugins(draft); !taken) return base::fail(taken.error());
    if (auto checked = check(draft); !checked) return base::fail(checked.error());

    Config config = std::move(draft.config);
    if (config.local_only) {
        listen_locally(config, options.ports);
    } else if (!options.ports.empty()) {
        config.warnings.push_back(
            {{}, 0, "Warning: -p is ignored, because the config file has a listener."});
    }
    for (Listener& listener : config.listeners) {
        inherit(listener, config);
        close_unchecked(listener);
    }
    if (auto found = resolve_mysql_store(config); !found) {
        return base::fail(Error{{}, 0, found.error()});
    }
    for (Bridge& bridge : config.bridges) {
        if (!bridge.local_clean_session) bridge.local_clean_session = bridge.clean_session;
    }
    if (!options.persistence_location.empty()) {
        config.persistence.location = options.persistence_location;
    }
    if (!config.persistence.durability_topics.empty() && !config.persistence.enabled) {
        const Place& place = draft.durability_topic_place;
        config.warnings.push_back({place.file, place.line,
                                   "Warning: 'durability_topic' has no effect without "
                                   "'persistence true'."});
    }
    if (options.verbose) config.log.types = std::numeric_limits<std::uint32_t>::max();
    if (options.quiet) config.log.types = 0;
    return config;
}

}  // namespace config
