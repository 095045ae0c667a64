// The setters of users in SQL databases, and what becomes of plugins that had them.
#pragma once

#include <string_view>

#include "config/draft.h"
#include "config/words.h"

namespace config {

// auth_mysql_KEY, auth_postgresql_KEY, auth_sqlite_KEY.
Outcome set_sql_option(Draft& draft, Words& words);

// The same by its KEY: "server", "userquery", ...
Outcome set_sql(SqlAuth& sql, std::string_view key, const std::string& value);
Outcome set_sql_port(SqlAuth& sql, const std::string& value);
bool is_sql_key(std::string_view key);

// A plugin whose options we understand by ourselves: mosquitto-auth-plug and mosquitto-go-auth.
bool is_sql_plugin(const Plugin& plugin);
// Those of the file become SqlAuth; fails with a sentence about the plugin's line.
base::Result<void, Error> take_over_sql_plugins(Draft& draft);
// What is missing, or does not fit together.
Outcome check_sql(const SqlAuth& sql);

}  // namespace config
