// Users whom services are asked for over HTTP, by the configuration.
//
// Owned by Access; outlives the connections. Threads: open() before the shards run, finish() when
// they have ended; what it consists of says the rest.
#pragma once

#include <span>
#include <string>

#include "auth/http_users.h"
#include "config/config.h"

namespace server {

// Everything about services that can be judged without one.
base::Result<void, std::string> check_http(const config::Config& config);

class HttpAccess {
public:
    // `realms` are those of the numbers 1, 2, ...; 0 has no service. `has_rights`: what services
    // say that clients may do counts. No connection is made yet.
    base::Result<void, std::string> open(std::span<const config::Security> realms, bool has_rights,
                                         base::Log& log, const auth::LateAnswers::Post& post);
    void finish() { users_.finish(); }

    auth::UserSource& users() { return users_; }
    // A line for each service.
    void print(base::Log& log) const;

private:
    auth::HttpUsers users_;
};

}  // namespace server
