// The setters of users and messages in SQL databases, and what becomes of plugins that had users.
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
// The same of what leads to the database alone; `whose` it is begins the sentence.
Outcome check_sql_place(const SqlAuth& sql, std::string_view whose);

// mysql_store.cc: mysql_store, mysql_store_KEY.
Outcome set_mysql_store(Draft& draft, Words& words);
Outcome set_mysql_store_option(Draft& draft, Words& words);
// Finds the database that messages are written to, when all options have been read.
Outcome resolve_mysql_store(Config& config);

}  // namespace config
