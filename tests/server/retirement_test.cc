// Databases and services that a reload takes out of use, while shards ask them.
#include "server/retirement.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "auth/http_users.h"
#include "auth/mosquitto_hash.h"
#include "base/guarded.h"
#include "config/parse.h"
#include "server/access.h"
#include "support/fake_log.h"

namespace server {
namespace {

using broker::AuthAnswer;

// Run what is posted to them when they are told to. Shard 0 is the test's thread.
class Shards {
public:
    static constexpr std::uint32_t count = 3;

    auth::LateAnswers::Post post() {
        return [this](std::uint32_t shard, std::function<void()> task) {
            tasks_[shard].with([&](auto& tasks) { tasks.push_back(std::move(task)); });
        };
    }
    void run(std::uint32_t shard) {
        std::vector<std::function<void()>> due;
        tasks_[shard].with([&](auto& tasks) { tasks.swap(due); });
        for (const auto& task : due) task();
    }

private:
    std::array<base::Guarded<std::vector<std::function<void()>>>, count> tasks_;
};

struct Waiter : broker::AuthWaiter {
    void on_answer(AuthAnswer given) override { answer = std::move(given); }
    AuthAnswer answer = AuthAnswer::later();
};

// One that answers when it is told to.
class Service : public ::testing::Test {
protected:
    void SetUp() override {
        if (!auth::has_http || !auth::has_crypto) GTEST_SKIP() << "built without libcurl";
        auth::NewSources<auth::HttpSource> wanted;
        wanted.fresh.push_back(std::make_unique<auth::HttpSource>(
            auth::HttpSettings{.name = "s", .workers = 1}, log_, shards_.post(),
            auth::LoginHeritage(),
            [this](std::size_t,
                   const std::string&) -> base::Result<auth::HttpReply, auth::HttpError> {
                asked_.set_value();
                go_on_.get_future().wait();
                return auth::HttpReply{204, ""};
            }));
        wanted.table = {{wanted.fresh[0].get()}, {SIZE_MAX, 0}};
        users_.use(std::move(wanted));
    }
    broker::AuthBegun begin(std::string_view client_id) {
        return users_.begin(
            {.client_id = client_id, .user_name = "ann", .peer = "1.2.3.4:5", .realm = 1});
    }

    support::FakeLog log_;
    Shards shards_;
    std::promise<void> asked_;
    std::promise<void> go_on_;
    auth::HttpUsers users_;
    Retirement retirement_{Shards::count, shards_.post()};
};

TEST_F(Service, that_hangs_ends_without_holding_up_anybody) {
    const auto first = begin("c");
    const auto second = begin("d");
    Waiter answered;
    Waiter dropped;
    first.exchange->answer_to(answered);
    second.exchange->answer_to(dropped);
    asked_.get_future().wait();
    retirement_.add({.databases = {}, .services = users_.use({})});
    EXPECT_FALSE(users_.has_users(1));
    for (const std::uint32_t shard : {1U, 0U}) shards_.run(shard);
    EXPECT_EQ(retirement_.waiting(), 1U);  // Shard 2 may still be asking it.
    for (const std::uint32_t shard : {2U, 0U}) shards_.run(shard);
    while (dropped.answer.kind != AuthAnswer::Kind::refused) shards_.run(0);
    EXPECT_EQ(dropped.answer.reason, mqtt::ReasonCode::server_busy);
    EXPECT_EQ(retirement_.waiting(), 1U);
    go_on_.set_value();
    while (retirement_.waiting() != 0) shards_.run(0);
    shards_.run(0);
    EXPECT_EQ(answered.answer.kind, AuthAnswer::Kind::accepted);
}

TEST_F(Service, that_shards_may_use_ends_with_the_broker) {
    retirement_.add({.databases = {}, .services = users_.use({})});
    EXPECT_EQ(retirement_.waiting(), 1U);
    retirement_.finish();
    EXPECT_EQ(retirement_.waiting(), 0U);
}

TEST_F(Service, waits_among_a_limited_number) {
    for (std::size_t i = 0; i < Retirement::batches_max; ++i) {
        EXPECT_TRUE(retirement_.has_room());
        RetiredUsers retired;
        retired.services.table = std::make_unique<const auth::RealmSources<auth::HttpSource>>();
        retirement_.add(std::move(retired));
    }
    EXPECT_FALSE(retirement_.has_room());
    retirement_.finish();
    EXPECT_TRUE(retirement_.has_room());
}

class Reloads : public ::testing::Test {
protected:
    void SetUp() override {
        if (!auth::has_sql) GTEST_SKIP() << "built without SOCI";
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        for (const char* name : {"/one.db", "/other.db"}) {
            auth::SqlConnection connection(
                {.kind = auth::SqlServer::Kind::sqlite, .database = folder_ + name});
            ASSERT_TRUE(connection.execute("CREATE TABLE u (name TEXT, pw TEXT)"));
            ASSERT_TRUE(connection.execute("INSERT INTO u VALUES ('ann', 'secret')"));
        }
        const auto hash = auth::MosquittoHash::make(auth::MosquittoHash::Kind::pbkdf2,
                                                    base::as_bytes("secret"), 10);
        std::ofstream(folder_ + "/users") << "ann:" + hash.to_text() + "\n";
        std::ofstream(folder_ + "/rules") << "user ann\ntopic a/#\n";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string database(const std::string& name) const {
        return "auth_sqlite_database " + folder_ + "/" + name +
               "\nauth_sqlite_userquery SELECT pw FROM u WHERE name = ?\n"
               "auth_sqlite_aclquery SELECT 'a/#' FROM u WHERE name = ?\n"
               "auth_sqlite_plain_passwords true\nauth_sqlite_pool_size 1\n";
    }
    std::string files() const {
        return "password_file " + folder_ + "/users\nacl_file " + folder_ + "/rules\n";
    }
    config::Config parse(const std::string& text) const {
        config::Options options;
        options.file = "x.conf";
        config::Files files;
        files.read = [&](const std::string&) -> base::Result<std::string, std::string> {
            return "threads 3\nlistener 1883\nallow_anonymous false\n" + text;
        };
        auto parsed = config::parse(options, files);
        EXPECT_TRUE(parsed) << config::to_string(parsed.error());
        return std::move(*parsed);
    }
    // `realm` 0: the listener is a new one, and what was there before is gone.
    static std::string reload(Access& access, const config::Config& config,
                              std::uint32_t realm = 1) {
        const std::uint32_t before = access.realms().all.empty() ? 0 : realm;
        const RealmWanted wanted[] = {{&config.listeners[0].security, before}};
        std::vector<std::string> warnings;
        auto files = access.read(renumbered(access.realms(), wanted, true), warnings);
        if (!files) return files.error();
        access.use(std::move(*files));
        return {};
    }

    std::string folder_ = "/tmp/nightjar-reloads-XXXXXX";
    support::FakeLog log_;
    Shards shards_;
};

TEST_F(Reloads, at_no_moment_allow_what_no_rules_allow) {
    const config::Config configs[] = {parse(database("one.db")), parse(database("other.db")),
                                      parse(files())};
    Access access(configs[0], log_, shards_.post());
    ASSERT_EQ(reload(access, configs[0]), "");
    std::atomic<bool> is_over = false;
    std::atomic<std::uint64_t> asked = 0;
    std::atomic<std::uint64_t> wrong = 0;
    const auto ask = [&](std::uint32_t shard) {
        while (!is_over) {
            const broker::AccessRequest request{
                .client_id = "c", .user_name = "ann", .topic = "b", .realm = 1};
            const bool may =
                access.authorizer().allows_everything() || access.authorizer().is_allowed(request);
            auto begun = access.authenticator().begin(
                {.client_id = "c", .user_name = "ann", .shard = shard, .realm = 1});
            wrong += may || begun.answer.kind == AuthAnswer::Kind::accepted ? 1 : 0;
            begun.exchange.reset();
            shards_.run(shard);
            ++asked;
            std::this_thread::yield();
        }
    };
    std::thread shards[] = {std::thread(ask, 1), std::thread(ask, 2)};
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_EQ(reload(access, configs[i % 3]), "");
        shards_.run(0);
        for (const std::uint64_t until = asked + 2; asked < until;) std::this_thread::yield();
    }
    is_over = true;
    for (std::thread& shard : shards) shard.join();
    access.finish();
    EXPECT_EQ(wrong, 0U);
}

TEST_F(Reloads, keep_what_has_not_changed_and_everything_if_something_is_wrong) {
    const config::Config before = parse(database("one.db"));
    Access access(before, log_, shards_.post());
    ASSERT_EQ(reload(access, before), "");
    const auto ask = [&] {
        return access.authenticator()
            .begin({.client_id = "c",
                    .user_name = "ann",
                    .password = base::as_bytes(std::string_view("secret")),
                    .peer = "1.2.3.4:5",
                    .realm = 1})
            .answer.kind;
    };
    EXPECT_EQ(ask(), AuthAnswer::Kind::later);
    while (ask() != AuthAnswer::Kind::accepted) std::this_thread::yield();
    // Lines that have moved, and caches that are others, forget nobody.
    EXPECT_EQ(reload(access, parse("\n\n" + database("one.db"))), "");
    EXPECT_EQ(ask(), AuthAnswer::Kind::accepted);
    EXPECT_EQ(reload(access, parse(database("one.db") + "auth_sqlite_cache 20s\n")), "");
    EXPECT_EQ(ask(), AuthAnswer::Kind::accepted);
    EXPECT_EQ(reload(access, parse(database("other.db") +
                                   "auth_sqlite_superquery SELECT 1; DROP TABLE u\n"))
                  .substr(0, 15),
              "Error: x.conf:9");
    EXPECT_EQ(ask(), AuthAnswer::Kind::accepted);
    EXPECT_EQ(reload(access, parse(database("other.db"))), "");
    EXPECT_EQ(ask(), AuthAnswer::Kind::later);
    access.finish();
}

TEST_F(Reloads, leave_the_sessions_of_a_listener_that_is_gone_their_database) {
    const std::string password_file = folder_ + "/password";
    std::ofstream(password_file) << "${NOT_A_VARIABLE}\n";
    const std::string with_password =
        database("one.db") + "auth_sqlite_password_file " + password_file + "\n";
    const config::Config before = parse(with_password);
    const config::Config after = parse(database("other.db"));
    Access access(before, log_, shards_.post());
    ASSERT_EQ(reload(access, before), "");
    std::filesystem::remove(password_file);
    EXPECT_EQ(reload(access, before).substr(0, 15), "Error: x.conf:4");
    EXPECT_EQ(reload(access, after, 0), "");
    EXPECT_EQ(reload(access, after, 2), "");
    const auto may = [&](const char* topic) {
        return access.authorizer().is_allowed(
            {.client_id = "c", .user_name = "ann", .topic = topic, .realm = 1});
    };
    while (!may("a/b")) std::this_thread::yield();
    EXPECT_FALSE(may("b"));
    access.finish();
}

}  // namespace
}  // namespace server
