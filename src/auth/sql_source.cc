#include "auth/sql_source.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <initializer_list>

#include "auth/steady_time.h"

namespace auth {
namespace {

using base::LogType;
using broker::AuthAnswer;
using mqtt::ReasonCode;

constexpr std::uint64_t retry_ms = 5'000;
constexpr std::uint64_t minute_ms = 60'000;

SqlValues values_of(const LoginAttempt& attempt) {
    return {.user_name = attempt.user_name,
            .client_id = attempt.client_id,
            .peer_host = attempt.peer_host};
}

SqlTable::Cell first_of(const SqlTable& table, const std::vector<SqlTable::Cell>& row,
                        std::initializer_list<std::string_view> columns) {
    for (const std::string_view column : columns) {
        if (auto cell = table.find(row, column)) return cell;
    }
    return std::nullopt;
}

// What databases and people call true: 1, a count, t, true, yes.
bool is_true(const SqlTable::Cell& cell) {
    if (!cell || cell->empty()) return false;
    const char first = cell->front();
    return (first >= '1' && first <= '9') || first == 't' || first == 'T' || first == 'y' ||
           first == 'Y';
}

KnownUser read_row(const SqlTable& table, const std::vector<SqlTable::Cell>& row) {
    KnownUser user;
    const auto hash = first_of(table, row, {"password_hash", "password", "pw"});
    user.hash = hash ? *hash : row.front().value_or("");
    user.salt = table.find(row, "salt").value_or("");
    user.is_super = is_true(first_of(table, row, {"is_superuser", "superuser", "super"}));
    const auto enabled = first_of(table, row, {"enabled", "is_enabled"});
    user.is_enabled = !enabled || is_true(enabled);
    user.client_id = first_of(table, row, {"clientid", "client_id"});
    if (user.client_id && user.client_id->empty()) user.client_id.reset();
    return user;
}

RuleRow read_rule(const SqlTable& table, const std::vector<SqlTable::Cell>& row) {
    const auto topic = table.find(row, "topic");
    return {.topic = topic ? *topic : row.front().value_or(""),
            .permission = table.find(row, "permission"),
            .action = first_of(table, row, {"action", "rw"}),
            .user_name = table.find(row, "username"),
            .client_id = first_of(table, row, {"clientid", "client_id"}),
            .ip_address = first_of(table, row, {"ipaddress", "ipaddr"}),
            .qos = table.find(row, "qos"),
            .retain = table.find(row, "retain")};
}

}  // namespace

SqlSource::SqlSource(SqlSettings settings, base::Log& log, LateAnswers::Post post,
                     LoginHeritage heritage)
    : settings_(std::move(settings)),
      log_(log),
      logins_(settings_.logins, std::move(heritage)),
      database_(settings_.server, settings_.workers, settings_.name, log, std::move(post)) {}

broker::AuthBegun SqlSource::begin(const broker::Credentials& credentials) {
    LoginAttempt attempt = attempt_of(credentials);
    if (auto known = logins_.find(attempt)) return {std::move(*known), nullptr};
    return database_.begin(credentials.shard,
                           [this, attempt = std::move(attempt)](std::size_t worker) {
                               return log_in(worker, attempt);
                           });
}

LoginAttempt SqlSource::attempt_of(const broker::Credentials& credentials) const {
    LoginAttempt attempt = logins_.attempt_of(credentials);
    // No name has a NUL in it.
    std::string all = attempt.user_name + '\0' + attempt.password + '\0';
    if (settings_.user_query.asks_for(SqlArgument::client_id)) all += attempt.client_id;
    all += '\0';
    if (settings_.user_query.asks_for(SqlArgument::peer_host)) all += attempt.peer_host;
    attempt.asked = logins_.digest(base::as_bytes(all));
    return attempt;
}

AuthAnswer SqlSource::log_in(std::size_t worker, const LoginAttempt& attempt) {
    const auto user = read_user(worker, values_of(attempt));
    if (!user) return answer_to_trouble(attempt);
    // A name that there is not takes as long as another.
    const auto [hash, salt] = decoy_.with([](const auto& decoy) { return decoy; });
    const PasswordMatch match =
        check(*user ? **user : KnownUser{.hash = hash, .salt = salt}, attempt);
    if (!*user) return logins_.refuse(attempt, AuthAnswer::pass_on());
    if (match == PasswordMatch::unreadable) {
        warn(fmt::format("the password hash of user '{}' is of no kind that is known",
                         attempt.user_name));
    }
    if (match != PasswordMatch::right) return logins_.refuse(attempt, AuthAnswer::pass_on());
    decoy_.with([&](auto& decoy) { decoy = {(*user)->hash, (*user)->salt}; });
    return admit(worker, attempt, **user);
}

PasswordMatch SqlSource::check(const KnownUser& user, const LoginAttempt& attempt) {
    return verify_password({user.hash, user.salt, settings_.may_be_plain}, attempt.password);
}

// The password is right.
AuthAnswer SqlSource::admit(std::size_t worker, const LoginAttempt& attempt, KnownUser user) {
    if (!user.is_enabled) {
        logins_.clients().forget_login(attempt.client_id, attempt.user_name,
                                       attempt.password_digest);
        return AuthAnswer::refuse(ReasonCode::not_authorized, "the user is not enabled");
    }
    if (user.client_id && *user.client_id != attempt.client_id) {
        return AuthAnswer::refuse(ReasonCode::not_authorized,
                                  "the user may have another client id only");
    }
    auto rules = read_rules(worker, user, values_of(attempt));
    if (!rules) return answer_to_trouble(attempt);
    AuthAnswer answer = AuthAnswer::accept();
    if (!logins_.admit(attempt, std::move(user), std::move(*rules), answer)) {
        return AuthAnswer::refuse(ReasonCode::server_busy, "too many clients are known");
    }
    return answer;
}

AuthAnswer SqlSource::answer_to_trouble(const LoginAttempt& attempt) {
    return logins_.answer_to_trouble(
        attempt, "the database of users does not answer",
        [&](const KnownUser& user) { return check(user, attempt) == PasswordMatch::right; });
}

base::Result<std::optional<KnownUser>, std::string> SqlSource::read_user(std::size_t worker,
                                                                         const SqlValues& values) {
    const auto table = database_.query(worker, settings_.user_query, values);
    if (!table) return base::fail(table.error());
    if (table->rows.empty()) return std::optional<KnownUser>();
    // Some databases take "Ann", or "ann ", for "ann".
    const auto name = table->find(table->rows.front(), "username");
    if (name && *name != values.user_name) return std::optional<KnownUser>();
    KnownUser user = read_row(*table, table->rows.front());
    if (!settings_.super_query.is_empty()) {
        const auto super = database_.query(worker, settings_.super_query, values);
        if (!super) return base::fail(super.error());
        user.is_super = !super->rows.empty() && is_true(super->rows.front().front());
    }
    if (!settings_.super_pattern.empty()) {
        user.is_super = user.is_super ||
                        fnmatch(settings_.super_pattern.c_str(), values.user_name.c_str(), 0) == 0;
    }
    return std::optional<KnownUser>(std::move(user));
}

base::Result<TopicRules, std::string> SqlSource::read_rules(std::size_t worker,
                                                            const KnownUser& user,
                                                            const SqlValues& values) {
    if (user.is_super || !has_rules()) return TopicRules::everything();
    if (settings_.rule_query.is_empty()) return TopicRules();
    struct Asked {
        int number;
        std::uint8_t access;
    };
    constexpr Asked plug[] = {{1, rule_receive | rule_subscribe}, {2, rule_publish}};
    constexpr Asked go[] = {{1, rule_receive}, {2, rule_publish}, {4, rule_subscribe}};
    constexpr Asked once[] = {{0, rule_all}};
    std::span<const Asked> asked = once;
    if (settings_.rule_query.asks_for(SqlArgument::access)) {
        const bool is_plug = settings_.access_numbers == SqlSettings::AccessNumbers::auth_plug;
        asked = is_plug ? std::span<const Asked>(plug) : std::span<const Asked>(go);
    }
    TopicRules rules;
    const RuleSubject subject{values.user_name, values.client_id, values.peer_host};
    for (const Asked& each : asked) {
        SqlValues bound = values;
        bound.access = each.number;
        const auto table = database_.query(worker, settings_.rule_query, bound);
        if (!table) return base::fail(table.error());
        for (const auto& row : table->rows) {
            const auto added = rules.add(read_rule(*table, row), subject, each.access);
            if (!added) warn(fmt::format("a row of {}: {}", values.user_name, added.error()));
        }
    }
    return rules;
}

KnownClients::Verdict SqlSource::judge(const broker::AccessRequest& request) {
    const auto answer =
        logins_.clients().judge(request, steady_ms(), settings_.logins.rules, logins_.origin());
    const bool is_known = answer.verdict != KnownClients::Verdict::unknown;
    if (is_known && answer.is_stale) {
        read_again(std::string(request.client_id), std::string(request.user_name));
    }
    return answer.verdict;
}

void SqlSource::look_up(const broker::AccessRequest& request) {
    if (request.user_name.empty()) return;
    std::string client_id(request.client_id);
    const bool is_first = pending_.with([&](std::unordered_set<std::string>& pending) {
        return pending.size() < pending_max && pending.insert(client_id).second;
    });
    if (is_first) read_again(client_id, std::string(request.user_name));
}

// Nobody waits for it: if there is no room, the next request tries again.
void SqlSource::read_again(const std::string& client_id, const std::string& user_name) {
    const auto known = logins_.clients().find(client_id, user_name);
    SqlValues values{.user_name = user_name, .client_id = client_id};
    if (known) values.peer_host = known->peer_host;
    const bool is_posted = database_.post([this, values](std::size_t worker) {
        read_again_now(worker, values);
        pending_.with([&](auto& pending) { pending.erase(values.client_id); });
    });
    if (is_posted) return;
    logins_.clients().keep_rules(client_id, steady_ms(), retry_ms);
    pending_.with([&](auto& pending) { pending.erase(client_id); });
}

void SqlSource::read_again_now(std::size_t worker, const SqlValues& values) {
    const auto user = read_user(worker, values);
    if (!user) return logins_.clients().keep_rules(values.client_id, steady_ms(), retry_ms);
    const bool may_be_here = *user && (*user)->is_enabled;
    auto rules = may_be_here ? read_rules(worker, **user, values)
                             : base::Result<TopicRules, std::string>(TopicRules());
    if (!rules) return logins_.clients().keep_rules(values.client_id, steady_ms(), retry_ms);
    if (logins_.clients().find(values.client_id, values.user_name)) {
        return logins_.clients().put_rules(values.client_id, values.user_name, std::move(*rules),
                                           steady_ms(), logins_.origin());
    }
    // It is no login: no password fits it.
    KnownLogin stranger{.origin = logins_.origin(), .user_name = values.user_name};
    (void)logins_.clients().put(values.client_id, std::move(stranger), std::move(*rules),
                                steady_ms(), settings_.logins.rules);
}

// What rows or clients may cause again and again is said once a minute.
void SqlSource::warn(const std::string& sentence) {
    std::uint64_t last = warned_ms_.load();
    const std::uint64_t now = steady_ms();
    if (last != 0 && now < last + minute_ms) return;
    if (!warned_ms_.compare_exchange_strong(last, now)) return;
    log_.print(LogType::warning, "Warning: database {}: {}.", settings_.name, sentence);
}

}  // namespace auth
