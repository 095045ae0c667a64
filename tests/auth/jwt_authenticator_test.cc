#include "auth/jwt_authenticator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "auth/anonymous.h"
#include "auth/authenticator_chain.h"
#include "auth/jwt_tokens.h"

namespace auth {
namespace {

using Kind = broker::AuthAnswer::Kind;

class JwtLogin : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
        token_ = make_token(R"({"sub":"ann"})");
        folder_ = ::testing::TempDir() + "/jwt_" + std::to_string(::getpid());
        std::filesystem::create_directories(folder_);
        files_[0].secret = write("secret", std::string(token_secret) + "\n");
        chain_.add(tokens_);
        EXPECT_EQ(load(), "");
    }
    void TearDown() override {
        if (!folder_.empty()) std::filesystem::remove_all(folder_);
    }

    std::string write(const std::string& name, std::string_view text) {
        const std::string path = folder_ + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
    std::string load() {
        auto realms = read_jwt_files(files_, warnings_);
        if (!realms) return realms.error();
        tokens_.use(std::move(*realms));
        return "";
    }
    broker::AuthAnswer login(std::optional<std::string_view> user,
                             std::optional<std::string_view> password, std::uint32_t realm = 1) {
        broker::Credentials credentials{.client_id = "c", .user_name = user};
        if (password) credentials.password = base::as_bytes(*password);
        credentials.realm = realm;
        credentials.listener_allows_anonymous = false;
        return chain_.begin(credentials).answer;
    }

    std::string folder_;
    std::vector<JwtFiles> files_{2};  // The second realm has no tokens.
    std::vector<std::string> warnings_;
    JwtAuthenticator tokens_{[] { return std::int64_t{1'000}; }};
    AnonymousAuthenticator anonymous_{true};
    AuthenticatorChain chain_{anonymous_};
    std::string token_{};
};

TEST_F(JwtLogin, the_token_says_who_it_is) {
    const broker::AuthAnswer named = login("ann", token_);
    EXPECT_EQ(named.kind, Kind::accepted);
    EXPECT_EQ(named.user_name, "ann");
    for (const std::optional<std::string_view> none :
         {std::optional<std::string_view>(), std::optional<std::string_view>("")}) {
        EXPECT_EQ(login(none, token_).kind, Kind::accepted);
        EXPECT_EQ(login(none, token_).user_name, "ann");
    }
    const broker::AuthAnswer other = login("bob", token_);
    EXPECT_EQ(other.kind, Kind::refused);
    EXPECT_EQ(other.log, "JWT: it is for another user name");
}

TEST_F(JwtLogin, brings_rights_and_an_end) {
    files_[0].rules.acl_claim = "acl";
    EXPECT_EQ(load(), "");
    const std::string token = make_token(R"({"sub":"ann","exp":1060,"acl":{"pub":["%u/%c"]}})");
    const broker::AuthAnswer answer = login("ann", token);
    EXPECT_EQ(answer.lasts_s, 60U);
    ASSERT_TRUE(answer.granted);
    EXPECT_TRUE(answer.granted->allows(broker::Access::publish, "ann/c"));
    EXPECT_FALSE(answer.granted->allows(broker::Access::subscribe, "ann/c"));
    EXPECT_EQ(answer.granted->explain(broker::Access::publish, "ann/c"), "JWT: allow ann/c");
    EXPECT_EQ(answer.granted->explain(broker::Access::publish, "x"), "JWT: none of 1 rows");
    EXPECT_EQ(login("ann", token_).log, "JWT: it has no claim 'acl'");
}

TEST_F(JwtLogin, nobody_else_comes_in) {
    EXPECT_EQ(login("ann", "secret").kind, Kind::refused);
    EXPECT_EQ(login("ann", std::nullopt).kind, Kind::refused);
    EXPECT_EQ(login(std::nullopt, "secret").kind, Kind::refused);
    EXPECT_EQ(login(std::nullopt, std::nullopt).kind, Kind::refused);
    EXPECT_EQ(login(std::nullopt, token_, 2).kind, Kind::refused);  // Anonymous there.
    const std::string old = make_token(R"({"sub":"ann","exp":1})");
    EXPECT_EQ(login("ann", old).log, "JWT: it has expired 999 s ago");
}

TEST_F(JwtLogin, a_reload_takes_all_files_or_none) {
    write("secret", std::string(32, 'n'));
    files_[1].key = write("key", "no key");
    EXPECT_EQ(load().find("Error: auth_jwt_key_file '" + files_[1].key + "': it has no public key"),
              0U);
    EXPECT_EQ(login("ann", token_).kind, Kind::accepted);
    files_[1] = {.set = write("set", openssl_set)};
    EXPECT_EQ(load(), "");
    EXPECT_EQ(login("ann", token_).log, "JWT: its signature is wrong");
    EXPECT_EQ(login("ann", es256_token, 2).kind, Kind::accepted);
}

TEST_F(JwtLogin, names_the_file_that_is_wrong) {
    write("secret", "short\n");
    EXPECT_EQ(load(), "Error: auth_jwt_secret_file '" + files_[0].secret +
                          "': a secret for HS256 has 32 bytes or more, this one has 5.");
    files_[0] = {.set = folder_ + "/none"};
    EXPECT_EQ(load(), "Error: Unable to read auth_jwt_jwks_file '" + folder_ +
                          "/none': No such file or directory.");
}

}  // namespace
}  // namespace auth
