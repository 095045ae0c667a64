// Names and passwords, and several sources of users in a row.
#include "auth/password_authenticator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>

#include "auth/anonymous.h"
#include "auth/authenticator_chain.h"
#include "auth/scram_authenticator.h"

namespace auth {
namespace {

using broker::AuthAnswer;
using broker::Credentials;
using mqtt::ReasonCode;
using Kind = AuthAnswer::Kind;

struct Waiter : broker::AuthWaiter {
    void on_answer(AuthAnswer late) override { answer = std::move(late); }
    std::optional<AuthAnswer> answer;
};

// A source that has one user, without a password.
class OneUser : public UserSource {
public:
    explicit OneUser(std::string name) : name_(std::move(name)) {}
    bool has_users(std::uint32_t realm) const override { return realm == 1; }
    broker::AuthBegun begin(const Credentials& credentials) override {
        ++asked;
        if (credentials.user_name != name_) return {AuthAnswer::pass_on("not one"), nullptr};
        return {AuthAnswer::accept("is " + name_), nullptr};
    }
    int asked = 0;

private:
    std::string name_;
};

// The test's thread is the shard's: tasks that are posted to it run in answer_of().
class Login : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
        std::string pattern = (std::filesystem::temp_directory_path() / "users-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        write("one", "ann", "secret");
        ASSERT_EQ(load({folder_ + "/one", "", folder_ + "/one"}), "");
        chain_.add(passwords_);
    }
    void TearDown() override {
        pool_.finish();
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }
    void write(const std::string& file, const std::string& user, const std::string& password) {
        const auto hash =
            MosquittoHash::make(MosquittoHash::Kind::pbkdf2, base::as_bytes(password), 10);
        std::ofstream(folder_ + "/" + file, std::ios::app) << user << ":" << hash.to_text() << "\n";
    }
    std::string load(const std::vector<std::string>& files) {
        auto tables = PasswordTables::read(files, warnings_);
        if (!tables) return tables.error();
        passwords_.use(std::move(*tables));
        return {};
    }
    // What the client is told in the end.
    AuthAnswer answer_of(const Credentials& credentials) {
        broker::AuthBegun begun = chain_.begin(credentials);
        if (begun.answer.kind != Kind::later) return begun.answer;
        Waiter waiter;
        begun.exchange->answer_to(waiter);
        while (!waiter.answer) {
            std::unique_lock lock(mutex_);
            is_posted_.wait(lock, [this] { return !tasks_.empty(); });
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
        }
        return *waiter.answer;
    }
    AuthAnswer login(std::string_view user, std::string_view password, std::uint32_t realm = 1) {
        return answer_of({.client_id = "c",
                          .user_name = user,
                          .password = base::as_bytes(password),
                          .realm = realm});
    }
    bool is_let_in(std::string_view user, std::string_view password, std::uint32_t realm = 1) {
        return login(user, password, realm).kind == Kind::accepted;
    }

    std::string folder_;
    std::vector<std::string> warnings_;
    std::mutex mutex_;
    std::condition_variable is_posted_;
    std::deque<std::function<void()>> tasks_;
    WorkPool pool_{{.workers = 2, .queue_max = 100}};
    LateAnswers late_{pool_, [this](std::uint32_t, std::function<void()> task) {
                          const std::lock_guard lock(mutex_);
                          tasks_.push_back(std::move(task));
                          is_posted_.notify_one();
                      }};
    AnonymousAuthenticator anonymous_{true};
    PasswordAuthenticator passwords_{late_};
    AuthenticatorChain chain_{anonymous_};
};

TEST_F(Login, with_a_name_is_not_anonymous_while_the_users_change) {
    const auto begin = [&] {
        return chain_.begin({.client_id = "c", .user_name = "ann", .realm = 9}).answer;
    };
    EXPECT_EQ(begin().kind, Kind::accepted);
    AuthAnswer meanwhile;
    chain_.change([&] { meanwhile = begin(); });
    EXPECT_EQ(meanwhile.kind, Kind::refused);
    EXPECT_EQ(meanwhile.reason, ReasonCode::server_busy);
    EXPECT_EQ(begin().kind, Kind::accepted);
}

TEST_F(Login, the_right_password_lets_in_and_nothing_else) {
    EXPECT_TRUE(is_let_in("ann", "secret"));
    EXPECT_TRUE(is_let_in("ann", "secret", 3));
    for (const char* wrong : {"", "Secret", "secret1", "secre"}) {
        const AuthAnswer answer = login("ann", wrong);
        EXPECT_EQ(answer.kind, Kind::refused) << wrong;
        EXPECT_EQ(answer.reason, ReasonCode::not_authorized);
    }
    EXPECT_FALSE(is_let_in("bob", "secret"));
    EXPECT_EQ(answer_of({.client_id = "c", .user_name = "ann", .realm = 1}).kind, Kind::refused);
}

TEST_F(Login, a_wrong_name_is_told_what_a_wrong_password_is) {
    const AuthAnswer name = login("nobody", "x");
    const AuthAnswer password = login("ann", "x");
    EXPECT_EQ(name.kind, password.kind);
    EXPECT_EQ(name.reason, password.reason);
    EXPECT_EQ(name.log, password.log);
}

TEST_F(Login, who_gives_no_name_or_has_no_file_is_judged_by_allow_anonymous) {
    EXPECT_EQ(answer_of({.client_id = "c", .realm = 1}).kind, Kind::accepted);
    EXPECT_EQ(answer_of({.client_id = "c", .realm = 1, .listener_allows_anonymous = false}).kind,
              Kind::refused);
    EXPECT_TRUE(is_let_in("whoever", "x", 2));
}

TEST_F(Login, a_reload_takes_all_files_or_none) {
    write("two", "bob", "secret");
    std::ofstream(folder_ + "/bad") << "carl\n";
    EXPECT_EQ(load({folder_ + "/two", folder_ + "/bad"}),
              folder_ + "/bad:1: Error: there is no colon behind the user name.");
    EXPECT_TRUE(is_let_in("ann", "secret"));
    EXPECT_EQ(load({folder_ + "/two"}), "");
    EXPECT_FALSE(is_let_in("ann", "secret"));
    EXPECT_TRUE(is_let_in("bob", "secret"));
}

TEST_F(Login, a_name_that_is_unknown_is_the_next_sources_late_or_not) {
    OneUser dan("dan");
    OneUser eve("eve");
    chain_.add(dan);
    chain_.add(passwords_);  // Late once more.
    chain_.add(eve);
    EXPECT_EQ(login("dan", "x").user_name, "is dan");
    EXPECT_EQ(login("eve", "x").user_name, "is eve");
    EXPECT_EQ(login("ann", "wrong").kind, Kind::refused);
    EXPECT_EQ(dan.asked, 2);  // Not for ann: she is known, and refused.
    EXPECT_EQ(eve.asked, 1);
    EXPECT_EQ(login("nobody", "x").kind, Kind::refused);
    EXPECT_EQ(eve.asked, 2);
}

TEST_F(Login, methods_are_not_for_who_checks_passwords) {
    const AuthAnswer answer = answer_of({.client_id = "c", .method = "SCRAM", .realm = 1});
    EXPECT_EQ(answer.kind, Kind::refused);
    EXPECT_EQ(answer.reason, ReasonCode::bad_authentication_method);
}

TEST_F(Login, who_goes_while_it_is_judged_is_forgotten) {
    OneUser dan("dan");
    chain_.add(dan);
    for (int i = 0; i < 50; ++i) {
        auto begun = chain_.begin(
            {.client_id = "c", .user_name = "dan", .password = base::as_bytes("x"), .realm = 1});
        ASSERT_EQ(begun.answer.kind, Kind::later);
    }
    pool_.finish();
    for (const auto& task : tasks_) task();
    EXPECT_EQ(dan.asked, 0);
}

TEST_F(Login, says_who_would_know_a_name) {
    const auto ask = [this](std::optional<std::string> user, std::uint32_t realm) {
        std::string said;
        chain_.inquire({.user_name = std::move(user), .realm = realm},
                       [&](const broker::Ruling& ruling) {
                           said = (ruling.is_allowed ? "yes: " : "no: ") + ruling.because;
                       });
        return said;
    };
    const std::string file = "password_file " + folder_ + "/one";
    EXPECT_EQ(ask("ann", 1), "yes: user 'ann' of " + file + ", with the right password");
    EXPECT_EQ(ask("bob", 1), "no: user 'bob' is not known to " + file);
    EXPECT_EQ(ask("ann", 2), "yes: no users are configured, and allow_anonymous is true");
    EXPECT_EQ(ask(std::nullopt, 1), "yes: there is no user name, and allow_anonymous is true");
    OneUser opaque("bob");  // What it would say it cannot tell.
    chain_.add(opaque);
    EXPECT_EQ(ask("bob", 1), "yes: who it is, its password or token alone can tell");
}

TEST_F(Login, the_log_says_which_option_refuses_who_is_anonymous) {
    const auto log_of = [this](std::optional<std::string_view> user, std::uint32_t realm) {
        return answer_of({.client_id = "c",
                          .user_name = user,
                          .realm = realm,
                          .listener_allows_anonymous = false})
            .log;
    };
    EXPECT_EQ(log_of(std::nullopt, 1), "no user name, and allow_anonymous is false");
    EXPECT_EQ(log_of("ann", 2), "no users are configured, and allow_anonymous is false");
}

TEST_F(Login, says_whom_nobody_knows) {
    ScramAuthenticator scram;
    std::ofstream(folder_ + "/scram") << "";
    const std::vector<std::string> files{folder_ + "/scram"};
    auto tables = read_scram_files(files, warnings_);
    ASSERT_TRUE(tables) << tables.error();
    scram.use(std::move(*tables));
    chain_.add(scram);
    std::string said;
    chain_.inquire({.user_name = "bob", .realm = 1},
                   [&](const broker::Ruling& ruling) { said = ruling.because; });
    EXPECT_EQ(said, "user 'bob' is not known to password_file " + folder_ +
                        "/one, nor to scram_file " + folder_ + "/scram");
}

}  // namespace
}  // namespace auth
