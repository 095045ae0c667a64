#include "auth/sql_source.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "auth/peer_address.h"

namespace auth {
namespace {

using base::LogType;
using broker::AuthAnswer;
using mqtt::ReasonCode;

constexpr std::size_t secret_bytes = 32;
constexpr std::uint64_t retry_ms = 5'000;
constexpr std::uint64_t sweep_interval_ms = 1'000;
constexpr std::uint64_t minute_ms = 60'000;

std::uint64_t now_ms() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

std::string key_of(const Digest& digest) {
    return std::string(base::as_text(digest));
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

SqlUser read_row(const SqlTable& table, const std::vector<SqlTable::Cell>& row) {
    SqlUser user;
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

SqlSource::SqlSource(SqlSettings settings, base::Log& log, LateAnswers::Post post)
    : settings_(std::move(settings)),
      log_(log),
      secret_(random_bytes(secret_bytes)),
      database_(settings_.server, settings_.workers, settings_.name, log, std::move(post)) {}

broker::AuthBegun SqlSource::begin(const broker::Credentials& credentials) {
    logins_.fetch_add(1, std::memory_order_relaxed);
    Attempt attempt = attempt_of(credentials);
    if (is_cached(credentials, attempt)) {
        cached_.fetch_add(1, std::memory_order_relaxed);
        return {AuthAnswer::accept(), nullptr};
    }
    if (is_known_as_wrong(attempt)) {
        refused_by_cache_.fetch_add(1, std::memory_order_relaxed);
        return {AuthAnswer::pass_on(), nullptr};
    }
    return database_.begin(credentials.shard,
                           [this, attempt = std::move(attempt)](std::size_t worker) {
                               return log_in(worker, attempt);
                           });
}

SqlSource::Attempt SqlSource::attempt_of(const broker::Credentials& credentials) const {
    Attempt attempt;
    attempt.values.user_name = *credentials.user_name;
    attempt.values.client_id = credentials.client_id;
    attempt.values.peer_host = host_of(credentials.peer);
    attempt.realm = credentials.realm;
    if (credentials.password) attempt.password = base::as_text(*credentials.password);
    attempt.digest = hmac_sha256(secret_, base::as_bytes(attempt.password));
    // No name has a NUL in it.
    std::string all = attempt.values.user_name + '\0' + attempt.password + '\0';
    if (settings_.user_query.asks_for(SqlArgument::client_id)) all += credentials.client_id;
    all += '\0';
    if (settings_.user_query.asks_for(SqlArgument::peer_host)) all += attempt.values.peer_host;
    attempt.negative = hmac_sha256(secret_, base::as_bytes(all));
    return attempt;
}

bool SqlSource::is_cached(const broker::Credentials& credentials, const Attempt& attempt) const {
    if (settings_.cache_ms == 0) return false;
    const auto known = rights_.find(credentials.client_id, *credentials.user_name);
    return known && known->realm == attempt.realm && known->peer_host == attempt.values.peer_host &&
           is_equal_secret(known->password, attempt.digest) &&
           now_ms() - known->read_ms <= settings_.cache_ms;
}

bool SqlSource::is_known_as_wrong(const Attempt& attempt) {
    return negative_.with([&](const WrongLogins& wrong) {
        const auto found = wrong.expiries.find(key_of(attempt.negative));
        return found != wrong.expiries.end() && now_ms() < found->second;
    });
}

AuthAnswer SqlSource::log_in(std::size_t worker, const Attempt& attempt) {
    const auto user = read_user(worker, attempt.values);
    if (!user) return answer_to_trouble(attempt);
    // A name that there is not takes as long as another.
    const auto [hash, salt] = decoy_.with([](const auto& decoy) { return decoy; });
    const PasswordMatch match =
        check(*user ? **user : SqlUser{.hash = hash, .salt = salt}, attempt);
    if (!*user) return refuse(attempt);
    if (match == PasswordMatch::unreadable) {
        warn(fmt::format("the password hash of user '{}' is of no kind that is known",
                         attempt.values.user_name));
    }
    if (match != PasswordMatch::right) return refuse(attempt);
    decoy_.with([&](auto& decoy) { decoy = {(*user)->hash, (*user)->salt}; });
    return admit(worker, attempt, **user);
}

PasswordMatch SqlSource::check(const SqlUser& user, const Attempt& attempt) {
    return verify_password({user.hash, user.salt, settings_.may_be_plain}, attempt.password);
}

// The password is right.
AuthAnswer SqlSource::admit(std::size_t worker, const Attempt& attempt, SqlUser user) {
    const SqlValues& values = attempt.values;
    if (!user.is_enabled) {
        return AuthAnswer::refuse(ReasonCode::not_authorized, "the user is not enabled");
    }
    if (user.client_id && *user.client_id != values.client_id) {
        return AuthAnswer::refuse(ReasonCode::not_authorized,
                                  "the user may have another client id only");
    }
    auto rules = read_rules(worker, user, values);
    if (!rules) return answer_to_trouble(attempt);
    const std::uint64_t now = now_ms();
    SqlLogin login{.user_name = values.user_name,
                   .realm = attempt.realm,
                   .peer_host = values.peer_host,
                   .password = attempt.digest,
                   .user = std::move(user),
                   .read_ms = now};
    if (!rights_.put(values.client_id, std::move(login), std::move(*rules), now, settings_.rules)) {
        return AuthAnswer::refuse(ReasonCode::server_busy, "too many clients are known");
    }
    return AuthAnswer::accept();
}

AuthAnswer SqlSource::refuse(const Attempt& attempt) {
    if (settings_.negative_cache_ms == 0) return AuthAnswer::pass_on();
    const std::uint64_t now = now_ms();
    negative_.with([&](WrongLogins& wrong) {
        const auto is_over = [&](const auto& each) { return each.second <= now; };
        if (wrong.expiries.size() >= negative_max && wrong.next_sweep_ms <= now) {
            std::erase_if(wrong.expiries, is_over);
            wrong.next_sweep_ms = now + sweep_interval_ms;
        }
        if (wrong.expiries.size() >= negative_max) return;
        wrong.expiries[key_of(attempt.negative)] = now + settings_.negative_cache_ms;
    });
    return AuthAnswer::pass_on();
}

AuthAnswer SqlSource::answer_to_trouble(const Attempt& attempt) {
    const auto known = rights_.find(attempt.values.client_id, attempt.values.user_name);
    const bool is_the_same = known && known->realm == attempt.realm && known->read_ms != 0 &&
                             (is_equal_secret(known->password, attempt.digest) ||
                              check(known->user, attempt) == PasswordMatch::right);
    const bool is_young_enough =
        settings_.on_error == SqlSettings::OnError::stale ||
        (known && now_ms() - known->read_ms <= settings_.cache_ms + settings_.rules.stale_ms);
    if (is_the_same && is_young_enough) {
        stale_.fetch_add(1, std::memory_order_relaxed);
        return AuthAnswer::accept();
    }
    constexpr const char* why = "the database of users does not answer";
    if (settings_.on_error == SqlSettings::OnError::next) return AuthAnswer::pass_on(why);
    return AuthAnswer::refuse(ReasonCode::server_unavailable, why);
}

base::Result<std::optional<SqlUser>, std::string> SqlSource::read_user(std::size_t worker,
                                                                       const SqlValues& values) {
    const auto table = database_.query(worker, settings_.user_query, values);
    if (!table) return base::fail(table.error());
    if (table->rows.empty()) return std::optional<SqlUser>();
    // Some databases take "Ann", or "ann ", for "ann".
    const auto name = table->find(table->rows.front(), "username");
    if (name && *name != values.user_name) return std::optional<SqlUser>();
    SqlUser user = read_row(*table, table->rows.front());
    if (!settings_.super_query.is_empty()) {
        const auto super = database_.query(worker, settings_.super_query, values);
        if (!super) return base::fail(super.error());
        user.is_super = !super->rows.empty() && is_true(super->rows.front().front());
    }
    if (!settings_.super_pattern.empty()) {
        user.is_super = user.is_super ||
                        fnmatch(settings_.super_pattern.c_str(), values.user_name.c_str(), 0) == 0;
    }
    return std::optional<SqlUser>(std::move(user));
}

base::Result<SqlRules, std::string> SqlSource::read_rules(std::size_t worker, const SqlUser& user,
                                                          const SqlValues& values) {
    if (user.is_super || !has_rules()) return SqlRules::everything();
    if (settings_.rule_query.is_empty()) return SqlRules();
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
    SqlRules rules;
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

SqlRights::Verdict SqlSource::judge(const broker::AccessRequest& request) {
    const auto answer = rights_.judge(request, now_ms(), settings_.rules);
    const bool is_known = answer.verdict != SqlRights::Verdict::unknown;
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
    const auto known = rights_.find(client_id, user_name);
    SqlValues values{.user_name = user_name, .client_id = client_id};
    if (known) values.peer_host = known->peer_host;
    const bool is_posted = database_.post([this, values](std::size_t worker) {
        read_again_now(worker, values);
        pending_.with([&](auto& pending) { pending.erase(values.client_id); });
    });
    if (is_posted) return;
    rights_.keep_rules(client_id, now_ms(), retry_ms);
    pending_.with([&](auto& pending) { pending.erase(client_id); });
}

void SqlSource::read_again_now(std::size_t worker, const SqlValues& values) {
    const auto user = read_user(worker, values);
    if (!user) return rights_.keep_rules(values.client_id, now_ms(), retry_ms);
    const bool may_be_here = *user && (*user)->is_enabled;
    auto rules = may_be_here ? read_rules(worker, **user, values)
                             : base::Result<SqlRules, std::string>(SqlRules());
    if (!rules) return rights_.keep_rules(values.client_id, now_ms(), retry_ms);
    if (rights_.find(values.client_id, values.user_name)) {
        return rights_.put_rules(values.client_id, values.user_name, std::move(*rules), now_ms());
    }
    // It is no login: no password fits it.
    SqlLogin stranger{.user_name = values.user_name};
    (void)rights_.put(values.client_id, std::move(stranger), std::move(*rules), now_ms(),
                      settings_.rules);
}

// What rows or clients may cause again and again is said once a minute.
void SqlSource::warn(const std::string& sentence) {
    std::uint64_t last = warned_ms_.load();
    const std::uint64_t now = now_ms();
    if (last != 0 && now < last + minute_ms) return;
    if (!warned_ms_.compare_exchange_strong(last, now)) return;
    log_.print(LogType::warning, "Warning: database {}: {}.", settings_.name, sentence);
}

SqlSource::Figures SqlSource::figures() const {
    return {.logins = logins_.load(),
            .cached = cached_.load(),
            .negative = refused_by_cache_.load(),
            .stale = stale_.load(),
            .clients = rights_.size()};
}

}  // namespace auth
