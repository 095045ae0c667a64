#include "auth/authenticator_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace auth {
namespace {

using broker::AuthAnswer;
using broker::AuthBegun;
using broker::Credentials;
using Kind = AuthAnswer::Kind;

// What outlives the call that credentials came with.
class KeptCredentials {
public:
    explicit KeptCredentials(const Credentials& given)
        : client_id_(given.client_id),
          user_name_(given.user_name.value_or("")),
          password_(base::as_text(given.password.value_or(base::Bytes()))),
          peer_(given.peer),
          kept_(given) {
        kept_.client_id = client_id_;
        if (given.user_name) kept_.user_name = user_name_;
        if (given.password) kept_.password = base::as_bytes(password_);
        kept_.peer = peer_;
        kept_.data = {};
    }
    KeptCredentials(const KeptCredentials&) = delete;
    KeptCredentials& operator=(const KeptCredentials&) = delete;

    const Credentials& get() const { return kept_; }

private:
    std::string client_id_;
    std::string user_name_;
    std::string password_;
    std::string peer_;
    Credentials kept_;
};

// While a source's answer is late.
class ChainExchange : public broker::AuthExchange, private broker::AuthWaiter {
public:
    ChainExchange(AuthenticatorChain& chain, const Credentials& credentials, std::size_t next)
        : chain_(chain), credentials_(credentials), next_(next) {}

    void follow(std::unique_ptr<broker::AuthExchange> exchange) { exchange_ = std::move(exchange); }

    // Names and passwords are one message.
    AuthAnswer step(base::Bytes) override {
        return AuthAnswer::refuse(mqtt::ReasonCode::protocol_error);
    }
    void answer_to(broker::AuthWaiter& waiter) override {
        waiter_ = &waiter;
        exchange_->answer_to(*this);
    }

private:
    void on_answer(AuthAnswer answer) override {
        if (answer.kind == Kind::unknown) {
            answer.kind = Kind::refused;
            AuthBegun begun = chain_.ask(credentials_.get(), next_, std::move(answer));
            if (begun.answer.kind == Kind::later) {
                exchange_ = std::move(begun.exchange);
                return exchange_->answer_to(*this);
            }
            answer = std::move(begun.answer);
        }
        waiter_->on_answer(std::move(answer));  // It may end us.
    }

    AuthenticatorChain& chain_;
    const KeptCredentials credentials_;
    std::size_t next_;
    std::unique_ptr<broker::AuthExchange> exchange_;
    broker::AuthWaiter* waiter_ = nullptr;
};

}  // namespace

AuthBegun AuthenticatorChain::begin(const Credentials& credentials) {
    if (is_anonymous(credentials)) return last_.begin(credentials);
    std::size_t next = 0;
    const std::uint64_t changes = changes_.load();
    AuthBegun begun = ask(credentials, next, {.kind = Kind::unknown});
    if (begun.answer.kind == Kind::unknown) {  // Nobody was asked.
        if (changes % 2 == 0 && changes_.load() == changes) return last_.begin(credentials);
        return {AuthAnswer::refuse(mqtt::ReasonCode::server_busy, "the users are being changed"),
                nullptr};
    }
    if (begun.answer.kind != Kind::later || credentials.method) return begun;
    auto exchange = std::make_unique<ChainExchange>(*this, credentials, next);
    exchange->follow(std::move(begun.exchange));
    return {AuthAnswer::later(), std::move(exchange)};
}

bool AuthenticatorChain::is_anonymous(const Credentials& credentials) const {
    if (credentials.method || credentials.user_name) return false;
    return !credentials.password ||
           std::none_of(sources_.begin(), sources_.end(), [&](const UserSource* source) {
               return source->takes_no_name(credentials.realm);
           });
}

void AuthenticatorChain::inquire(const broker::Inquiry& inquiry,
                                 const broker::OnRuling& done) const {
    inquire(inquiry, 0, {}, done);
}

void AuthenticatorChain::inquire(const broker::Inquiry& inquiry, std::size_t next,
                                 const std::string& asked, const broker::OnRuling& done) const {
    const auto allow_anonymous = [&](std::string_view why, std::string remedy) {
        const bool may = inquiry.listener_allows_anonymous;
        done({.is_allowed = may,
              .because = fmt::format("{}, and allow_anonymous is {}", why, may),
              .remedy = may ? std::string() : std::move(remedy)});
    };
    if (!inquiry.user_name) {
        return allow_anonymous("there is no user name", "a user name, or allow_anonymous true");
    }
    while (next < sources_.size() && !sources_[next]->has_users(inquiry.realm)) ++next;
    if (next == sources_.size() && asked.empty()) {
        return allow_anonymous("no users are configured",
                               "a password_file, or allow_anonymous true");
    }
    if (next == sources_.size()) {
        return done(
            {.because = fmt::format("user '{}' is not known to {}", *inquiry.user_name, asked),
             .remedy = "a user of this name there"});
    }
    sources_[next]->inquire(inquiry, [this, inquiry, next, asked, done](const UserRuling& found) {
        if (!found.passes_on) return done(found.ruling);
        const std::string& name = found.ruling.because;
        inquire(inquiry, next + 1, asked.empty() ? name : asked + ", nor to " + name, done);
    });
}

// The first refusal is what the client is told.
AuthBegun AuthenticatorChain::ask(const Credentials& credentials, std::size_t& next,
                                  AuthAnswer refusal) {
    while (next < sources_.size()) {
        UserSource& source = *sources_[next++];
        if (!source.has_users(credentials.realm)) continue;
        AuthBegun begun = source.begin(credentials);
        if (begun.answer.kind != Kind::unknown) return begun;
        if (refusal.kind == Kind::unknown) refusal = std::move(begun.answer);
        refusal.kind = Kind::refused;
    }
    return {std::move(refusal), nullptr};
}

}  // namespace auth
