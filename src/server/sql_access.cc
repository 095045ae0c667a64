#include "server/sql_access.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace server {
namespace {

using auth::SqlArgument;
using auth::SqlQuery;
using Kind = config::SqlAuth::Kind;

constexpr std::array<SqlArgument, 2> of_users{SqlArgument::user_name, SqlArgument::client_id};
constexpr std::array<SqlArgument, 2> of_rules{SqlArgument::user_name, SqlArgument::access};

std::string_view name_of(Kind kind) {
    switch (kind) {
        case Kind::mysql:
            return "mysql";
        case Kind::postgresql:
            return "postgresql";
        default:
            return "sqlite";
    }
}

base::Result<SqlQuery, std::string> parse(std::string_view option, const config::SqlQueryText& said,
                                          std::span<const SqlArgument> arguments) {
    if (said.text.empty()) return SqlQuery();
    auto query = SqlQuery::parse(said.text, arguments);
    if (query) return std::move(*query);
    return base::fail(fmt::format("Error: {}: the {} {}.", said.place.text, option, query.error()));
}

base::Result<void, std::string> read_queries(const config::SqlAuth& sql,
                                             auth::SqlSettings& settings) {
    config::SqlQueryText user = sql.user_query;
    config::SqlQueryText rules = sql.acl_query;
    if (user.text.empty()) {
        user = {std::string(default_user_query), sql.place};
        if (rules.text.empty()) rules = {std::string(default_acl_query), sql.place};
    }
    auto user_query = parse("userquery", user, of_users);
    if (!user_query) return base::fail(user_query.error());
    auto super_query = parse("superquery", sql.super_query, of_users);
    if (!super_query) return base::fail(super_query.error());
    auto rule_query = parse("aclquery", rules, of_rules);
    if (!rule_query) return base::fail(rule_query.error());
    settings.user_query = std::move(*user_query);
    settings.super_query = std::move(*super_query);
    settings.rule_query = std::move(*rule_query);
    return {};
}

// Of the option, of the environment as ${NAME}, or of the first line of a file.
base::Result<std::string, std::string> read_password(const config::SqlAuth& sql) {
    if (!sql.password_file.empty()) {
        std::ifstream file(sql.password_file);
        std::string line;
        if (!std::getline(file, line)) {
            return base::fail(fmt::format("Error: {}: the password_file {} cannot be read.",
                                          sql.place.text, sql.password_file));
        }
        if (line.ends_with('\r')) line.pop_back();
        return line;
    }
    const std::string_view said = sql.password;
    if (!said.starts_with("${") || !said.ends_with('}')) return sql.password;
    const std::string name(said.substr(2, said.size() - 3));
    const char* const value = std::getenv(name.c_str());
    if (value != nullptr) return std::string(value);
    return base::fail(fmt::format("Error: {}: the password is in ${{{}}}, which is not set.",
                                  sql.place.text, name));
}

auth::SqlServer server_of(const config::SqlAuth& sql, std::string password) {
    auth::SqlServer server;
    server.kind = sql.kind == Kind::mysql        ? auth::SqlServer::Kind::mysql
                  : sql.kind == Kind::postgresql ? auth::SqlServer::Kind::postgresql
                                                 : auth::SqlServer::Kind::sqlite;
    server.host = sql.host;
    server.port = sql.port;
    server.unix_path = sql.unix_path;
    server.database = sql.database;
    server.user = sql.user;
    server.password = std::move(password);
    server.tls = static_cast<auth::SqlServer::Tls>(sql.tls);
    server.tls_ca = sql.tls_ca;
    server.tls_cert = sql.tls_cert;
    server.tls_key = sql.tls_key;
    server.timeout = std::chrono::milliseconds(sql.timeout_ms);
    return server;
}

// What connections, waiting and caches are like makes nobody else of them.
bool has_same_users(config::SqlAuth one, const config::SqlAuth& other) {
    one.user = other.user;
    one.password = other.password;
    one.password_file = other.password_file;
    one.pool_size = other.pool_size;
    one.timeout_ms = other.timeout_ms;
    one.cache_ms = other.cache_ms;
    one.acl_cache_ms = other.acl_cache_ms;
    one.negative_cache_ms = other.negative_cache_ms;
    one.stale_if_error_ms = other.stale_if_error_ms;
    one.on_error = other.on_error;
    one.tls = other.tls;
    one.tls_ca = other.tls_ca;
    one.tls_cert = other.tls_cert;
    one.tls_key = other.tls_key;
    return one == other;
}

}  // namespace

std::string sql_name(const config::SqlAuth& sql) {
    const std::string where = !sql.unix_path.empty() ? sql.unix_path
                              : sql.port != 0        ? fmt::format("{}:{}", sql.host, sql.port)
                                                     : sql.host;
    return fmt::format("{} {}{}{}", name_of(sql.kind), sql.database, where.empty() ? "" : "@",
                       where);
}

base::Result<auth::SqlServer, std::string> sql_server(const config::SqlAuth& sql) {
    auto password = read_password(sql);
    if (!password) return base::fail(std::move(password.error()));
    return server_of(sql, std::move(*password));
}

namespace {

// `password` in place of what the options say of it.
base::Result<auth::SqlSettings, std::string> settings_with(const config::SqlAuth& sql,
                                                           std::string password) {
    if (!auth::has_sql) {
        return base::fail(
            fmt::format("Error: {}: users in SQL databases are not in this build. Build it with "
                        "libsoci-dev, libpq-dev and libssl-dev.",
                        sql.place.text));
    }
    auth::SqlSettings settings;
    settings.name = sql_name(sql);
    settings.server = server_of(sql, std::move(password));
    if (auto read = read_queries(sql, settings); !read) return base::fail(read.error());
    settings.workers = sql.pool_size;
    if (sql.dialect == config::SqlAuth::Dialect::auth_plug) {
        settings.access_numbers = auth::SqlSettings::AccessNumbers::auth_plug;
        settings.needs_rules = true;
    }
    settings.super_pattern = sql.superusers;
    settings.may_be_plain = sql.plain_passwords;
    settings.logins = {.cache_ms = sql.cache_ms,
                       .negative_cache_ms = sql.negative_cache_ms,
                       .rules = {.fresh_ms = sql.acl_cache_ms, .stale_ms = sql.stale_if_error_ms},
                       .on_error = static_cast<auth::LoginCache::OnError>(sql.on_error)};
    constexpr std::uint64_t for_ever_ms = std::uint64_t{1} << 62;
    if (sql.on_error == config::SqlAuth::OnError::stale) {
        settings.logins.rules.stale_ms = for_ever_ms;
    }
    return settings;
}

}  // namespace

base::Result<auth::SqlSettings, std::string> sql_settings(const config::SqlAuth& sql) {
    auto password = read_password(sql);
    if (!password) return base::fail(std::move(password.error()));
    return settings_with(sql, std::move(*password));
}

base::Result<void, std::string> check_sql(const config::Config& config) {
    for (const config::Listener& listener : config.listeners) {
        if (!listener.security.sql.is_on()) continue;
        if (auto settings = sql_settings(listener.security.sql); !settings) {
            return base::fail(std::move(settings.error()));
        }
    }
    return {};
}

// A password that has changed makes another source, wherever it stands.
base::Result<config::SqlAuth, std::string> SqlAccess::options_of(const Realms& realms,
                                                                 std::size_t index) const {
    config::SqlAuth sql = realms.all[index].security.sql;
    if (realms.all[index].in_use && sql.is_on()) {
        auto password = read_password(sql);
        if (!password) return base::fail(std::move(password.error()));
        sql.password = std::move(*password);
        sql.password_file.clear();
        return sql;
    }
    // Without listeners its sessions have what rights they had, and nobody comes in.
    const auth::RealmSources<auth::SqlSource>& before = users_.sources();
    const std::size_t source = before.index_of(static_cast<std::uint32_t>(index) + 1);
    const bool is_needed = !realms.all[index].in_use &&
                           source != auth::RealmSources<auth::SqlSource>::none &&
                           before.all()[source]->has_rules();
    return is_needed ? options_[source] : config::SqlAuth();
}

base::Result<SqlAccess::Change, std::string> SqlAccess::prepare(
    const Realms& realms, base::Log& log, const auth::LateAnswers::Post& post) const {
    using Made = base::Result<std::unique_ptr<auth::SqlSource>, std::string>;
    std::vector<config::SqlAuth> wanted;
    for (std::size_t i = 0; i < realms.all.size(); ++i) {
        auto sql = options_of(realms, i);
        if (!sql) return base::fail(std::move(sql.error()));
        wanted.push_back(std::move(*sql));
    }
    return make_sources<auth::SqlSource, config::SqlAuth>(
        wanted, users_.sources(), options_, &has_same_users,
        [&](const config::SqlAuth& sql, auth::LoginHeritage heritage) -> Made {
            auto settings = settings_with(sql, sql.password);
            if (!settings) return base::fail(std::move(settings.error()));
            return std::make_unique<auth::SqlSource>(std::move(*settings), log, post,
                                                     std::move(heritage));
        });
}

auth::RetiredSources<auth::SqlSource> SqlAccess::use(Change change) {
    options_ = std::move(change.options);
    return users_.use(std::move(change.sources));
}

void SqlAccess::print(base::Log& log) const {
    for (auth::SqlSource* const source : users_.sources().all()) {
        const auth::SqlDatabase::Figures database = source->database().figures();
        print_figures(log, "database " + source->database().name(), "queries",
                      {source->figures(), database.server, database.refused, database.waiting});
    }
}

}  // namespace server
