// Who may come in and what they may do, by the configuration: the authenticators and authorizers
// that it asks for, put together.
//
//     authenticator():  password_file -> SQL -> scram_file -> allow_anonymous
//     authorizer():     SQL, or where no database has rules: acl_file
//
// Listeners that have the same security options are a realm, by whose number the broker asks.
//
// Owned by Server; outlives the shards' connections. Threads: load() and finish() on shard 0's, or
// before the shards run; what it consists of says the rest.
#pragma once

#include <string>
#include <vector>

#include "auth/acl_authorizer.h"
#include "auth/anonymous.h"
#include "auth/authenticator_chain.h"
#include "auth/password_authenticator.h"
#include "auth/scram_authenticator.h"
#include "config/config.h"
#include "server/sql_access.h"

namespace server {

class Access {
public:
    // `post` runs a task on a shard's thread.
    Access(const config::Config& config, auth::LateAnswers::Post post);
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // Reads all files anew: all of them, or, if it fails with a sentence, none. Appends what is odd
    // about them to `warnings`.
    base::Result<void, std::string> load(std::vector<std::string>& warnings);
    // Once, before the shards run: what it takes to ask databases. Fails with a sentence.
    base::Result<void, std::string> open_databases(base::Log& log) {
        return sql_.open(realms_, log, post_);
    }
    void print_databases(base::Log& log) const { sql_.print(log); }
    // No login is answered any more, and no thread of ours runs.
    void finish() {
        sql_.finish();
        pool_.finish();
    }

    broker::Authenticator& authenticator() { return chain_; }
    broker::Authorizer& authorizer() {
        return is_closed_ ? static_cast<broker::Authorizer&>(closed_) : sql_.authorizer();
    }
    const std::vector<config::Security>& realms() const { return realms_; }

private:
    std::vector<std::string> files(std::string config::Security::*file) const;

    const std::vector<config::Security> realms_;  // By number, less 1; those of the start.
    const bool is_closed_;  // There are rules that we cannot read: nothing is allowed.
    const auth::LateAnswers::Post post_;
    auth::WorkPool pool_;
    auth::LateAnswers late_;
    auth::AnonymousAuthenticator anonymous_;
    auth::PasswordAuthenticator passwords_;
    auth::ScramAuthenticator scram_;
    auth::AuthenticatorChain chain_;
    auth::AclAuthorizer acl_;
    SqlAccess sql_{acl_};
    auth::ClosedAuthorizer closed_;
};

}  // namespace server
