// Access control that says yes until a test replaces one of its answers.
#pragma once

#include <functional>

#include "broker/authenticator.h"

namespace support {

class FakeAuthenticator : public broker::Authenticator {
public:
    mqtt::ReasonCode authenticate(const broker::Credentials& credentials) override {
        return answer ? answer(credentials) : mqtt::ReasonCode::success;
    }
    std::function<mqtt::ReasonCode(const broker::Credentials&)> answer;
};

class FakeAuthorizer : public broker::Authorizer {
public:
    bool is_allowed(const broker::AccessRequest& request) override {
        return !answer || answer(request);
    }
    bool allows_everything() const override { return !answer; }
    std::function<bool(const broker::AccessRequest&)> answer;
};

}  // namespace support
