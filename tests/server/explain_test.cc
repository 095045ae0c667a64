// What nightjar ctl explain is told, by the configuration and the files that it names.
#include "server/explain.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "auth/mosquitto_hash.h"
#include "config/parse.h"
#include "server/settings.h"
#include "support/fake_log.h"

namespace server {
namespace {

using admin::Question;

class Explain : public ::testing::Test {
protected:
    void SetUp() override {
        if (!auth::has_crypto) GTEST_SKIP() << "built without OpenSSL";
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        const auto hash = auth::MosquittoHash::make(auth::MosquittoHash::Kind::pbkdf2,
                                                    base::as_bytes("secret"), 10);
        write("users", "ann:" + hash.to_text() + "\n");
        write("rules", "user ann\ntopic a/#\ntopic deny m/x\n");
        users_ = "password_file " + folder_ + "/users\n";
        rules_ = "acl_file " + folder_ + "/rules\n";
    }
    void TearDown() override {
        access_.reset();
        std::filesystem::remove_all(folder_);
    }
    void write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ + "/" + name) << text;
    }

    void start(const std::string& text) {
        config::Options options;
        options.file = "x.conf";
        config::Files files;
        files.read = [&](const std::string&) -> base::Result<std::string, std::string> {
            return text;
        };
        auto parsed = config::parse(options, files);
        ASSERT_TRUE(parsed) << config::to_string(parsed.error());
        config_ = std::move(*parsed);
        access_ = std::make_unique<Access>(config_, log_, auth::LateAnswers::Post());
        std::vector<RealmWanted> wanted;
        for (const config::Listener& each : config_.listeners) wanted.push_back({&each.security});
        Realms realms = renumbered({}, wanted, !config_.per_listener_settings);
        for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
            auto& door = doors_.emplace_back(std::make_unique<Door>());
            door->configured = config_.listeners[i];
            door->options = door_options(config_.listeners[i], realms.of_listener[i]);
            open_.push_back(door.get());
        }
        std::vector<std::string> warnings;
        auto read = access_->read(std::move(realms), warnings);
        ASSERT_TRUE(read) << read.error();
        access_->use(std::move(*read));
    }

    // Without what the folder is called this time.
    std::string ask(const Question& question) {
        std::string text = "no answer";
        const auto ask_own = [this](const broker::Inquiry& inquiry, const OnOwnRights& done) {
            done(inquiry.client_id == "here" ? own_ : std::nullopt);
        };
        explain(question, open_, {config_, *access_, ask_own}, [&](const auto& found) {
            text = found ? in_words(found->login) + " | " + in_words(found->rights) : found.error();
            if (found) last_ = *found;
        });
        for (auto at = text.find(folder_); at != std::string::npos; at = text.find(folder_)) {
            text.erase(at, folder_.size() + 1);
        }
        return text;
    }
    static std::string in_words(const broker::Ruling& ruling) {
        std::string text = ruling.is_allowed ? "yes: " : "no: ";
        text += ruling.because;
        return ruling.remedy.empty() ? text : text + "; " + ruling.remedy;
    }
    std::string login(const Question& question) {
        const std::string text = ask(question);
        return text.substr(0, text.find(" | "));
    }
    std::string rights(const Question& question) {
        const std::string text = ask(question);
        return text.substr(std::min(text.size(), text.find(" | ") + 3));
    }

    std::string folder_ = "/tmp/nightjar-explain-XXXXXX";
    std::string users_;
    std::string rules_;
    config::Config config_;
    support::FakeLog log_;
    std::unique_ptr<Access> access_;
    std::vector<std::unique_ptr<Door>> doors_;
    std::vector<Door*> open_;
    admin::Explanation last_;
    std::optional<broker::Ruling> own_;  // Of the client "here".
};

TEST_F(Explain, who_is_known_and_what_a_line_allows) {
    start("listener 1\n" + users_ + rules_);
    EXPECT_EQ(ask({.user = "ann", .topic = "a/b"}),
              "yes: user 'ann' of password_file users, with the right password | yes: acl_file "
              "rules:2: topic readwrite a/#");
    EXPECT_EQ(last_.listener, "port 1");
    EXPECT_EQ(login({.user = "bob", .topic = "a"}),
              "no: user 'bob' is not known to password_file users; a user of this name there");
    EXPECT_EQ(login({.topic = "a"}),
              "no: there is no user name, and allow_anonymous is false; a user name, or "
              "allow_anonymous true");
    EXPECT_EQ(rights({.user = "ann", .topic = "$SYS/broker/x"}), "no: $SYS is the broker's own");
}

TEST_F(Explain, a_broker_that_is_open_to_everybody) {
    start("listener 1\nallow_anonymous true\n");
    EXPECT_EQ(ask({.user = "ann", .topic = "a"}),
              "yes: no users are configured, and allow_anonymous is true | yes: there is no "
              "acl_file: everything is allowed");
    EXPECT_EQ(login({.topic = "a"}), "yes: there is no user name, and allow_anonymous is true");
}

TEST_F(Explain, rights_of_its_own_are_asked_of_who_is_there) {
    write("secret", std::string(32, 'x'));
    own_ = broker::Ruling{.because = "JWT: none of 2 rows"};
    start("listener 1\n" + rules_ + "auth_jwt_secret_file " + folder_ + "/secret\n");
    const std::string by_the_file = "no: no line of acl_file rules allows it";
    EXPECT_TRUE(rights({.client_id = "here", .topic = "b"}).starts_with(by_the_file + "; "));
    doors_.clear();
    open_.clear();
    start("listener 1\n" + rules_ + "auth_jwt_secret_file " + folder_ +
          "/secret\nauth_jwt_acl_claim acl\n");
    EXPECT_EQ(rights({.client_id = "here", .topic = "b"}), "no: JWT: none of 2 rows");
    EXPECT_TRUE(rights({.client_id = "away", .topic = "b"})
                    .starts_with(by_the_file + ", unless its token says what it may do: ask while "
                                               "the client is there; "));
}

TEST_F(Explain, each_listener_has_its_own) {
    start("per_listener_settings true\nlistener 1\nallow_anonymous true\nlistener 2\n" + users_ +
          "mount_point m/\n" + rules_ + "listener 0 /tmp/s\nallow_anonymous false\n");
    EXPECT_EQ(login({.topic = "x"}), "yes: there is no user name, and allow_anonymous is true");
    EXPECT_EQ(last_.listener, "port 1, the first of 3 listeners");
    EXPECT_EQ(rights({.user = "ann", .listener = "2", .topic = "x"}),
              "no: acl_file rules:3: topic deny m/x; nothing, while line 3 is there");
    EXPECT_EQ(last_.listener, "port 2");
    EXPECT_EQ(login({.listener = "/tmp/s", .topic = "x"}),
              "no: there is no user name, and allow_anonymous is false; a user name, or "
              "allow_anonymous true");
    EXPECT_EQ(ask({.listener = "3", .topic = "x"}),
              "Error: there is no listener 3: nightjar ctl status says which there are.");
}

TEST_F(Explain, what_is_judged_before_the_user) {
    start("clientid_prefixes dev-\nper_listener_settings true\nlistener 1\n" + users_ +
          "listener 2\nuse_username_as_clientid true\nallow_anonymous true\n");
    EXPECT_EQ(login({.user = "ann", .topic = "x"}),
              "no: clientid_prefixes: the client id 'nightjar-ctl' does not begin with 'dev-'; a "
              "client id that does");
    EXPECT_EQ(login({.user = "ann", .client_id = "dev-1", .topic = "x"}),
              "yes: user 'ann' of password_file users, with the right password");
    EXPECT_EQ(login({.listener = "2", .topic = "x"}),
              "no: use_username_as_clientid is true, and there is no user name; a user name");
    EXPECT_EQ(login({.user = "ann", .listener = "2", .topic = "x"}),
              "yes: no users are configured, and allow_anonymous is true");
    EXPECT_EQ(last_.client_id, "ann");
}

TEST_F(Explain, a_user_whom_a_certificate_names) {
    start("listener 1\nuse_identity_as_username true\nrequire_certificate true\n" + rules_);
    EXPECT_EQ(login({.user = "ann", .topic = "a/b"}),
              "yes: the listener takes the user from a certificate or key: with one that says "
              "'ann'");
    EXPECT_EQ(login({.topic = "a"}),
              "no: the listener takes the user from a certificate or key, and there is none; one "
              "that names a user");
}

TEST_F(Explain, what_this_version_cannot_check) {
    start("listener 1\nplugin /x.so\n");
    EXPECT_EQ(ask({.user = "ann", .topic = "a"}),
              "no: 'plugin' at x.conf:2 is not honoured yet | no: the configuration has rules that "
              "this version cannot enforce");
}

}  // namespace
}  // namespace server
