// Who may come in and what they may do, by the configuration: the authenticators and authorizers
// that it asks for, put together.
//
//     authenticator():  auth_failure_limit -> JWT -> password_file -> SQL -> HTTP -> scram_file
//                       -> allow_anonymous
//     authorizer():     SQL, or where no database has rules: acl_file
//
// Owned by Server; outlives the shards' connections. Threads: read() and use() on shard 0's, or
// before the shards run, finish() when they have ended; what it consists of says the rest.
#pragma once

#include <string>
#include <vector>

#include "auth/acl_authorizer.h"
#include "auth/anonymous.h"
#include "auth/authenticator_chain.h"
#include "auth/failure_limit.h"
#include "auth/jwt_authenticator.h"
#include "auth/password_authenticator.h"
#include "auth/scram_authenticator.h"
#include "config/config.h"
#include "server/http_access.h"
#include "server/realms.h"
#include "server/retirement.h"
#include "server/sql_access.h"

namespace server {

class Access {
public:
    // What the files of all realms say, and their databases and services. Destroyed without use(),
    // nothing has changed.
    struct Files {
        Realms realms;
        auth::PasswordTables passwords;
        auth::AclTables rules;
        auth::ScramTables scram;
        auth::JwtRealms tokens;
        SqlAccess::Change databases;
        HttpAccess::Change services;
    };

    // `post` runs a task on a shard's thread.
    Access(const config::Config& config, base::Log& log, auth::LateAnswers::Post post);
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // Fails with a sentence, and appends what is odd about the files to `warnings`. No database or
    // service is asked yet; those whose options are as they were stay.
    base::Result<Files, std::string> read(Realms realms, std::vector<std::string>& warnings);
    // In place of what was there before.
    void use(Files files);
    // A line for each database and service.
    void print_outside() const {
        sql_.print(log_);
        http_.print(log_);
    }
    // No login is answered any more, and no thread of ours runs.
    void finish() {
        sql_.finish();
        http_.finish();
        retirement_.finish();
        pool_.finish();
    }

    // auth_failure_limit; 0 = none.
    void set_failure_limit(std::uint32_t failures) { failure_limit_.set_limit(failures); }

    broker::Authenticator& authenticator() { return failure_limit_; }
    broker::Authorizer& authorizer() {
        return is_closed_ ? static_cast<broker::Authorizer&>(closed_) : sql_.authorizer();
    }
    // What would become of a login with the right password.
    void inquire_login(const broker::Inquiry& inquiry, const broker::OnRuling& done) const {
        chain_.inquire(inquiry, done);
    }
    // As they are in use.
    const Realms& realms() const { return realms_; }

private:
    static std::vector<std::string> paths(const Realms& realms,
                                          std::string config::Security::*file);
    base::Result<void, std::string> read_outside(Files& files);
    auth::AclTables joined_with_before(const auth::AclTables& rules);

    Realms realms_;
    const bool is_closed_;  // There are rules that we cannot read: nothing is allowed.
    base::Log& log_;
    const auth::LateAnswers::Post post_;
    auth::WorkPool pool_;
    auth::LateAnswers late_;
    auth::AnonymousAuthenticator anonymous_;
    auth::JwtAuthenticator tokens_;
    auth::PasswordAuthenticator passwords_;
    auth::ScramAuthenticator scram_;
    auth::AuthenticatorChain chain_;
    auth::FailureLimit failure_limit_{chain_};
    auth::AclAuthorizer acl_;
    SqlAccess sql_{acl_};
    HttpAccess http_{!is_closed_};
    Retirement retirement_;
    auth::ClosedAuthorizer closed_;
};

}  // namespace server
