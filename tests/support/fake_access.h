// Access control that says yes until a test replaces one of its answers.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/authenticator.h"

namespace support {

// It knows one method, "FAKE", whose client says what it wants to be answered:
//
//     ""          proceed, without data      "is NAME"   accepted as NAME, with the data "welcome"
//     "ask TEXT"  proceed, with TEXT         "late"      later: answer_late() says what
//     else        not_authorized
class FakeAuthenticator : public broker::Authenticator {
public:
    broker::AuthBegun begin(const broker::Credentials& credentials) override {
        using broker::AuthAnswer;
        last_shard = credentials.shard;
        if (credentials.method && *credentials.method != "FAKE") {
            return {AuthAnswer::refuse(mqtt::ReasonCode::bad_authentication_method), nullptr};
        }
        if (credentials.method || is_late) {
            auto exchange = std::make_unique<Exchange>(*this);
            AuthAnswer first = exchange->step(is_late ? base::as_bytes("late") : credentials.data);
            return {std::move(first), std::move(exchange)};
        }
        const auto reason = answer ? answer(credentials) : mqtt::ReasonCode::success;
        return {mqtt::is_failure(reason) ? AuthAnswer::refuse(reason) : accepted, nullptr};
    }
    // To the client that has waited longest.
    void answer_late(broker::AuthAnswer late) {
        broker::AuthWaiter* const first = waiting.front();
        waiting.erase(waiting.begin());
        first->on_answer(std::move(late));
    }

    std::function<mqtt::ReasonCode(const broker::Credentials&)> answer;
    broker::AuthAnswer accepted = broker::AuthAnswer::accept();  // To names and passwords.
    bool is_late = false;                                        // Those, too.
    std::vector<broker::AuthWaiter*> waiting;
    int exchanges = 0;  // That are going on.
    std::uint32_t last_shard = 0;

private:
    class Exchange : public broker::AuthExchange {
    public:
        explicit Exchange(FakeAuthenticator& owner) : owner_(owner) { ++owner_.exchanges; }
        ~Exchange() override {
            --owner_.exchanges;
            std::erase(owner_.waiting, waiter_);
        }
        broker::AuthAnswer step(base::Bytes data) override {
            using broker::AuthAnswer;
            const std::string_view text = base::as_text(data);
            if (text.empty()) return AuthAnswer::proceed({});
            if (text == "late") return AuthAnswer::later();
            if (text.starts_with("ask ")) return AuthAnswer::proceed(std::string(text.substr(4)));
            if (!text.starts_with("is ")) {
                return AuthAnswer::refuse(mqtt::ReasonCode::not_authorized);
            }
            return AuthAnswer::accept(std::string(text.substr(3)), "welcome");
        }
        void answer_to(broker::AuthWaiter& waiter) override {
            waiter_ = &waiter;
            owner_.waiting.push_back(waiter_);
        }

    private:
        FakeAuthenticator& owner_;
        broker::AuthWaiter* waiter_ = nullptr;
    };
};

class FakeAuthorizer : public broker::Authorizer {
public:
    bool is_allowed(const broker::AccessRequest& request) override {
        return !answer || answer(request);
    }
    bool allows_everything() const override { return !answer; }
    std::string explain(const broker::AccessRequest& request) override {
        return "rule about " + std::string(request.user_name);
    }
    std::function<bool(const broker::AccessRequest&)> answer;
};

}  // namespace support
