// Access control for a broker without users: who may come in is the listener's allow_anonymous, and
// who is in may do everything.
#pragma once

#include "broker/authenticator.h"

namespace auth {

// `accept_names` false: a password file or plugin is configured that this build cannot read, so no
// name and password is ever right.
class AnonymousAuthenticator : public broker::Authenticator {
public:
    explicit AnonymousAuthenticator(bool accept_names) : accept_names_(accept_names) {}
    broker::AuthBegun begin(const broker::Credentials& credentials) override {
        using broker::AuthAnswer;
        using mqtt::ReasonCode;
        if (credentials.method) {
            return {AuthAnswer::refuse(ReasonCode::bad_authentication_method,
                                       "unknown authentication method"),
                    nullptr};
        }
        if (credentials.user_name && !accept_names_) {
            return {AuthAnswer::refuse(ReasonCode::bad_user_name_or_password), nullptr};
        }
        if (!credentials.listener_allows_anonymous) {
            return {AuthAnswer::refuse(ReasonCode::not_authorized,
                                       credentials.user_name
                                           ? "no users are configured, and allow_anonymous is false"
                                           : "no user name, and allow_anonymous is false"),
                    nullptr};
        }
        return {AuthAnswer::accept(), nullptr};
    }

private:
    bool accept_names_;
};

class OpenAuthorizer : public broker::Authorizer {
public:
    bool is_allowed(const broker::AccessRequest&) override { return true; }
    bool allows_everything() const override { return true; }
};

// For a configuration whose access rules this build cannot enforce: nothing is better than all.
class ClosedAuthorizer : public broker::Authorizer {
public:
    bool is_allowed(const broker::AccessRequest&) override { return false; }
    bool allows_everything() const override { return false; }
    std::string explain(const broker::AccessRequest&) override {
        return "the configuration has rules that this version cannot enforce";
    }
};

}  // namespace auth
