// auth_mysql_*, auth_postgresql_* and auth_sqlite_*.
#include "config/sql_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "config/auth_values.h"

namespace config {
namespace {

using Text = std::string SqlAuth::*;
using Query = SqlQueryText SqlAuth::*;
using Duration = std::uint64_t SqlAuth::*;

constexpr std::array<std::pair<std::string_view, Text>, 8> texts{{
    {"database", &SqlAuth::database},
    {"password", &SqlAuth::password},
    {"password_file", &SqlAuth::password_file},
    {"superusers", &SqlAuth::superusers},
    {"tls_ca", &SqlAuth::tls_ca},
    {"tls_cert", &SqlAuth::tls_cert},
    {"tls_key", &SqlAuth::tls_key},
    {"user", &SqlAuth::user},
}};
constexpr std::array<std::pair<std::string_view, Query>, 3> queries{{
    {"aclquery", &SqlAuth::acl_query},
    {"superquery", &SqlAuth::super_query},
    {"userquery", &SqlAuth::user_query},
}};
constexpr std::array<std::pair<std::string_view, Duration>, 5> durations{{
    {"acl_cache", &SqlAuth::acl_cache_ms},
    {"cache", &SqlAuth::cache_ms},
    {"negative_cache", &SqlAuth::negative_cache_ms},
    {"stale_if_error", &SqlAuth::stale_if_error_ms},
    {"timeout", &SqlAuth::timeout_ms},
}};
constexpr std::array<std::string_view, 5> others{"on_error", "plain_passwords", "pool_size",
                                                 "server", "tls"};

}  // namespace

Outcome set_sql_port(SqlAuth& sql, const std::string& value) {
    const auto number = read_count("port", value, 65'535);
    if (!number) return base::fail(number.error());
    sql.port = static_cast<std::uint16_t>(*number);
    return {};
}

namespace {

// host, host:port, [::1]:port, unix:/path or /path.
Outcome set_server(SqlAuth& sql, std::string_view value) {
    constexpr std::string_view unix_prefix = "unix:";
    if (value.starts_with(unix_prefix) || value.starts_with('/')) {
        sql.unix_path = value.substr(value.starts_with('/') ? 0 : unix_prefix.size());
        return {};
    }
    std::string_view host = value;
    std::string_view port;
    const std::size_t bracket = value.rfind(']');
    const std::size_t colon = value.rfind(':');
    const bool has_port = bracket == std::string_view::npos
                              ? colon != std::string_view::npos && value.find(':') == colon
                              : colon == bracket + 1;
    if (has_port) {
        host = value.substr(0, colon);
        port = value.substr(colon + 1);
        if (auto set = set_sql_port(sql, std::string(port)); !set) return set;
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host.empty()) return base::fail(invalid_value("server", value));
    sql.host = host;
    return {};
}

Outcome set_other(SqlAuth& sql, std::string_view key, std::string_view value) {
    if (key == "server") return set_server(sql, value);
    if (key == "on_error") {
        return set_choice(sql.on_error, key, value,
                          std::array<std::string_view, 3>{"deny", "next", "stale"});
    }
    if (key == "tls") {
        return set_choice(sql.tls, key, value,
                          std::array<std::string_view, 3>{"off", "on", "verify"});
    }
    if (key == "plain_passwords") {
        return set_choice(sql.plain_passwords, key, value,
                          std::array<std::string_view, 2>{"false", "true"});
    }
    const auto size = read_count(key, value, auth_pool_size_max);
    if (!size) return base::fail(size.error());
    sql.pool_size = *size;
    return {};
}

SqlAuth::Kind kind_of(std::string_view option) {
    if (option.starts_with("auth_mysql_")) return SqlAuth::Kind::mysql;
    if (option.starts_with("auth_sqlite_")) return SqlAuth::Kind::sqlite;
    return SqlAuth::Kind::postgresql;
}

}  // namespace

bool is_sql_key(std::string_view key) {
    return find_member(texts, key) != nullptr || find_member(queries, key) != nullptr ||
           find_member(durations, key) != nullptr ||
           std::find(others.begin(), others.end(), key) != others.end();
}

Outcome set_sql(SqlAuth& sql, std::string_view key, const std::string& value) {
    if (const Text* text = find_member(texts, key)) {
        sql.*(*text) = value;
        return {};
    }
    if (const Query* query = find_member(queries, key)) {
        sql.*(*query) = {value, sql.place};
        return {};
    }
    if (const Duration* duration = find_member(durations, key)) {
        return set_duration(sql.*(*duration), key, value);
    }
    return set_other(sql, key, value);
}

Outcome set_sql_option(Draft& draft, Words& words) {
    const std::string_view option = words.key();
    const std::string_view key = option.substr(option.find('_', sizeof("auth_") - 1) + 1);
    if (!is_sql_key(key)) {
        return base::fail(fmt::format("Error: Unknown configuration variable '{}'.", option));
    }
    auto value = words.text();
    if (!value) return base::fail(value.error());
    SqlAuth& sql = draft.target<Security>().sql;
    const SqlAuth::Kind kind = kind_of(option);
    if (sql.kind != SqlAuth::Kind::none && sql.kind != kind) {
        return base::fail(
            fmt::format("Error: '{}': there is another database already ({}); a listener has one.",
                        option, sql.place.text));
    }
    const OptionPlace here{fmt::format("{}:{}", draft.place.file, draft.place.line)};
    const OptionPlace first = sql.kind == SqlAuth::Kind::none ? here : sql.place;
    sql.kind = kind;
    sql.place = here;
    auto set = set_sql(sql, key, *value);
    sql.place = first;
    return set;
}

Outcome check_sql_place(const SqlAuth& sql, std::string_view whose) {
    const auto refuse = [&](std::string_view what) {
        return base::fail(fmt::format("Error: {} ({}): {}.", whose, sql.place.text, what));
    };
    if (sql.database.empty()) return refuse("the database is not named; say '..._database'");
    if (!sql.password.empty() && !sql.password_file.empty()) {
        return refuse("'password' and 'password_file' exclude each other");
    }
    if (sql.timeout_ms < 100) return refuse("'timeout' must be 100ms or more");
    if (sql.kind == SqlAuth::Kind::mysql && sql.tls == SqlAuth::Tls::verify) {
        return refuse(
            "'tls verify' is not there for MySQL: its library, as SOCI uses it, does not compare "
            "the certificate with the server's name. Use a unix socket or a tunnel");
    }
    if (sql.kind == SqlAuth::Kind::mysql && sql.tls == SqlAuth::Tls::on && sql.tls_ca.empty()) {
        return refuse("'tls on' of MySQL needs 'tls_ca'");
    }
    return {};
}

Outcome check_sql(const SqlAuth& sql) {
    if (sql.kind == SqlAuth::Kind::none) return {};
    constexpr std::string_view whose = "users in SQL";
    if (sql.user_query.text.empty() && !sql.super_query.text.empty()) {
        return base::fail(fmt::format("Error: {} ({}): 'superquery' without 'userquery'.", whose,
                                      sql.place.text));
    }
    return check_sql_place(sql, whose);
}

}  // namespace config
