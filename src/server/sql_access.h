// Users in SQL databases, by the configuration.
//
// Owned by Access; outlives the connections. Threads: shard 0's, or before the shards run, or when
// they have ended; what it consists of says the rest.
#pragma once

#include <span>
#include <string>

#include "auth/sql_users.h"
#include "config/config.h"
#include "server/outside_users.h"
#include "server/realms.h"

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

    // With the passwords that the options name elsewhere.
    using Change = OutsideChange<auth::SqlSource, config::SqlAuth>;

    // No connection is made yet, and nobody notices until use().
    base::Result<Change, std::string> prepare(const Realms& realms, base::Log& log,
                                              const auth::LateAnswers::Post& post) const;
    // Returns what is used no more; see auth::SourcesInUse.
    auth::RetiredSources<auth::SqlSource> use(Change change);
    void finish() { users_.finish(); }

    auth::UserSource& users() { return users_; }
    broker::Authorizer& authorizer() { return rules_; }
    // A line for each database.
    void print(base::Log& log) const;

private:
    // Of the realm `index` + 1.
    base::Result<config::SqlAuth, std::string> options_of(const Realms& realms,
                                                          std::size_t index) const;

    auth::SqlUsers users_;
    std::vector<config::SqlAuth> options_;  // Of users_.sources().all().
    auth::SqlAuthorizer rules_;
};

}  // namespace server
