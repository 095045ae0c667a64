#include "auth/http_source.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "auth/granted_rules.h"
#include "auth/steady_time.h"
#include "mqtt/utf8.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using mqtt::ReasonCode;

std::int64_t seconds_since_1970() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// Names and passwords are UTF-8 here, the only thing that JSON can say; what is not would be
// replaced, which does not throw.
std::string body_of(const LoginAttempt& attempt, bool has_password) {
    nlohmann::ordered_json body;
    body["username"] = attempt.user_name;
    body["password"] = nullptr;
    if (has_password) body["password"] = attempt.password;
    body["clientid"] = attempt.client_id;
    body["peerhost"] = attempt.peer_host;
    body["listener"] = attempt.listener_port;
    return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

HttpSource::HttpSource(HttpSettings settings, base::Log& log, LateAnswers::Post post,
                       LoginHeritage heritage, Ask ask)
    : has_rights_(settings.has_rights),
      logins_(settings.logins, std::move(heritage)),
      health_("service", std::move(settings.name), log),
      ask_(ask ? std::move(ask) : Ask([this](std::size_t worker, const std::string& body) {
          return connections_[worker]->post(body);
      })),
      pool_({.workers = settings.workers, .queue_max = queue_max}),
      late_(pool_, std::move(post)) {
    for (std::size_t i = 0; i < settings.workers; ++i) {
        connections_.push_back(std::make_unique<HttpConnection>(settings.service));
    }
}

broker::AuthBegun HttpSource::begin(const broker::Credentials& credentials) {
    Question question{.attempt = logins_.attempt_of(credentials)};
    LoginAttempt& attempt = question.attempt;
    attempt.listener_port = credentials.listener_port;
    if (!mqtt::is_valid_utf8_payload(attempt.password)) {
        return {AuthAnswer::pass_on("a password that is no text"), nullptr};
    }
    question.body = body_of(attempt, credentials.password.has_value());
    attempt.asked = logins_.digest(base::as_bytes(question.body));
    if (auto known = logins_.find(attempt)) return {std::move(*known), nullptr};
    return late_.begin(credentials.shard,
                       [this, question = std::move(question)](std::size_t worker) {
                           return log_in(worker, question);
                       });
}

AuthAnswer HttpSource::log_in(std::size_t worker, const Question& question) {
    const LoginAttempt& attempt = question.attempt;
    const std::uint64_t began_us = steady_us();
    if (!health_.may_ask(began_us)) return answer_to_trouble(attempt);
    const auto reply = ask_(worker, question.body);
    if (!reply && is_finishing_) {
        return AuthAnswer::refuse(ReasonCode::server_busy, "who knows the users has changed");
    }
    if (!reply) {
        health_.failed(began_us, reply.error().message, reply.error().is_lost);
        return answer_to_trouble(attempt);
    }
    HttpAnswer said =
        read_http_answer(*reply, {attempt.user_name, attempt.client_id, attempt.peer_host});
    if (said.kind == HttpAnswer::Kind::broken) {
        health_.failed(began_us, said.why, said.is_overloaded);
        return answer_to_trouble(attempt);
    }
    health_.answered(began_us);
    return answer_to(attempt, std::move(said));
}

AuthAnswer HttpSource::answer_to(const LoginAttempt& attempt, HttpAnswer said) {
    if (said.kind == HttpAnswer::Kind::ignore) {
        return logins_.refuse(attempt, AuthAnswer::pass_on());
    }
    const std::int64_t left_s =
        said.expires_s ? *said.expires_s - seconds_since_1970() : std::int64_t{0};
    if (said.kind != HttpAnswer::Kind::allow || (said.expires_s && left_s <= 0)) {
        return logins_.refuse(attempt, AuthAnswer::refuse(ReasonCode::not_authorized));
    }
    AuthAnswer answer = AuthAnswer::accept();
    constexpr std::int64_t longest_s = std::numeric_limits<std::uint32_t>::max();
    answer.lasts_s = static_cast<std::uint32_t>(std::min(left_s, longest_s));
    if (said.rules && has_rights_)
        answer.granted = GrantedRules::make("HTTP", std::move(*said.rules));
    // Without room it is asked for again next time.
    (void)logins_.admit(attempt, {}, {}, answer);
    return answer;
}

AuthAnswer HttpSource::answer_to_trouble(const LoginAttempt& attempt) {
    return logins_.answer_to_trouble(attempt, "the service that knows the users does not answer");
}

void HttpSource::finish() {
    is_finishing_ = true;
    for (const auto& connection : connections_) connection->abort();
    pool_.finish();
}

HttpSource::Figures HttpSource::figures() const {
    return {.logins = logins_.figures(),
            .server = health_.figures(),
            .refused = pool_.refused(),
            .waiting = pool_.waiting()};
}

}  // namespace auth
