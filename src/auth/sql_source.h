// The users of one database, and what they may do.
//
// A login reads the user's row, checks the password against the hash in it, and reads the rules, on
// a worker's thread. What came of it answers for the next logins of that client for a while
// (LoginCache), and for its messages (KnownClients), whose rules are read again in the background.
//
// Owned by SqlUsers. Threads: begin() and judge() by each shard; the rest on workers. Limits:
// SqlDatabase's queue, what LoginCache keeps, pending_max clients whose rules are being read.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "auth/login_cache.h"
#include "auth/password_hash.h"
#include "auth/sql_database.h"
#include "auth/user_source.h"

namespace auth {

struct SqlSettings {
    // What a rule query that asks for the access is asked with.
    enum class AccessNumbers : std::uint8_t {
        go_auth,    // 1 receive, 2 publish, 4 subscribe.
        auth_plug,  // 1 receive and subscribe, 2 publish.
    };

    std::string name{};  // For the log.
    SqlServer server{};
    std::size_t workers = 8;
    SqlQuery user_query{};
    SqlQuery super_query{};    // May be empty: the user's row says it, or nobody is.
    SqlQuery rule_query{};     // May be empty: who is in may do everything.
    bool needs_rules = false;  // Or, without that query, nothing.
    AccessNumbers access_numbers = AccessNumbers::go_auth;
    std::string super_pattern{};  // As fnmatch() has it.
    bool may_be_plain = false;
    LoginCache::Settings logins{};
};

class SqlSource {
public:
    static constexpr std::size_t pending_max = 10'000;

    SqlSource(SqlSettings settings, base::Log& log, LateAnswers::Post post,
              LoginHeritage heritage = {});
    // For who takes our place. Of other users it is the rules, until they have been read anew.
    LoginHeritage heritage(bool has_same_users) const { return logins_.heritage(has_same_users); }

    // Credentials with a name and without a method.
    broker::AuthBegun begin(const broker::Credentials& credentials);
    bool has_rules() const { return settings_.needs_rules || !settings_.rule_query.is_empty(); }
    // Never waits. `unknown` if the client did not come in by this database.
    KnownClients::Verdict judge(const broker::AccessRequest& request);
    // Has the rules of a client read that did not come in by us, for its next request.
    void look_up(const broker::AccessRequest& request);
    std::string explain(const broker::AccessRequest& request) const {
        return logins_.clients().explain(request);
    }

    // For people, by what the database says now; see UserSource and Authorizer.
    void inquire_user(const broker::Inquiry& inquiry, const OnUserRuling& done);
    void inquire_rights(const broker::Inquiry& inquiry, const broker::OnRuling& done);

    void finish() { database_.finish(); }
    SqlDatabase& database() { return database_; }
    LoginCache::Figures figures() const { return logins_.figures(); }

    // For tools: what the database says about a user. Nothing: there is none.
    base::Result<std::optional<KnownUser>, std::string> read_user(std::size_t worker,
                                                                  const SqlValues& values);
    base::Result<TopicRules, std::string> read_rules(std::size_t worker, const KnownUser& user,
                                                     const SqlValues& values);

private:
    UserRuling rule_on_user(std::size_t worker, const broker::Inquiry& inquiry);
    broker::Ruling rule_on_rights(std::size_t worker, const broker::Inquiry& inquiry);
    LoginAttempt attempt_of(const broker::Credentials& credentials) const;
    broker::AuthAnswer log_in(std::size_t worker, const LoginAttempt& attempt);
    broker::AuthAnswer admit(std::size_t worker, const LoginAttempt& attempt, KnownUser user);
    broker::AuthAnswer answer_to_trouble(const LoginAttempt& attempt);
    PasswordMatch check(const KnownUser& user, const LoginAttempt& attempt);
    void read_again(const std::string& client_id, const std::string& user_name);
    void read_again_now(std::size_t worker, const SqlValues& values);
    void warn(const std::string& sentence);

    const SqlSettings settings_;
    base::Log& log_;
    LoginCache logins_;
    base::Guarded<std::unordered_set<std::string>> pending_;
    base::Guarded<std::pair<std::string, std::string>> decoy_;  // A hash and its salt.
    std::atomic<std::uint64_t> warned_ms_{0};
    SqlDatabase database_;  // Ends its workers first.
};

}  // namespace auth
