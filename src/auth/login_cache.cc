#include "auth/login_cache.h"

#include <utility>

#include "auth/peer_address.h"
#include "auth/steady_time.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using mqtt::ReasonCode;

constexpr std::size_t secret_bytes = 32;
constexpr std::uint64_t sweep_interval_ms = 1'000;
constexpr std::uint64_t second_ms = 1'000;

std::string key_of(const Digest& digest) {
    return std::string(base::as_text(digest));
}

bool has_ended(const KnownLogin& known, std::uint64_t now_ms) {
    return known.ends_ms != 0 && known.ends_ms <= now_ms;
}

// It has not ended.
AuthAnswer accept(const KnownLogin& known, std::uint64_t now_ms) {
    AuthAnswer answer = AuthAnswer::accept();
    answer.granted = known.granted;
    if (known.ends_ms != 0) {
        answer.lasts_s =
            static_cast<std::uint32_t>((known.ends_ms - now_ms + second_ms - 1) / second_ms);
    }
    return answer;
}

LoginHeritage completed(LoginHeritage heritage) {
    if (!heritage.clients) {
        heritage.clients = base::Ref<KnownClients>::adopt(new KnownClients);
        heritage.secret = random_bytes(secret_bytes);
        heritage.origin = 0;
    }
    if (heritage.origin == 0) heritage.origin = heritage.clients->new_origin();
    return heritage;
}

}  // namespace

LoginCache::LoginCache(const Settings& settings, LoginHeritage heritage)
    : settings_(settings),
      known_(completed(std::move(heritage))),
      no_password_(digest(random_bytes(secret_bytes))) {}

LoginAttempt LoginCache::attempt_of(const broker::Credentials& credentials) const {
    LoginAttempt attempt;
    attempt.user_name = *credentials.user_name;
    attempt.client_id = credentials.client_id;
    attempt.peer_host = host_of(credentials.peer);
    attempt.realm = credentials.realm;
    attempt.password_digest = no_password_;
    if (credentials.password) {
        attempt.password = base::as_text(*credentials.password);
        attempt.password_digest = digest(*credentials.password);
    }
    return attempt;
}

std::optional<AuthAnswer> LoginCache::find(const LoginAttempt& attempt) {
    logins_.fetch_add(1, std::memory_order_relaxed);
    if (auto admitted = find_admitted(attempt)) {
        cached_.fetch_add(1, std::memory_order_relaxed);
        return admitted;
    }
    auto refused = find_refused(attempt);
    if (refused) negative_.fetch_add(1, std::memory_order_relaxed);
    return refused;
}

std::optional<AuthAnswer> LoginCache::find_admitted(const LoginAttempt& attempt) const {
    if (settings_.cache_ms == 0) return std::nullopt;
    const auto known = known_.clients->find(attempt.client_id, attempt.user_name);
    const bool is_the_same =
        known && known->origin == known_.origin && known->realm == attempt.realm &&
        known->listener_port == attempt.listener_port && known->peer_host == attempt.peer_host &&
        is_equal_secret(known->password, attempt.password_digest);
    const std::uint64_t now_ms = steady_ms();
    const bool is_fresh = known && now_ms - known->read_ms <= settings_.cache_ms;
    if (!is_the_same || !is_fresh || has_ended(*known, now_ms)) return std::nullopt;
    return accept(*known, now_ms);
}

std::optional<AuthAnswer> LoginCache::find_refused(const LoginAttempt& attempt) {
    return refusals_.with([&](const Refusals& refusals) -> std::optional<AuthAnswer> {
        const auto found = refusals.by_attempt.find(key_of(attempt.asked));
        if (found == refusals.by_attempt.end() || found->second.until_ms <= steady_ms()) {
            return std::nullopt;
        }
        AuthAnswer answer = AuthAnswer::pass_on();
        answer.kind = found->second.kind;
        return answer;
    });
}

bool LoginCache::admit(const LoginAttempt& attempt, KnownUser user, TopicRules rules,
                       const AuthAnswer& answer) {
    const std::uint64_t now_ms = steady_ms();
    KnownLogin login{.origin = known_.origin,
                     .user_name = attempt.user_name,
                     .realm = attempt.realm,
                     .listener_port = attempt.listener_port,
                     .peer_host = attempt.peer_host,
                     .password = attempt.password_digest,
                     .user = std::move(user),
                     .granted = answer.granted,
                     .ends_ms = answer.lasts_s == 0 ? 0 : now_ms + answer.lasts_s * second_ms,
                     .read_ms = now_ms};
    return known_.clients->put(attempt.client_id, std::move(login), std::move(rules), now_ms,
                               settings_.rules);
}

AuthAnswer LoginCache::refuse(const LoginAttempt& attempt, AuthAnswer answer) {
    // What was said before is said no more, and must not hold while nobody answers.
    known_.clients->forget_login(attempt.client_id, attempt.user_name, attempt.password_digest);
    if (settings_.negative_cache_ms == 0) return answer;
    const std::uint64_t now_ms = steady_ms();
    refusals_.with([&](Refusals& refusals) {
        if (!has_room(refusals, now_ms)) return;
        refusals.by_attempt[key_of(attempt.asked)] = {now_ms + settings_.negative_cache_ms,
                                                      answer.kind};
    });
    return answer;
}

bool LoginCache::has_room(Refusals& refusals, std::uint64_t now_ms) {
    auto& known = refusals.by_attempt;
    if (known.size() < negative_max) return true;
    if (refusals.next_sweep_ms > now_ms) return false;
    std::erase_if(known, [&](const auto& each) { return each.second.until_ms <= now_ms; });
    refusals.next_sweep_ms = now_ms + sweep_interval_ms;
    return known.size() < negative_max;
}

AuthAnswer LoginCache::answer_to_trouble(const LoginAttempt& attempt, const char* why,
                                         const std::function<bool(const KnownUser&)>& fits) {
    const auto known = known_.clients->find(attempt.client_id, attempt.user_name);
    const bool is_the_same =
        known && known->origin == known_.origin && known->realm == attempt.realm &&
        known->read_ms != 0 &&
        (is_equal_secret(known->password, attempt.password_digest) || (fits && fits(known->user)));
    const std::uint64_t now_ms = steady_ms();
    const bool is_young_enough =
        settings_.on_error == OnError::stale ||
        (known && now_ms - known->read_ms <= settings_.cache_ms + settings_.rules.stale_ms);
    if (is_the_same && is_young_enough && !has_ended(*known, now_ms)) {
        stale_.fetch_add(1, std::memory_order_relaxed);
        return accept(*known, now_ms);
    }
    if (settings_.on_error == OnError::next) return AuthAnswer::pass_on(why);
    return AuthAnswer::refuse(ReasonCode::server_unavailable, why);
}

LoginCache::Figures LoginCache::figures() const {
    return {.logins = logins_.load(),
            .cached = cached_.load(),
            .negative = negative_.load(),
            .stale = stale_.load(),
            .clients = known_.clients->size()};
}

}  // namespace auth
