// mosquitto-auth-plug and mosquitto-go-auth: their options, as if they were ours.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "config/sql_settings.h"

namespace config {
namespace {

using Dialect = SqlAuth::Dialect;
using Kind = SqlAuth::Kind;
// Theirs, and our KEY.
using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array<Names, 12> plug_names{{
    {"acl_cacheseconds", "acl_cache"},
    {"aclquery", "aclquery"},
    {"auth_cacheseconds", "cache"},
    {"cacheseconds", "acl_cache"},
    {"dbname", "database"},
    {"dbpath", "database"},
    {"pass", "password"},
    {"ssl_ca", "tls_ca"},
    {"superquery", "superquery"},
    {"superusers", "superusers"},
    {"user", "user"},
    {"userquery", "userquery"},
}};
constexpr std::array<Names, 10> go_names{{
    {"aclquery", "aclquery"},
    {"dbname", "database"},
    {"password", "password"},
    {"source", "database"},
    {"sslcert", "tls_cert"},
    {"sslkey", "tls_key"},
    {"sslrootcert", "tls_ca"},
    {"superquery", "superquery"},
    {"user", "user"},
    {"userquery", "userquery"},
}};

std::optional<Dialect> dialect_of(const Plugin& plugin) {
    const std::string_view path = plugin.path;
    if (path.ends_with("auth-plug.so")) return Dialect::auth_plug;
    if (path.ends_with("go-auth.so")) return Dialect::go_auth;
    return std::nullopt;
}

std::string find(const Plugin& plugin, std::string_view key) {
    const auto found = std::find_if(plugin.options.begin(), plugin.options.end(),
                                    [&](const auto& each) { return each.first == key; });
    return found == plugin.options.end() ? std::string() : found->second;
}

Kind kind_of(std::string_view backend) {
    if (backend == "mysql") return Kind::mysql;
    if (backend == "postgres") return Kind::postgresql;
    if (backend == "sqlite") return Kind::sqlite;
    return Kind::none;
}

// Takes over one plugin.
class Taker {
public:
    Taker(Draft& draft, const Plugin& plugin, SqlAuth& sql)
        : draft_(draft), plugin_(plugin), sql_(sql) {}

    Outcome take();

private:
    Outcome choose_backend();
    Outcome take_option(const std::string& key, const std::string& value);
    Outcome take_of_plug(const std::string& key, const std::string& value);
    Outcome take_of_go(std::string_view key, const std::string& value);
    Outcome take_cache_of_go(const std::string& key, const std::string& value);
    Outcome take_named(std::span<const Names> names, std::string_view key, const std::string& value,
                       bool& is_known);
    void warn(const std::string& sentence) {
        draft_.config.warnings.push_back(
            {draft_.place.file, draft_.place.line, "Warning: " + sentence});
    }

    Draft& draft_;
    const Plugin& plugin_;
    SqlAuth& sql_;
    std::string go_prefix_;
};

Outcome Taker::take() {
    if (sql_.kind != Kind::none) {
        return base::fail(
            fmt::format("Error: there is another database already ({}).", sql_.place.text));
    }
    sql_.dialect = *dialect_of(plugin_);
    sql_.place = {fmt::format("{}:{}", draft_.place.file, draft_.place.line)};
    if (auto chosen = choose_backend(); !chosen) return chosen;
    warn(
        fmt::format("{} is not loaded: users in SQL databases are built in, and its options are "
                    "read as they are.",
                    plugin_.path));
    if (sql_.dialect == Dialect::auth_plug) {
        sql_.cache_ms = 0;
        sql_.acl_cache_ms = 300'000;
    } else if (find(plugin_, "cache") != "true") {
        sql_.cache_ms = 0;
    }
    for (const auto& [key, value] : plugin_.options) {
        if (auto taken = take_option(key, value); !taken) return taken;
    }
    if (sql_.user_query.text.empty()) {
        return base::fail(fmt::format("Error: {} needs a userquery.", plugin_.path));
    }
    // Only now: the lines may stand in any order.
    if (find(plugin_, "disable_superuser") == "true") sql_.super_query = {};
    if (sql_.dialect == Dialect::auth_plug && sql_.acl_query.text.empty()) {
        warn(
            fmt::format("{} has no aclquery: as with that plugin, only superusers may publish or "
                        "subscribe.",
                        plugin_.path));
    }
    return {};
}

Outcome Taker::choose_backend() {
    std::string list = find(plugin_, "backends");
    std::replace(list.begin(), list.end(), ' ', ',');
    std::string_view rest = list;
    while (!rest.empty()) {
        const std::string_view backend = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(backend.size() + 1, rest.size()));
        if (backend.empty()) continue;
        if (kind_of(backend) == Kind::none || sql_.kind != Kind::none) {
            warn(fmt::format("the back end '{}' of {} is not there, and is left out.", backend,
                             plugin_.path));
            continue;
        }
        sql_.kind = kind_of(backend);
        go_prefix_ = fmt::format("{}_", backend == "postgres" ? "pg" : backend);
    }
    if (sql_.kind != Kind::none) return {};
    return base::fail(
        fmt::format("Error: {} asks for none of the back ends mysql, postgres and "
                    "sqlite, which are there.",
                    plugin_.path));
}

Outcome Taker::take_option(const std::string& key, const std::string& value) {
    if (key == "backends") return {};
    if (sql_.dialect == Dialect::auth_plug) return take_of_plug(key, value);
    if (key.starts_with(go_prefix_)) {
        return take_of_go(std::string_view(key).substr(go_prefix_.size()), value);
    }
    return take_cache_of_go(key, value);
}

Outcome Taker::take_named(std::span<const Names> names, std::string_view key,
                          const std::string& value, bool& is_known) {
    const auto found = std::find_if(names.begin(), names.end(),
                                    [&](const Names& each) { return each.first == key; });
    is_known = found != names.end();
    return is_known ? set_sql(sql_, found->second, value) : Outcome{};
}

Outcome Taker::take_of_plug(const std::string& key, const std::string& value) {
    bool is_known = false;
    if (auto taken = take_named(plug_names, key, value, is_known); !taken || is_known) {
        return taken;
    }
    if (key == "host") {
        sql_.host = value;
    } else if (key == "port") {
        return set_sql_port(sql_, value);
    } else if (key == "ssl_enabled") {
        sql_.tls = value == "true" ? SqlAuth::Tls::on : SqlAuth::Tls::off;
    } else if (key == "ssl_cert" || key == "ssl_key") {
        (key == "ssl_cert" ? sql_.tls_cert : sql_.tls_key) = value;
    } else if (key != "mysql_opt_reconnect" && key != "mysql_auto_connect" && key != "log_quiet") {
        warn(
            fmt::format("the option '{}' of {} is not there, and is left out.", key, plugin_.path));
    }
    return {};
}

Outcome Taker::take_of_go(std::string_view key, const std::string& value) {
    bool is_known = false;
    if (auto taken = take_named(go_names, key, value, is_known); !taken || is_known) return taken;
    if (key == "host") {
        sql_.host = value;
    } else if (key == "port") {
        return set_sql_port(sql_, value);
    } else if (key == "socket") {
        sql_.unix_path = value;
    } else if (key == "sslmode") {
        const bool is_off = value == "disable" || value == "false";
        const bool is_strict = value == "verify-full" || value == "verify-ca" || value == "custom";
        sql_.tls = is_off ? SqlAuth::Tls::off : is_strict ? SqlAuth::Tls::verify : SqlAuth::Tls::on;
    } else if (!key.starts_with("hasher") && key != "protocol" && key != "connect_tries" &&
               key != "max_life_time" && key != "allow_native_passwords") {
        warn(fmt::format("the option '{}{}' of {} is not there, and is left out.", go_prefix_, key,
                         plugin_.path));
    }
    return {};
}

// Options that are not of a back end. How a hash is made the hash itself says.
Outcome Taker::take_cache_of_go(const std::string& key, const std::string& value) {
    const bool has_cache = find(plugin_, "cache") == "true";
    if (key == "auth_cache_seconds") {
        return has_cache ? set_sql(sql_, "cache", value) : Outcome{};
    }
    if (key == "acl_cache_seconds") {
        return has_cache ? set_sql(sql_, "acl_cache", value) : Outcome{};
    }
    if (!key.starts_with("hasher") && !key.starts_with("log_") && key != "cache" &&
        key != "disable_superuser" && key != "cache_type" && key != "cache_reset" &&
        key != "cache_refresh" && key != "exhaust_backend_first") {
        warn(
            fmt::format("the option '{}' of {} is not there, and is left out.", key, plugin_.path));
    }
    return {};
}

}  // namespace

bool is_sql_plugin(const Plugin& plugin) {
    return plugin.name.empty() && dialect_of(plugin).has_value();
}

base::Result<void, Error> take_over_sql_plugins(Draft& draft) {
    auto& plugins = draft.config.plugins;
    for (std::size_t i = 0; i < plugins.size(); ++i) {
        if (!is_sql_plugin(plugins[i])) continue;
        const auto& [place, listener] = draft.plugin_places[i];
        SqlAuth& sql = draft.config.per_listener_settings && listener
                           ? draft.config.listeners[*listener].security.sql
                           : draft.config.security.sql;
        draft.place = place;
        if (auto taken = Taker(draft, plugins[i], sql).take(); !taken) {
            return base::fail(Error{place.file, place.line, taken.error()});
        }
    }
    return {};
}

}  // namespace config
