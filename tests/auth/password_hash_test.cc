#include "auth/password_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "auth/mosquitto_hash.h"

namespace auth {
namespace {

class PasswordHash : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
    }
};

// All of the password "secret".
struct Row {
    const char* sentence;
    const char* hash;
    const char* salt = "";
};
// clang-format off
const Row rows[] = {
    {"auth-plug: the salt is text",
     "PBKDF2$sha256$901$nightsalt123$5a/v/IWhtw/tp4l44b105q6oT1duwhCS"},
    {"go-auth: the salt is base 64",
     "PBKDF2$sha512$1000$AAECAwQFBgcICQoLDA0ODw==$8ltlLe5cI6KNrWOmMFkTi2iE7fEXJKJJR9lhjd/xSn68"
     "+xOqzv2h20C4IDv/enqlx8f6AaRHE+6XnvHKXKhAjA=="},
    {"Mosquitto's $7$",
     "$7$101$AAECAwQFBgcICQoL$Xr99N9ym9ys8TWxis5ajETJq6EVYzmc6nb8t3pUYnPBbCAbICS4xejTltonXWCtJNBvA"
     "+By+TXUqU6qCblO00w=="},
    {"Mosquitto's $6$",
     "$6$AAECAwQFBgcICQoL$JqsxEv/ucyxjA5DKsQ+Y8CDWaQDNQI9FpAkmfwAqWfwZLk/JEGgM0EpylrJHAZKKyFQjJeZ3"
     "nFaHjPzOzPPmPw=="},
    {"bcrypt 2b", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    {"bcrypt 2y", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    {"bcrypt 2a", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
    {"crypt's $5$", "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2"},
    {"crypt's $6$",
     "$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/Zok96Hr8Q13LEv0DRY/x8v0"
     "/crpIjl8NJSAqXV/"},
    {"md5", "5ebe2294ecd0e0f08eab7690d2a6ee69"},
    {"sha1", "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"},
    {"sha256", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"},
    {"sha256 in capitals", "2BB80D537B1DA3E38BD30361AA855686BDE0EACD7162FEF6A25FE97BF527A25B"},
    {"sha512",
     "bd2b1aaf7ef4f09be9f52ce2d8d599674d81aa9d6a4421696dc4d93dd0619d682ce56b4d64a9ef097761ced99e0f6726"
     "5b5f76085e5b0ee7ca4696b2ad6fe2b2"},
    {"md5, salt before", "afcd70a1438b9b8ce9be72e89ca602a8", "pepper"},
    {"md5, salt behind", "175f352dfaefb7086c066a36e69be09c", "pepper"},
    {"sha1, salt before", "4f2a9862378c29783ab305c0aea53c1f1cb67b1d", "pepper"},
    {"sha256, salt before", "744a9101f7182a6ae0d978121ff74e33cac8d2832579c0637c1c37e9bbb6c065", "pepper"},
    {"sha256, salt behind", "37ed63206cdbaf3f6675549dadf40ba61f411d59ec57ec7c12e439a317d5d39b", "pepper"},
    {"sha512, salt behind",
     "cab785167199b6cbf3be56bc8bd136bdd818915fd6fdf7df588e7ca05fc1cfa80206283c2c572a4d4ea6615e07a70360"
     "02ae77ae8bba60639bb1f43e8a72b6f9", "pepper"},
    {"MySQL's PASSWORD()", "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"},
};
// clang-format on

TEST_F(PasswordHash, of_each_kind_fits_its_password_and_no_other) {
    for (const Row& row : rows) {
        const StoredPassword stored{row.hash, row.salt};
        EXPECT_EQ(verify_password(stored, "secret"), PasswordMatch::right) << row.sentence;
        for (const char* other : {"Secret", "secre", "secret ", "", "pepper"}) {
            EXPECT_EQ(verify_password(stored, other), PasswordMatch::wrong) << row.sentence;
        }
        EXPECT_EQ(verify_password(stored, std::string_view("secret\0x", 8)), PasswordMatch::wrong)
            << row.sentence;
    }
}

TEST_F(PasswordHash, argon2id) {
    if (!MosquittoHash::has_argon2) GTEST_SKIP() << "built without libargon2";
    const StoredPassword stored{
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$Gh8sW4trBHZt8WsaHG4N08sGiShWjlZo2YT8aGT2WPg"};
    EXPECT_EQ(verify_password(stored, "secret"), PasswordMatch::right);
    EXPECT_EQ(verify_password(stored, "Secret"), PasswordMatch::wrong);
}

TEST_F(PasswordHash, what_is_none_fits_nothing) {
    const std::pair<const char*, std::string> none[] = {
        {"nothing", ""},
        {"a word", "secret"},
        {"a blank before it", " 5ebe2294ecd0e0f08eab7690d2a6ee69"},
        {"hex of another length", "5ebe2294ecd0e0f08eab7690d2a6ee"},
        {"no hex", "zebe2294ecd0e0f08eab7690d2a6ee69"},
        {"too long", std::string(2000, 'a')},
        {"PBKDF2 cut off", "PBKDF2$sha256$901$nightsalt123"},
        {"PBKDF2 of md5", "PBKDF2$md5$901$nightsalt123$5a/v/IWhtw/tp4l44b105q6oT1duwhCS"},
        {"PBKDF2 without hash", "PBKDF2$sha256$901$nightsalt123$"},
        {"PBKDF2 of 0", "PBKDF2$sha256$0$nightsalt123$5a/v/IWhtw/tp4l44b105q6oT1duwhCS"},
        {"PBKDF2 of too many",
         "PBKDF2$sha256$10000001$nightsalt123$5a/v/IWhtw/tp4l44b105q6oT1duwhCS"},
        {"$7$ with a salt of text", "$7$101$!$Xr99N9ym"},
        {"bcrypt that takes hours", "$2b$31$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},
        {"bcrypt cut off", "$2b$04$abc"},
        {"crypt of too many",
         "$6$rounds=999999999$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNK"},
        {"argon2 of too much", "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzYWx0$Gh8sW4tr"},
        {"argon2 cut off", "$argon2id$v=19"},
        {"MySQL's, no hex", "*Z4E65567ABDB5135D0CFD9A70B3032C179A49EE7"},
    };
    for (const auto& [sentence, hash] : none) {
        EXPECT_EQ(verify_password({hash}, "secret"), PasswordMatch::unreadable) << sentence;
    }
}

TEST_F(PasswordHash, a_plain_password_only_where_it_is_allowed) {
    const StoredPassword plain{"secret", "", true};
    EXPECT_EQ(verify_password(plain, "secret"), PasswordMatch::right);
    EXPECT_EQ(verify_password(plain, "Secret"), PasswordMatch::wrong);
    EXPECT_EQ(verify_password({"secret", "", false}, "secret"), PasswordMatch::unreadable);
    // What looks like a hash is one: to know it is not to know the password.
    const char* const md5 = "5ebe2294ecd0e0f08eab7690d2a6ee69";
    EXPECT_EQ(verify_password({md5, "", true}, md5), PasswordMatch::wrong);
}

}  // namespace
}  // namespace auth
