#include "auth/jwt.h"

#include <gtest/gtest.h>

#include "auth/jwt_tokens.h"

namespace auth {
namespace {

using Kind = JwtVerdict::Kind;

constexpr std::int64_t now = 1'000'000;

JwtKeys keys_of(std::string_view secret) {
    JwtKeys keys;
    EXPECT_TRUE(keys.add(std::move(*JwtKey::from_secret(base::as_bytes(secret)))));
    return keys;
}

JwtKeys keys_of_set(std::string_view json) {
    JwtKeys keys;
    std::vector<std::string> warnings;
    const auto added = keys.add_set(json, "set", warnings);
    EXPECT_TRUE(added) << added.error();
    return keys;
}

// "ann" of a token that is right, else why it is not; "no token".
std::string verdict(std::string_view token, const JwtKeys& keys, const JwtRules& rules = {},
                    std::int64_t at = now) {
    const JwtVerdict verdict = check_jwt(token, "c", keys, rules, at);
    if (verdict.kind == Kind::no_token) return "no token";
    return verdict.kind == Kind::valid ? verdict.user_name : verdict.why;
}

class Jwt : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
    }
};

TEST_F(Jwt, takes_what_others_have_signed) {
    const JwtKeys rfc =
        keys_of_set(R"({"keys":[{"kty":"oct","k":")" + std::string(rfc_key) + R"("}]})");
    const JwtRules rules{.user_name_claim = "iss"};
    EXPECT_EQ(verdict(rfc_token, rfc, rules, 1'300'819'379), "joe");
    EXPECT_EQ(verdict(rfc_token, rfc, rules, 1'300'819'380), "it has expired 0 s ago");
    const JwtKeys set = keys_of_set(openssl_set);
    EXPECT_EQ(verdict(rs256_token, set), "ann");
    EXPECT_EQ(verdict(es256_token, set), "ann");
    JwtKeys pem;
    EXPECT_TRUE(pem.add(std::move(*JwtKey::from_pem(es256_pem))));
    EXPECT_EQ(verdict(es256_token, pem), "ann");
    EXPECT_EQ(verdict(rs256_token, pem), "there is no key for RS256 with its 'kid'");
}

TEST_F(Jwt, every_byte_of_a_token_counts) {
    const JwtKeys set = keys_of_set(openssl_set);
    const JwtKeys secret = keys_of(token_secret);
    const std::string own = make_token(R"({"sub":"ann"})");
    for (const std::string_view token : {rs256_token, es256_token, std::string_view(own)}) {
        const JwtKeys& keys = token == own ? secret : set;
        for (std::size_t i = 0; i < token.size(); ++i) {
            std::string changed(token);
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            EXPECT_NE(verdict(changed, keys), "ann") << i;
            EXPECT_NE(verdict(token.substr(0, i), keys), "ann") << i;
        }
        EXPECT_NE(verdict(std::string(token) + "A", keys), "ann");
    }
}

TEST_F(Jwt, judges_the_claims) {
    const JwtRules strict{.issuer = "https://id", .audience = "mqtt", .leeway_s = 10};
    struct Case {
        std::string_view claims;
        std::string_view want;
        JwtRules rules{};
    };
    const Case cases[] = {
        {R"({"sub":"ann"})", "ann"},
        {R"({"sub":"ann","exp":1000001})", "ann"},
        {R"({"sub":"ann","exp":1000000})", "it has expired 0 s ago"},
        {R"({"sub":"ann","exp":999970.5})", "it has expired 30 s ago"},
        {R"({"sub":"ann","exp":"1000001"})", "its 'exp' is no number"},
        {R"({"sub":"ann","exp":null})", "its 'exp' is no number"},
        {R"({"sub":"ann","nbf":1000000})", "ann"},
        {R"({"sub":"ann","nbf":1000005})", "it is not valid before 5 s from now"},
        {R"({"sub":"ann","nbf":[]})", "its 'nbf' is no number"},
        {R"({"name":"ann"})", "its claim 'sub' is no user name"},
        {R"({"sub":7})", "its claim 'sub' is no user name"},
        {R"({"sub":""})", "its claim 'sub' is no user name"},
        {R"({"sub":"a\u0000b"})", "its claim 'sub' is no user name"},
        {R"({"name":"ann"})", "ann", {.user_name_claim = "name"}},
        {R"({"sub":"ann","aud":"mqtt"})", "it has an 'aud', and auth_jwt_audience is not set"},
        {R"({"sub":"ann","aud":[]})", "it has an 'aud', and auth_jwt_audience is not set"},
        {R"(["sub"])", "its claims are no JSON object"},
        {"{", "its claims are no JSON object"},
        {R"({"sub":"ann","iss":"https://id","aud":"mqtt","exp":999991})", "ann", strict},
        {R"({"sub":"ann","iss":"https://id","aud":["x","mqtt"],"nbf":1000010})", "ann", strict},
        {R"({"sub":"ann","iss":"https://id","aud":"mqtt","exp":999990})", "it has expired 10 s ago",
         strict},
        {R"({"sub":"ann","iss":"other","aud":"mqtt"})", "its 'iss' is not auth_jwt_issuer", strict},
        {R"({"sub":"ann","aud":"mqtt"})", "its 'iss' is not auth_jwt_issuer", strict},
        {R"({"sub":"ann","iss":"https://id"})", "auth_jwt_audience is not in its 'aud'", strict},
        {R"({"sub":"ann","iss":"https://id","aud":["m",1]})",
         "auth_jwt_audience is not in its 'aud'", strict},
    };
    const JwtKeys keys = keys_of(token_secret);
    for (const Case& each : cases) {
        EXPECT_EQ(verdict(make_token(each.claims), keys, each.rules), each.want) << each.claims;
    }
}

TEST_F(Jwt, says_how_long_its_bearer_may_stay) {
    struct Case {
        std::string_view claims;
        std::uint32_t want;
        JwtRules rules{};
    };
    const Case cases[] = {
        {R"({"sub":"ann"})", 0},
        {R"({"sub":"ann","exp":1000060})", 60},
        {R"({"sub":"ann","exp":1000000.5})", 1},
        {R"({"sub":"ann","exp":1000060})", 70, {.leeway_s = 10}},
        {R"({"sub":"ann","exp":1000060})", 0, {.ends_login = false}},
        {R"({"sub":"ann","exp":1e300})", 0},
        {R"({"sub":"ann","exp":4295967296})", 0},
        {R"({"sub":"ann","exp":4295967295})", 4'294'967'295},
    };
    const JwtKeys keys = keys_of(token_secret);
    for (const Case& each : cases) {
        const auto verdict = check_jwt(make_token(each.claims), "c", keys, each.rules, now);
        EXPECT_EQ(verdict.kind, Kind::valid) << each.claims;
        EXPECT_EQ(verdict.lasts_s, each.want) << each.claims;
    }
}

TEST_F(Jwt, has_rules_for_its_bearer_in_a_claim) {
    const JwtKeys keys = keys_of(token_secret);
    const JwtRules rules{.acl_claim = "acl"};
    const std::string token = make_token(R"({"sub":"ann","acl":{"pub":["%u/%c"]}})");
    const JwtVerdict verdict = check_jwt(token, "dev", keys, rules, now);
    ASSERT_TRUE(verdict.rights) << verdict.why;
    EXPECT_TRUE(verdict.rights->allows(broker::Access::publish, "ann/dev"));
    EXPECT_FALSE(verdict.rights->allows(broker::Access::publish, "ann/c"));
    EXPECT_EQ(check_jwt(make_token(R"({"sub":"ann"})"), "c", keys, rules, now).why,
              "it has no claim 'acl'");
    EXPECT_FALSE(check_jwt(token, "c", keys, {}, now).rights);
}

TEST_F(Jwt, the_header_cannot_choose_how_it_is_checked) {
    constexpr std::string_view no_algorithm = "its algorithm is none of HS256, RS256 and ES256";
    const std::pair<std::string_view, std::string_view> cases[] = {
        {R"({"alg":"none"})", no_algorithm},
        {R"({"alg":"hs256"})", no_algorithm},
        {R"({"alg":"HS512"})", no_algorithm},
        {R"({"alg":["HS256"]})", no_algorithm},
        {R"({})", no_algorithm},
        {R"({"alg":"RS256"})", "there is no key for RS256, or several and it has no 'kid'"},
        {R"({"alg":"HS256","kid":1})", "its 'kid' is no string"},
        {R"({"alg":"HS256","crit":["exp"]})", "it has a 'crit' header"},
        {R"({"alg":"HS256","kid":"any","jwk":{"kty":"oct","k":"AA"}})", "ann"},
        {R"(["HS256"])", "no token"},
        {"HS256", "no token"},
    };
    const JwtKeys keys = keys_of(token_secret);
    for (const auto& [header, want] : cases) {
        EXPECT_EQ(verdict(make_token(R"({"sub":"ann"})", header), keys), want) << header;
    }
    const std::string unsigned_token =
        base64url(R"({"alg":"none"})") + "." + base64url(R"({"sub":"ann"})") + ".";
    EXPECT_EQ(verdict(unsigned_token, keys), no_algorithm);
    // Signed by HMAC, with a public key that everybody knows as the secret.
    JwtKeys pem;
    EXPECT_TRUE(pem.add(std::move(*JwtKey::from_pem(es256_pem))));
    EXPECT_EQ(verdict(make_token(R"({"sub":"ann"})", R"({"alg":"HS256"})", es256_pem), pem),
              "there is no key for HS256, or several and it has no 'kid'");
}

TEST_F(Jwt, passwords_are_no_tokens_and_tokens_have_a_limit) {
    const JwtKeys keys = keys_of(token_secret);
    for (const std::string_view password : {"", "secret", "a.b", "a.b.c", "..", "a.b.c.d"}) {
        EXPECT_EQ(verdict(password, keys), "no token") << password;
    }
    const std::string rest(token_bytes_max, 'x');
    EXPECT_EQ(verdict(make_token(R"({"sub":"ann","x":")" + rest + R"("})"), keys),
              "it is longer than 16384 bytes");
}

TEST_F(Jwt, a_kid_chooses_among_several_keys) {
    const std::string other_secret(32, 'o');
    const JwtKeys keys =
        keys_of_set(R"({"keys":[{"kty":"oct","kid":"1","k":")" + base64url(token_secret) +
                    R"("},{"kty":"oct","kid":"2","k":")" + base64url(other_secret) + R"("}]})");
    const auto token = [](std::string_view header) {
        return make_token(R"({"sub":"ann"})", header);
    };
    EXPECT_EQ(verdict(token(R"({"alg":"HS256","kid":"1"})"), keys), "ann");
    EXPECT_EQ(verdict(token(R"({"alg":"HS256","kid":"2"})"), keys), "its signature is wrong");
    EXPECT_EQ(verdict(token(R"({"alg":"HS256","kid":"3"})"), keys),
              "there is no key for HS256 with its 'kid'");
    EXPECT_EQ(verdict(token(R"({"alg":"HS256"})"), keys),
              "there is no key for HS256, or several and it has no 'kid'");
}

TEST_F(Jwt, says_what_is_wrong_with_a_set) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", "it is no JWK Set: {\"keys\": [...]}"},
        {"[]", "it is no JWK Set: {\"keys\": [...]}"},
        {R"({"keys":{}})", "it is no JWK Set: {\"keys\": [...]}"},
        {R"({"keys":[]})", "it has no key for tokens"},
        {R"({"keys":[1]})", "key 1: it is no object"},
        {R"({"keys":[{"kty":"OKP"},{"kty":"oct","use":"enc"},{"kty":"EC","crv":"P-384"},
            {"kty":"RSA","alg":"PS256"},{}]})",
         "it has no key for tokens"},
        {R"({"keys":[{"kty":"oct","k":"AA"}]})",
         "key 1: a secret for HS256 has 32 bytes or more, this one has 1"},
        {R"({"keys":[{"kty":"oct"}]})", "key 1: 'k' is not there in base64url"},
        {R"({"keys":[{"kty":"RSA","n":"+"}]})", "key 1: 'n' and 'e' are not there in base64url"},
        {R"({"keys":[{"kty":"RSA","n":"","e":""}]})", "key 1: its numbers are not those of a key"},
        {R"({"keys":[{"kty":"EC","x":"AA","y":"AA"}]})", "key 1: x and y have 32 bytes each"},
        {R"({"keys":[{"kty":"EC","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]})",
         "key 1: its numbers are not those of a key"},
        {R"({"keys":[{"kty":"oct","kid":1}]})", "key 1: its 'kid' is no string"},
    };
    for (const auto& [json, want] : cases) {
        JwtKeys keys;
        std::vector<std::string> warnings;
        const auto added = keys.add_set(json, "set", warnings);
        ASSERT_FALSE(added) << json;
        EXPECT_EQ(added.error(), want) << json;
    }
}

TEST_F(Jwt, leaves_out_keys_for_other_purposes_and_refuses_weak_ones) {
    std::vector<std::string> warnings;
    JwtKeys keys;
    std::string set(openssl_set);
    set.insert(set.find('[') + 1, R"({"kty":"OKP","crv":"Ed25519"},)");
    EXPECT_TRUE(keys.add_set(set, "set", warnings));
    EXPECT_EQ(keys.size(), 2U);
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_EQ(warnings[0].find("Warning: set: key 1 is left out for its type: "), 0U);
    EXPECT_EQ(JwtKey::from_pem(rsa_1024_pem).error(),
              "an RSA key for RS256 has 2048 bits or more, this one 1024");
    EXPECT_FALSE(JwtKey::from_pem("-----BEGIN PUBLIC KEY-----\n"));
    EXPECT_EQ(keys.add_set(openssl_set, "set", warnings).error(),
              "key 1: there are two keys for RS256 with that 'kid'");
}

}  // namespace
}  // namespace auth
