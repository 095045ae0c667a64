// Users whom services are asked for over HTTP, by the configuration.
//
// Owned by Access; outlives the connections. Threads: shard 0's, or before the shards run, or when
// they have ended; what it consists of says the rest.
#pragma once

#include <span>
#include <string>

#include "auth/http_users.h"
#include "config/config.h"
#include "server/outside_users.h"
#include "server/realms.h"

namespace server {

// Everything about services that can be judged without one.
base::Result<void, std::string> check_http(const config::Config& config);

class HttpAccess {
public:
    using Change = OutsideChange<auth::HttpSource, config::HttpAuth>;

    // `has_rights`: what services say that clients may do counts.
    explicit HttpAccess(bool has_rights) : has_rights_(has_rights) {}

    // No connection is made yet, and nobody notices until use().
    base::Result<Change, std::string> prepare(const Realms& realms, base::Log& log,
                                              const auth::LateAnswers::Post& post) const;
    // Returns what is used no more; see auth::SourcesInUse.
    auth::RetiredSources<auth::HttpSource> use(Change change);
    void finish() { users_.finish(); }

    auth::UserSource& users() { return users_; }
    // A line for each service.
    void print(base::Log& log) const;

private:
    const bool has_rights_;
    auth::HttpUsers users_;
    std::vector<config::HttpAuth> options_;  // Of users_.sources().all().
};

}  // namespace server
