// Users who show a JSON Web Token: auth_jwt_*.
#include <gtest/gtest.h>

#include "config/memory_files.h"

namespace config {
namespace {

TEST(Jwt, each_option_is_read) {
    const auto config = parse_text(
        "auth_jwt_secret_file s\nauth_jwt_key_file k\nauth_jwt_jwks_file j\n"
        "auth_jwt_username_claim name\nauth_jwt_issuer i\nauth_jwt_audience a\n"
        "auth_jwt_leeway 3600\nauth_jwt_acl_claim acl\nauth_jwt_disconnect_on_expiry false\n");
    ASSERT_TRUE(config) << to_string(config.error());
    const JwtAuth want{.secret_file = "s",
                       .key_file = "k",
                       .jwks_file = "j",
                       .username_claim = "name",
                       .issuer = "i",
                       .audience = "a",
                       .acl_claim = "acl",
                       .leeway_s = 3'600,
                       .disconnect_on_expiry = false};
    EXPECT_EQ(config->listeners.at(0).security.jwt, want);
    EXPECT_FALSE(parse_text("auth_jwt_key_file k\nauth_jwt_leeway 3601\n"));
}

TEST(Jwt, each_listener_has_its_own_with_per_listener_settings) {
    const auto config = parse_text(
        "per_listener_settings true\nlistener 1883\nauth_jwt_key_file one\n"
        "listener 1884\nauth_jwt_secret_file two\n");
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->listeners.at(0).security.jwt.key_file, "one");
    EXPECT_EQ(config->listeners.at(1).security.jwt.key_file, "");
    EXPECT_EQ(config->listeners.at(1).security.jwt.secret_file, "two");
}

TEST(Jwt, an_option_without_a_key_is_an_error) {
    const auto config = parse_text("auth_jwt_issuer i\n");
    ASSERT_FALSE(config);
    EXPECT_NE(to_string(config.error()).find("auth_jwt_* without a key"), std::string::npos);
}

}  // namespace
}  // namespace config
