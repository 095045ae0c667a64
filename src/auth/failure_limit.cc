#include "auth/failure_limit.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "auth/peer_address.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using broker::AuthBegun;
using mqtt::ReasonCode;

std::uint64_t steady_now_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

// Listens to the answers of an exchange.
class NotedExchange : public broker::AuthExchange, private broker::AuthWaiter {
public:
    NotedExchange(FailureLimit& limit, std::string address,
                  std::unique_ptr<broker::AuthExchange> exchange)
        : limit_(limit), address_(std::move(address)), exchange_(std::move(exchange)) {}

    AuthAnswer step(base::Bytes data) override {
        AuthAnswer answer = exchange_->step(data);
        limit_.note(address_, answer);
        return answer;
    }
    void answer_to(broker::AuthWaiter& waiter) override {
        waiter_ = &waiter;
        exchange_->answer_to(*this);
    }

private:
    void on_answer(AuthAnswer answer) override {
        limit_.note(address_, answer);
        waiter_->on_answer(std::move(answer));  // It may end us.
    }

    FailureLimit& limit_;
    std::string address_;
    std::unique_ptr<broker::AuthExchange> exchange_;
    broker::AuthWaiter* waiter_ = nullptr;
};

// A database that does not answer is nobody's guess.
bool is_failure(const AuthAnswer& answer) {
    const bool is_refusal =
        answer.kind == AuthAnswer::Kind::refused || answer.kind == AuthAnswer::Kind::unknown;
    return is_refusal && (answer.reason == ReasonCode::not_authorized ||
                          answer.reason == ReasonCode::bad_user_name_or_password);
}

}  // namespace

FailureLimit::FailureLimit(broker::Authenticator& behind, Clock now_ms)
    : behind_(behind), now_ms_(now_ms ? std::move(now_ms) : Clock(steady_now_ms)) {}

AuthBegun FailureLimit::begin(const broker::Credentials& credentials) {
    const bool is_guess = credentials.user_name || credentials.method || credentials.password;
    const bool has_address = credentials.peer.find(':') != std::string_view::npos;
    if (limit_.load(std::memory_order_relaxed) == 0 || !is_guess || !has_address) {
        return behind_.begin(credentials);
    }
    std::string address = network_of(credentials.peer);
    const std::uint64_t wait_ms = failures_.with(
        [&](const LoginFailures& failures) { return failures.wait_ms(address, now_ms_()); });
    if (wait_ms != 0) {
        return {AuthAnswer::refuse(
                    ReasonCode::connection_rate_exceeded,
                    fmt::format("auth_failure_limit: too many failed logins from there, the next "
                                "is looked at in {} s",
                                (wait_ms + 999) / 1000)),
                nullptr};
    }
    AuthBegun begun = behind_.begin(credentials);
    note(address, begun.answer);
    if (begun.exchange) {
        begun.exchange =
            std::make_unique<NotedExchange>(*this, std::move(address), std::move(begun.exchange));
    }
    return begun;
}

void FailureLimit::note(const std::string& address, const AuthAnswer& answer) {
    const std::uint32_t limit = limit_.load(std::memory_order_relaxed);
    if (limit == 0 || !is_failure(answer)) return;
    failures_.with([&](LoginFailures& failures) { failures.failed(address, limit, now_ms_()); });
}

}  // namespace auth
