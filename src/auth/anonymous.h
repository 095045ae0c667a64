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
    mqtt::ReasonCode authenticate(const broker::Credentials& credentials) override {
        if (credentials.user_name && !accept_names_) {
            return mqtt::ReasonCode::bad_user_name_or_password;
        }
        return credentials.listener_allows_anonymous ? mqtt::ReasonCode::success
                                                     : mqtt::ReasonCode::not_authorized;
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
};

}  // namespace auth
