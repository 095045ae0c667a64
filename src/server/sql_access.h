// Users in SQL databases, by the configuration.
//
// Owned by Access; outlives the connections. Threads: open() before the shards run, finish() when
// they have ended; what it consists of says the rest.
#pragma once

#include <span>
#include <string>

#include "auth/sql_users.h"
#include "config/config.h"

namespace server {

// What `nightjar sql init` makes, and what is asked without queries of one's own.
inline constexpr std::string_view default_user_query =
    "SELECT password_hash, username, salt, is_superuser, enabled, clientid FROM mqtt_user "
    "WHERE username = ${username}";
inline constexpr std::string_view default_acl_query =
    "SELECT username, clientid, ipaddress, permission, action, topic FROM mqtt_acl "
    "WHERE username = ${username} OR username = '*'";

// Fails with a sentence that names the option's file and line.
base::Result<auth::SqlSettings, std::string> sql_settings(const config::SqlAuth& sql);

// Where a database is, and how the log names it. Fails as sql_settings() does.
base::Result<auth::SqlServer, std::string> sql_server(const config::SqlAuth& sql);
std::string sql_name(const config::SqlAuth& sql);

// Everything about databases that can be judged without one.
base::Result<void, std::string> check_sql(const config::Config& config);

class SqlAccess {
public:
    // `others` has the rules where no database has any. Outlives us.
    explicit SqlAccess(broker::Authorizer& others) : rules_(users_, others) {}

    // `realms` are those of the numbers 1, 2, ...; 0 has no database. No connection is made yet.
    base::Result<void, std::string> open(std::span<const config::Security> realms, base::Log& log,
                                         const auth::LateAnswers::Post& post);
    void finish() { users_.finish(); }

    auth::UserSource& users() { return users_; }
    broker::Authorizer& authorizer() { return rules_; }
    // A line for each database.
    void print(base::Log& log) const;

private:
    auth::SqlUsers users_;
    auth::SqlAuthorizer rules_;
};

}  // namespace server
