// mysql_store and mysql_store_*.
#include "config/mysql_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "config/auth_values.h"
#include "config/special_settings.h"
#include "config/sql_settings.h"

namespace config {
namespace {

constexpr std::size_t lines_max = 100;
constexpr std::size_t name_bytes_max = 64;  // MySQL's own.
constexpr std::uint32_t queue_messages_max = 100'000'000;
constexpr std::uint32_t queue_bytes_max = 4'294'967'295;
constexpr std::string_view prefix = "mysql_store_";

// Those of users in SQL that lead to a database.
constexpr std::array<std::string_view, 10> database_keys{
    "database", "password", "password_file", "server",  "timeout",
    "tls",      "tls_ca",   "tls_cert",      "tls_key", "user"};

// Of what needs no quotes in SQL.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= name_bytes_max &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '$';
           });
}

bool is_table(std::string_view table) {
    const std::size_t dot = table.find('.');
    if (dot == std::string_view::npos) return is_name(table);
    return is_name(table.substr(0, dot)) && is_name(table.substr(dot + 1));
}

Outcome check_filter(std::string_view filter) {
    if (!is_valid_filter(filter)) {
        return base::fail(fmt::format("Error: Invalid 'mysql_store' filter ({}).", filter));
    }
    if (!filter.starts_with("$SYS") && !filter.starts_with("$share/")) return {};
    return base::fail(
        fmt::format("Error: Invalid 'mysql_store' filter ({}): what the broker says about itself "
                    "is not stored, and nobody subscribes here.",
                    filter));
}

// The database of auth_mysql_*, wherever it stands; nothing if there are two.
const SqlAuth* database_of_users(const Config& config, bool& are_several) {
    const SqlAuth* found = nullptr;
    const auto look_at = [&](const SqlAuth& sql) {
        if (sql.kind != SqlAuth::Kind::mysql) return;
        are_several = are_several || (found != nullptr && *found != sql);
        found = &sql;
    };
    look_at(config.security.sql);
    for (const Listener& listener : config.listeners) look_at(listener.security.sql);
    return found;
}

Outcome choose_database(Config& config) {
    MysqlStore& store = config.mysql_store;
    if (store.database.is_on()) return check_sql_place(store.database, "mysql_store");
    bool are_several = false;
    const SqlAuth* const users = database_of_users(config, are_several);
    if (users != nullptr && !are_several) {
        store.database = *users;
        return {};
    }
    return base::fail(
        fmt::format("Error: mysql_store ({}): {}; say 'mysql_store_server' and "
                    "'mysql_store_database'.",
                    store.lines[0].place.text,
                    are_several ? "there are several databases of users" : "no database is named"));
}

}  // namespace

// FILTER may have blanks in it, TABLE has none.
Outcome set_mysql_store(Draft& draft, Words& words) {
    const auto value = words.text();
    if (!value) return base::fail(value.error());
    const std::string_view text = *value;
    const std::size_t blank = text.rfind(' ');
    if (blank == std::string_view::npos) {
        return base::fail(
            fmt::format("Error: 'mysql_store {}': write 'mysql_store FILTER TABLE'.", text));
    }
    const std::string_view table = text.substr(blank + 1);
    const std::string_view filter = text.substr(0, text.find_last_not_of(' ', blank) + 1);
    if (auto checked = check_filter(filter); !checked) return checked;
    if (!is_table(table)) {
        return base::fail(
            fmt::format("Error: Invalid 'mysql_store' table ({}): letters, digits, '_' and '$', at "
                        "most {} of them, or DATABASE.TABLE.",
                        table, name_bytes_max));
    }
    auto& lines = draft.config.mysql_store.lines;
    if (lines.size() == lines_max) {
        return base::fail(fmt::format("Error: More than {} lines of 'mysql_store'.", lines_max));
    }
    lines.push_back({std::string(filter),
                     std::string(table),
                     {fmt::format("{}:{}", draft.place.file, draft.place.line)}});
    return {};
}

Outcome set_mysql_store_option(Draft& draft, Words& words) {
    const std::string_view key = words.key().substr(prefix.size());
    auto value = words.text();
    if (!value) return base::fail(value.error());
    MysqlStore& store = draft.config.mysql_store;
    if (key == "queue_messages" || key == "queue_bytes") {
        const bool is_count = key == "queue_messages";
        const auto number =
            read_count(words.key(), *value, is_count ? queue_messages_max : queue_bytes_max);
        if (!number) return base::fail(number.error());
        if (is_count) store.queue.messages = *number;
        if (!is_count) store.queue.bytes = *number;
        return {};
    }
    if (std::find(database_keys.begin(), database_keys.end(), key) == database_keys.end()) {
        return base::fail(fmt::format("Error: Unknown configuration variable '{}'.", words.key()));
    }
    if (!store.database.is_on()) {
        store.database.kind = SqlAuth::Kind::mysql;
        store.database.place = {fmt::format("{}:{}", draft.place.file, draft.place.line)};
    }
    return set_sql(store.database, key, *value);
}

Outcome resolve_mysql_store(Config& config) {
    MysqlStore& store = config.mysql_store;
    if (store.is_on()) return choose_database(config);
    if (!store.database.is_on() && store.queue == MysqlStoreQueue()) return {};
    return base::fail(std::string(
        "Error: mysql_store_* without 'mysql_store FILTER TABLE': no message would be stored."));
}

}  // namespace config
