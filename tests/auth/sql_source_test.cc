// On SQLite; where it is to fail, its file is moved away. Servers: tests/scenarios/sql_test.py.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <thread>

#include "auth/anonymous.h"
#include "auth/sql_users.h"
#include "support/fake_log.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using Kind = AuthAnswer::Kind;

class Source : public ::testing::Test, private broker::AuthWaiter {
protected:
    void SetUp() override {
        if (!has_sql) GTEST_SKIP() << "built without SOCI";
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        settings_.server = {.kind = SqlServer::Kind::sqlite, .database = folder_ + "/users.db"};
        settings_.workers = 1;
        settings_.may_be_plain = true;
        settings_.user_query = query("SELECT pw FROM u WHERE name = ?");
        settings_.rule_query = query("SELECT topic FROM r WHERE name = ?");
        change("CREATE TABLE u (name TEXT, pw TEXT)");
        change("CREATE TABLE r (name TEXT, topic TEXT)");
        change("INSERT INTO u VALUES ('ann', 'secret')");
        change("INSERT INTO r VALUES ('ann', 'a/#')");
    }
    void TearDown() override {
        source_.reset();
        std::filesystem::remove_all(folder_);
    }
    void start(LoginHeritage heritage = {}) {
        source_ = std::make_unique<SqlSource>(
            settings_, log_,
            [this](std::uint32_t, std::function<void()> task) {
                posted_.set_value(std::move(task));
            },
            std::move(heritage));
    }
    // For a database that is there no more.
    void lose() { settings_.server.database = folder_ + "/none/users.db"; }

    static SqlQuery query(std::string_view text) {
        constexpr SqlArgument asked[] = {SqlArgument::user_name, SqlArgument::access};
        return *SqlQuery::parse(text, asked);
    }
    void change(const std::string& text) {
        SqlConnection connection(settings_.server);
        const auto done = connection.execute(text);
        ASSERT_TRUE(done) << done.error().message;
    }
    AuthAnswer login(std::string_view user, std::string_view password,
                     std::string_view client_id = "c") {
        auto begun = source_->begin({.client_id = client_id,
                                     .user_name = user,
                                     .password = base::as_bytes(password),
                                     .peer = "127.0.0.1:1",
                                     .realm = 1});
        was_asked_ = begun.answer.kind == Kind::later;
        if (!was_asked_) return begun.answer;
        begun.exchange->answer_to(*this);
        posted_.get_future().get()();
        posted_ = {};
        return answer_;
    }
    KnownClients::Verdict may(std::string_view topic) {
        return source_->judge({.client_id = "c", .user_name = "ann", .topic = topic});
    }
    static std::string in_words(const broker::Ruling& ruling) {
        std::string text = ruling.is_allowed ? "" : "no: ";
        text += ruling.because;
        return ruling.remedy.empty() ? text : text + "; " + ruling.remedy;
    }
    // Answers at once, or by what is posted.
    void wait_for(const std::string& said) {
        if (!said.empty()) return;
        posted_.get_future().get()();
        posted_ = {};
    }
    std::string inquire_user(const char* user) {
        std::string said;
        source_->inquire_user({.user_name = user}, [&](const UserRuling& found) {
            said = in_words(found.ruling);
            if (found.passes_on) said.insert(4, "passes on: ");
        });
        wait_for(said);
        return said;
    }
    std::string inquire_rights(const char* user, const char* topic) {
        std::string said;
        source_->inquire_rights({.user_name = user, .topic = topic},
                                [&](const broker::Ruling& ruling) { said = in_words(ruling); });
        wait_for(said);
        return said;
    }
    void on_answer(AuthAnswer answer) override { answer_ = std::move(answer); }

    std::string folder_ = "/tmp/nightjar-sql-XXXXXX";
    support::FakeLog log_;
    SqlSettings settings_;
    std::unique_ptr<SqlSource> source_;
    std::promise<std::function<void()>> posted_;
    AuthAnswer answer_;
    bool was_asked_ = false;  // The database, for the last login.
};

TEST_F(Source, without_a_query_of_rules_allows_everything_or_nothing) {
    settings_.rule_query = {};
    for (const bool needs_rules : {false, true}) {
        settings_.needs_rules = needs_rules;
        start();
        ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
        EXPECT_EQ(source_->has_rules(), needs_rules);
        const auto want =
            needs_rules ? KnownClients::Verdict::forbidden : KnownClients::Verdict::allowed;
        EXPECT_EQ(may("a/b"), want);
    }
}

TEST_F(Source, a_login_is_let_in_again_without_a_query) {
    start();
    EXPECT_EQ(login("ann", "secret").kind, Kind::accepted);
    EXPECT_TRUE(was_asked_);
    EXPECT_EQ(login("ann", "secret").kind, Kind::accepted);
    EXPECT_FALSE(was_asked_);
    EXPECT_EQ(login("ann", "wrong").kind, Kind::unknown);
    EXPECT_TRUE(was_asked_);
    EXPECT_EQ(login("ann", "secret", "d").kind, Kind::accepted);
    EXPECT_TRUE(was_asked_);
    EXPECT_EQ(source_->figures().cached, 1U);
}

TEST_F(Source, a_wrong_login_is_refused_again_without_a_query) {
    start();
    for (const char* user : {"ann", "nobody"}) {
        EXPECT_EQ(login(user, "wrong").kind, Kind::unknown);
        EXPECT_TRUE(was_asked_) << user;
        EXPECT_EQ(login(user, "wrong", "another").kind, Kind::unknown);
        EXPECT_FALSE(was_asked_) << user;
    }
    EXPECT_EQ(login("ann", "secret").kind, Kind::accepted);
    EXPECT_EQ(source_->figures().negative, 2U);
}

TEST_F(Source, caches_may_be_off) {
    settings_.logins.cache_ms = settings_.logins.negative_cache_ms = 0;
    start();
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(login("ann", "secret").kind, Kind::accepted);
        EXPECT_TRUE(was_asked_);
        EXPECT_EQ(login("ann", "wrong").kind, Kind::unknown);
        EXPECT_TRUE(was_asked_);
    }
}

TEST_F(Source, the_rules_are_there_with_the_login) {
    start();
    EXPECT_EQ(may("a/b"), KnownClients::Verdict::unknown);
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    EXPECT_EQ(may("a/b"), KnownClients::Verdict::allowed);
    EXPECT_EQ(may("b"), KnownClients::Verdict::forbidden);
}

TEST_F(Source, says_which_row_decides) {
    change("CREATE TABLE w (username TEXT, pw TEXT, super INT, enabled INT, clientid TEXT)");
    change(
        "INSERT INTO w VALUES ('ann', 'x', 0, 1, NULL), ('root', 'x', 1, 1, NULL), "
        "('off', 'x', 0, 0, NULL), ('tied', 'x', 0, 1, 'its-own')");
    change("ALTER TABLE r ADD COLUMN permission TEXT");
    change("INSERT INTO r VALUES ('ann', 'a/secret', 'deny')");
    settings_.name = "db";
    settings_.user_query = query("SELECT * FROM w WHERE username = ?");
    settings_.rule_query = query("SELECT topic, permission FROM r WHERE name = ?");
    start();
    const std::tuple<const char*, const char*, const char*, const char*> rows[] = {
        {"ann", "a/b", "user 'ann' of database db, with the right password",
         "database db: allow a/#"},
        {"ann", "a/secret", "user 'ann' of database db, with the right password",
         "no: database db: deny a/secret; nothing, while the row that denies is there"},
        {"ann", "b", "user 'ann' of database db, with the right password",
         "no: database db: none of 2 rows; a row of the aclquery that allows publish of it; in the "
         "tables of nightjar sql init: nightjar sql grant 'ann' publish 'b'"},
        {"root", "b", "user 'root' of database db, a superuser, with the right password",
         "a superuser of database db"},
        {"off", "b",
         "no: user 'off' of database db is not enabled; a row whose column enabled "
         "says yes",
         "no: database db has no such user that is enabled; a row of the userquery"},
        {"tied", "b",
         "no: user 'tied' of database db may have the client id 'its-own' only; the "
         "client id 'its-own'",
         "no: database db: none of 0 rows; a row of the aclquery that "
         "allows publish of it; in the tables of nightjar sql init: nightjar sql grant 'tied' "
         "publish 'b'"},
        {"nobody", "b", "no: passes on: database db",
         "no: database db has no such user that is enabled; a row of the userquery"},
        {"", "b", "no: passes on: database db",
         "no: a client without a user name has no rows in the database; a user name"},
    };
    for (const auto& [user, topic, login, rights] : rows) {
        EXPECT_EQ(inquire_user(user), login) << user;
        EXPECT_EQ(inquire_rights(user, topic), rights) << user;
    }
}

TEST_F(Source, says_that_the_database_does_not_answer) {
    lose();
    settings_.name = "db";
    start();
    EXPECT_TRUE(inquire_user("ann").starts_with("no: database db: ")) << inquire_user("ann");
    EXPECT_TRUE(inquire_rights("ann", "a").starts_with("no: database db: "));
}

TEST_F(Source, without_a_database_and_an_answer_of_before_on_error_decides) {
    using OnError = LoginCache::OnError;
    const std::tuple<OnError, Kind> rows[] = {{OnError::deny, Kind::refused},
                                              {OnError::next, Kind::unknown},
                                              {OnError::stale, Kind::refused}};
    lose();
    for (const auto& [on_error, want] : rows) {
        settings_.logins.on_error = on_error;
        start();
        EXPECT_EQ(login("ann", "secret").kind, want);
    }
    EXPECT_EQ(answer_.reason, mqtt::ReasonCode::server_unavailable);
    EXPECT_EQ(source_->database().figures().server.errors, 1U);
}

TEST_F(Source, what_it_said_before_holds_while_it_fails) {
    settings_.logins.cache_ms = 0;
    start();
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    change("DROP TABLE u");
    EXPECT_EQ(login("ann", "secret").kind, Kind::accepted);
    EXPECT_EQ(source_->figures().stale, 1U);
    EXPECT_EQ(login("ann", "wrong").kind, Kind::refused);
    EXPECT_EQ(login("ann", "secret", "another").kind, Kind::refused);
    EXPECT_EQ(may("a/b"), KnownClients::Verdict::allowed);
}

TEST_F(Source, what_it_says_no_more_does_not_hold) {
    settings_.logins.cache_ms = settings_.logins.negative_cache_ms = 0;
    start();
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    change("UPDATE u SET pw = 'another'");
    ASSERT_EQ(login("ann", "secret").kind, Kind::unknown);
    change("DROP TABLE u");
    EXPECT_EQ(login("ann", "secret").kind, Kind::refused);
    EXPECT_EQ(may("a/b"), KnownClients::Verdict::allowed);
}

TEST_F(Source, an_error_that_it_answers_does_not_close_it) {
    settings_.logins.negative_cache_ms = 0;
    settings_.super_query = query("SELECT nothing FROM nowhere WHERE name = ?");
    start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(login("ann", "secret").kind, Kind::refused);
    EXPECT_EQ(source_->database().figures().server.not_asked, 0U);
    lose();
    start();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(login("ann", "secret").kind, Kind::refused);
    EXPECT_EQ(source_->database().figures().server.not_asked, 2U);
}

TEST_F(Source, a_successor_with_the_same_users_knows_who_was_let_in) {
    start();
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    lose();
    start(source_->heritage(true));
    EXPECT_EQ(login("ann", "secret").kind, Kind::accepted);
    EXPECT_FALSE(was_asked_);
    EXPECT_EQ(may("a/b"), KnownClients::Verdict::allowed);
    EXPECT_EQ(login("ann", "wrong").kind, Kind::refused);
}

TEST_F(Source, a_successor_with_other_users_lets_nobody_in_by_what_was_known) {
    for (const bool is_lost : {false, true}) {
        settings_.logins.on_error = LoginCache::OnError::stale;
        start();
        ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
        change("UPDATE u SET pw = 'another'");
        if (is_lost) lose();
        start(source_->heritage(false));
        EXPECT_EQ(login("ann", "secret").kind, is_lost ? Kind::refused : Kind::unknown);
        EXPECT_TRUE(was_asked_);
        if (!is_lost) change("UPDATE u SET pw = 'secret'");
    }
}

TEST_F(Source, a_successor_with_other_users_has_the_rules_read_again) {
    start();
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    change("UPDATE r SET topic = 'b/#'");
    start(source_->heritage(false));
    EXPECT_EQ(may("a/b"), KnownClients::Verdict::allowed);
    while (may("a/b") != KnownClients::Verdict::forbidden) std::this_thread::yield();
    EXPECT_EQ(may("b/b"), KnownClients::Verdict::allowed);
}

TEST_F(Source, rules_are_those_of_the_realm_and_without_one_of_all) {
    start();
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    NewSources<SqlSource> wanted;
    SqlUsers users;
    constexpr std::size_t none = RealmSources<SqlSource>::none;
    wanted.table = {{source_.get()}, {none, 0, none}};
    wanted.fresh.push_back(std::move(source_));
    EXPECT_TRUE(users.use(std::move(wanted)).is_empty());
    EXPECT_TRUE(users.has_users(1));
    EXPECT_FALSE(users.has_users(0) || users.has_users(2) || users.has_users(3));
    const auto may_in = [&](broker::Authorizer& others, std::uint32_t realm, const char* topic) {
        SqlAuthorizer rules(users, others);
        EXPECT_FALSE(rules.allows_everything());
        return rules.is_allowed(
            {.client_id = "c", .user_name = "ann", .topic = topic, .realm = realm});
    };
    OpenAuthorizer open;
    ClosedAuthorizer closed;
    EXPECT_TRUE(may_in(closed, 1, "a/b"));
    EXPECT_FALSE(may_in(open, 1, "b"));
    EXPECT_TRUE(may_in(open, 2, "b"));
    EXPECT_FALSE(may_in(closed, 2, "a/b"));
    EXPECT_TRUE(may_in(open, 0, "a/b"));
    EXPECT_FALSE(may_in(open, 0, "b"));
    EXPECT_FALSE(may_in(closed, 0, "a/b"));
}

TEST_F(Source, whose_rules_are_not_at_hand_may_if_it_need_not_be_here) {
    start();
    ASSERT_EQ(login("ann", "secret").kind, Kind::accepted);
    NewSources<SqlSource> wanted;
    wanted.table = {{source_.get()}, {RealmSources<SqlSource>::none, 0}};
    wanted.fresh.push_back(std::move(source_));
    SqlUsers users;
    users.use(std::move(wanted));
    OpenAuthorizer open;
    SqlAuthorizer rules(users, open);
    const auto may = [&](const char* client_id, std::uint32_t realm) {
        return rules.is_allowed({.client_id = client_id,
                                 .user_name = "ann",
                                 .topic = "b",
                                 .realm = realm,
                                 .if_unknown = true});
    };
    EXPECT_FALSE(may("c", 1));
    EXPECT_FALSE(may("c", 0));
    EXPECT_TRUE(may("stranger", 1));
}

// The rules of a file, in whose place a database comes while they are asked, and they are gone.
class ReplacedRules : public broker::Authorizer {
public:
    ReplacedRules(SqlUsers& users, NewSources<SqlSource> database)
        : users_(users), database_(std::move(database)) {}

    bool is_allowed(const broker::AccessRequest&) override { return replace(); }
    bool allows_everything() const override { return replace(); }

private:
    bool replace() const {
        if (!database_.fresh.empty()) users_.use(std::exchange(database_, {}));
        return true;
    }
    SqlUsers& users_;
    mutable NewSources<SqlSource> database_;
};

TEST_F(Source, is_asked_when_it_has_come_while_others_were) {
    for (const bool asks_for_everything : {false, true}) {
        start();
        NewSources<SqlSource> wanted;
        wanted.table = {{source_.get()}, {RealmSources<SqlSource>::none, 0}};
        wanted.fresh.push_back(std::move(source_));
        SqlUsers users;
        ReplacedRules others(users, std::move(wanted));
        SqlAuthorizer rules(users, others);
        const broker::AccessRequest request{
            .client_id = "c", .user_name = "", .topic = "a/b", .realm = 1};
        EXPECT_FALSE(asks_for_everything ? rules.allows_everything() : rules.is_allowed(request));
    }
}

}  // namespace
}  // namespace auth
