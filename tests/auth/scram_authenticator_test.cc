#include "auth/scram_authenticator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "auth/anonymous.h"
#include "auth/authenticator_chain.h"

namespace auth {
namespace {

using Kind = broker::AuthAnswer::Kind;
using mqtt::ReasonCode;

// An authenticator of two realms, whose users have the password "pencil".
class ScramLogin : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
        std::string pattern = (std::filesystem::temp_directory_path() / "scram-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
        files_ = {folder_ + "/one", folder_ + "/two"};
        write(0, {"alice"});
        write(1, {"bob"});
        load();
        chain_.add(authenticator_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(std::size_t file, const std::vector<std::string>& users) {
        std::ofstream out(files_[file]);
        for (const std::string& user : users) {
            out << to_line(user, derive_keys("pencil", {1, 2, 3, 4, 5, 6, 7, 8}, 4096)) << '\n';
        }
    }
    std::string load() {
        warnings_.clear();
        auto tables = read_scram_files(files_, warnings_);
        if (!tables) return tables.error();
        authenticator_.use(std::move(*tables));
        return {};
    }
    bool has(std::uint32_t realm, std::string_view user) {
        const ScramKeys keys = authenticator_.keys_of(realm, user);
        return keys.salt == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 8};
    }
    broker::AuthBegun begin(broker::Credentials credentials) { return chain_.begin(credentials); }

    AnonymousAuthenticator anonymous_{true};
    ScramAuthenticator authenticator_;
    AuthenticatorChain chain_{anonymous_};
    std::string folder_;
    std::vector<std::string> files_;
    std::vector<std::string> warnings_;
};

TEST_F(ScramLogin, knows_the_users_of_each_realm) {
    EXPECT_TRUE(has(1, "alice"));
    EXPECT_TRUE(has(2, "bob"));
    EXPECT_FALSE(has(1, "bob"));
}

TEST_F(ScramLogin, reloads_all_files_or_none) {
    write(0, {"alice", "carol"});
    std::ofstream(files_[1]) << "bob:secret\n";
    EXPECT_EQ(load(), files_[1] + ":1: Error: the user's keys do not begin with SCRAM-SHA-256$.");
    EXPECT_FALSE(has(1, "carol"));
    EXPECT_TRUE(has(2, "bob"));
    write(1, {"dave"});
    EXPECT_EQ(load(), "");
    EXPECT_TRUE(has(1, "carol") && has(2, "dave"));
    EXPECT_FALSE(has(2, "bob"));
}

TEST_F(ScramLogin, is_reloaded_while_shards_ask) {
    std::atomic<bool> is_over{false};
    std::atomic<int> answers{0};
    std::vector<std::thread> shards;
    shards.reserve(3);
    for (int i = 0; i < 3; ++i) {
        shards.emplace_back([&] {
            while (!is_over) {
                EXPECT_TRUE(has(1, "alice"));
                ++answers;
                std::this_thread::yield();  // A login does more than to look up.
            }
        });
    }
    while (answers == 0) std::this_thread::yield();
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(load(), "");
        EXPECT_TRUE(has(2, "bob"));
    }
    is_over = true;
    for (std::thread& shard : shards) shard.join();
}

TEST_F(ScramLogin, names_a_file_that_it_cannot_read) {
    std::filesystem::remove(files_[0]);
    EXPECT_EQ(load(),
              "Error: Unable to read scram_file '" + files_[0] + "': No such file or directory.");
    files_[0] = folder_;
    EXPECT_EQ(load(), "Error: Unable to read scram_file '" + folder_ + "': is a directory.");
}

TEST_F(ScramLogin, warns_of_a_file_that_everybody_can_read) {
    using std::filesystem::perms;
    std::filesystem::permissions(files_[0], perms::owner_read | perms::owner_write);
    std::filesystem::permissions(files_[1], perms::owner_read | perms::others_read);
    load();
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_NE(warnings_[0].find(files_[1] + " has world readable permissions"), std::string::npos);
}

TEST_F(ScramLogin, asks_for_the_first_message_if_connect_has_none) {
    broker::AuthBegun begun = begin({.client_id = "c", .method = "SCRAM-SHA-256", .realm = 1});
    EXPECT_EQ(begun.answer.kind, Kind::proceed);
    EXPECT_EQ(begun.answer.data, "");
    const auto answer = begun.exchange->step(base::as_bytes("n,,n=alice,r=abc"));
    EXPECT_EQ(answer.kind, Kind::proceed);
    EXPECT_TRUE(answer.data.starts_with("r=abc")) << answer.data;
    EXPECT_TRUE(answer.data.ends_with(",s=AQIDBAUGBwg=,i=4096")) << answer.data;
}

TEST_F(ScramLogin, asks_only_once) {
    broker::AuthBegun begun = begin({.client_id = "c", .method = "SCRAM-SHA-256", .realm = 1});
    EXPECT_EQ(begun.exchange->step({}).kind, Kind::refused);
}

TEST_F(ScramLogin, has_a_new_nonce_for_each_exchange) {
    const broker::Credentials alice = {.client_id = "c",
                                       .user_name = {},
                                       .password = {},
                                       .method = "SCRAM-SHA-256",
                                       .data = base::as_bytes("n,,n=alice,r=abc"),
                                       .peer = {},
                                       .realm = 1};
    EXPECT_NE(begin(alice).answer.data, begin(alice).answer.data);
}

TEST_F(ScramLogin, refuses_a_wrong_password_and_an_unknown_user_alike) {
    for (const std::string user : {"alice", "mallory"}) {
        broker::AuthBegun begun = begin({.client_id = "c", .method = "SCRAM-SHA-256", .realm = 1});
        const std::string first = "n,,n=" + user + ",r=abc";
        const std::string asked = begun.exchange->step(base::as_bytes(first)).data;
        EXPECT_TRUE(asked.ends_with(",i=4096")) << asked;
        const std::string nonce = asked.substr(0, asked.find(','));
        const std::string proof = "c=biws," + nonce + ",p=" + std::string(43, 'A') + "=";
        const auto answer = begun.exchange->step(base::as_bytes(proof));
        EXPECT_EQ(answer.reason, ReasonCode::not_authorized);
        EXPECT_EQ(answer.log,
                  "SCRAM-SHA-256: user name or password is wrong (user '" + user + "')");
    }
}

TEST_F(ScramLogin, leaves_other_clients_to_others) {
    struct Row {
        const char* sentence;
        broker::Credentials credentials;
        Kind want;
        ReasonCode reason = ReasonCode::not_authorized;
    };
    const Row rows[] = {
        {"anonymous", {.client_id = "c", .realm = 1}, Kind::accepted},
        {"anonymous, but not here",
         {.client_id = "c", .realm = 1, .listener_allows_anonymous = false},
         Kind::refused},
        {"a name that nobody proves",
         {.client_id = "c", .user_name = "alice", .realm = 1},
         Kind::refused,
         ReasonCode::bad_user_name_or_password},
        {"a name where there are no users",
         {.client_id = "c", .user_name = "alice", .realm = 0},
         Kind::accepted},
        {"SCRAM where there are no users",
         {.client_id = "c", .method = "SCRAM-SHA-256", .realm = 0},
         Kind::refused,
         ReasonCode::bad_authentication_method},
        {"another method",
         {.client_id = "c", .method = "SCRAM-SHA-256-PLUS", .realm = 1},
         Kind::refused,
         ReasonCode::bad_authentication_method},
    };
    for (const Row& row : rows) {
        const broker::AuthBegun begun = begin(row.credentials);
        EXPECT_EQ(begun.answer.kind, row.want) << row.sentence;
        EXPECT_EQ(begun.exchange, nullptr) << row.sentence;
        if (row.want == Kind::refused) {
            EXPECT_EQ(begun.answer.reason, row.reason) << row.sentence;
        }
    }
}

}  // namespace
}  // namespace auth
