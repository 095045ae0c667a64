// The users of one database, and what they may do.
//
// A login reads the user's row, checks the password against the hash in it, and reads the rules, on
// a worker's thread. What came of it answers for the next logins of that client for a while
// (cache), and for its messages (SqlRights), whose rules are read again in the background. A wrong
// name or password is remembered, too, but shorter.
//
// When the database fails, an answer of before that is not too old counts; else `on_error` says
// what becomes of the login.
//
// Owned by SqlUsers. Threads: begin() and judge() by each shard; the rest on workers. Limits:
// SqlDatabase's queue, SqlRights' entries, negative_max wrong logins, pending_max clients whose
// rules are being read.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "auth/password_hash.h"
#include "auth/sql_database.h"
#include "auth/sql_rights.h"

namespace auth {

struct SqlSettings {
    enum class OnError : std::uint8_t { deny, next, stale };
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
    std::uint64_t cache_ms = 30'000;
    std::uint64_t negative_cache_ms = 5'000;
    SqlRights::Times rules{};  // Its stale_ms is for logins, too.
    OnError on_error = OnError::deny;
};

class SqlSource {
public:
    static constexpr std::size_t negative_max = 10'000;
    static constexpr std::size_t pending_max = 10'000;

    struct Figures {
        std::uint64_t logins = 0;
        std::uint64_t cached = 0;    // Of them, without the database.
        std::uint64_t negative = 0;  // Refused without the database.
        std::uint64_t stale = 0;     // Let in by an old answer, since the database failed.
        std::size_t clients = 0;
    };

    SqlSource(SqlSettings settings, base::Log& log, LateAnswers::Post post);

    // Credentials with a name and without a method.
    broker::AuthBegun begin(const broker::Credentials& credentials);
    bool has_rules() const { return settings_.needs_rules || !settings_.rule_query.is_empty(); }
    // Never waits. `unknown` if the client did not come in by this database.
    SqlRights::Verdict judge(const broker::AccessRequest& request);
    // Has the rules of a client read that did not come in by us, for its next request.
    void look_up(const broker::AccessRequest& request);
    std::string explain(const broker::AccessRequest& request) const {
        return rights_.explain(request);
    }

    void finish() { database_.finish(); }
    SqlDatabase& database() { return database_; }
    Figures figures() const;

    // For tools: what the database says about a user. Nothing: there is none.
    base::Result<std::optional<SqlUser>, std::string> read_user(std::size_t worker,
                                                                const SqlValues& values);
    base::Result<SqlRules, std::string> read_rules(std::size_t worker, const SqlUser& user,
                                                   const SqlValues& values);

private:
    struct Attempt {
        SqlValues values{};
        std::string password{};
        Digest digest{};    // Of the password.
        Digest negative{};  // Of all that the answer depends on.
        std::uint32_t realm = 0;
    };
    struct WrongLogins {
        std::unordered_map<std::string, std::uint64_t> expiries;
        std::uint64_t next_sweep_ms = 0;  // For while it is full.
    };

    Attempt attempt_of(const broker::Credentials& credentials) const;
    bool is_cached(const broker::Credentials& credentials, const Attempt& attempt) const;
    bool is_known_as_wrong(const Attempt& attempt);
    broker::AuthAnswer log_in(std::size_t worker, const Attempt& attempt);
    broker::AuthAnswer admit(std::size_t worker, const Attempt& attempt, SqlUser user);
    broker::AuthAnswer refuse(const Attempt& attempt);
    broker::AuthAnswer answer_to_trouble(const Attempt& attempt);
    PasswordMatch check(const SqlUser& user, const Attempt& attempt);
    void read_again(const std::string& client_id, const std::string& user_name);
    void read_again_now(std::size_t worker, const SqlValues& values);
    void warn(const std::string& sentence);

    const SqlSettings settings_;
    base::Log& log_;
    const std::vector<std::uint8_t> secret_;
    SqlRights rights_;
    base::Guarded<WrongLogins> negative_;
    base::Guarded<std::unordered_set<std::string>> pending_;
    base::Guarded<std::pair<std::string, std::string>> decoy_;  // A hash and its salt.
    std::atomic<std::uint64_t> warned_ms_{0};
    std::atomic<std::uint64_t> logins_{0};
    std::atomic<std::uint64_t> cached_{0};
    std::atomic<std::uint64_t> refused_by_cache_{0};
    std::atomic<std::uint64_t> stale_{0};
    SqlDatabase database_;  // Ends its workers first.
};

}  // namespace auth
