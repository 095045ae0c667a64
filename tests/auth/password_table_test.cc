#include "auth/password_table.h"

#include <gtest/gtest.h>

#include <set>

namespace auth {
namespace {

using base::as_bytes;
using Kind = MosquittoHash::Kind;

// Of mosquitto_passwd 2.0.11.
const std::string sha512_of_secret2 =
    "$6$HbQRqy1v4s+GtMqp$Q4oNllIdRaBbe7HdLwQVXJ0rUJ8It+"
    "TH66JHFiKgtmbnDnSsCRHtVVqjIcK9M48nz8DFvRhzxAVy"
    "p5rD3gHgDg==";
const std::string pbkdf2_of_secret =
    "$7$101$wK7yyGJg2mB3WJzY$"
    "wcK5hG0tAcTM3PeI6ZpnfaunY9Qb97EpOoPI8lDNPkkoHeHIggmPupb7O6hCuQyNPiDAdEey"
    "FTFBeBoD4SF5mw==";

class Hashes : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
    }
};
class Passwords : public Hashes {};

TEST_F(Hashes, know_the_passwords_that_mosquitto_has_hashed) {
    const auto six = MosquittoHash::parse(sha512_of_secret2);
    const auto seven = MosquittoHash::parse(pbkdf2_of_secret);
    ASSERT_TRUE(six && seven);
    EXPECT_TRUE(six->matches(as_bytes("secret2")));
    EXPECT_TRUE(seven->matches(as_bytes("secret")));
    for (const char* wrong : {"", "secret", "secret22", "Secret2"}) {
        EXPECT_FALSE(six->matches(as_bytes(wrong))) << wrong;
    }
    EXPECT_FALSE(seven->matches(as_bytes("secret2")));
    EXPECT_EQ(six->to_text(), sha512_of_secret2);
    EXPECT_EQ(seven->to_text(), pbkdf2_of_secret);
}

TEST_F(Hashes, of_argon2id_are_those_of_its_reference) {
    const std::string text =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    const auto hash = MosquittoHash::parse(text);
    if (!MosquittoHash::has_argon2) {
        ASSERT_FALSE(hash);
        EXPECT_EQ(hash.error(), "this build has no libargon2 to read $argon2id$ with");
        return;
    }
    ASSERT_TRUE(hash) << hash.error();
    EXPECT_TRUE(hash->matches(as_bytes("password")));
    EXPECT_FALSE(hash->matches(as_bytes("Password")));
    EXPECT_EQ(hash->to_text(), text);
}

TEST_F(Hashes, are_made_with_a_salt_of_their_own) {
    for (const Kind kind : {Kind::sha512, Kind::pbkdf2, Kind::argon2id}) {
        if (kind == Kind::argon2id && !MosquittoHash::has_argon2) continue;
        const auto one = MosquittoHash::make(kind, as_bytes("pencil"), 1);
        const auto other = MosquittoHash::make(kind, as_bytes("pencil"), 1);
        EXPECT_NE(one.to_text(), other.to_text());
        const auto again = MosquittoHash::parse(one.to_text());
        ASSERT_TRUE(again) << one.to_text();
        EXPECT_TRUE(again->matches(as_bytes("pencil")));
        EXPECT_FALSE(one.decoy().matches(as_bytes("pencil")));
        EXPECT_EQ(one.decoy().to_text().size(), one.to_text().size());
    }
}

struct Malformed {
    const char* sentence;
    std::string line;
    const char* want;
};

TEST_F(Passwords, a_malformed_line_is_named_and_opens_no_door) {
    const std::string hash = std::string(86, 'A') + "==";
    const Malformed table[] = {
        {"CVE-2018-12551: a name alone", "ann", "there is no colon behind the user name"},
        {"no hash", "ann:", "user 'ann' has no password hash"},
        {"no name", ":" + sha512_of_secret2, "there is no user name"},
        {"a plain password", "ann:secret", "nightjar passwd -U"},
        {"another kind", "ann:$5$YWJj$" + hash, "it is no hash of the kinds"},
        {"no salt", "ann:$6$", "the salt is not 1 to 1024 bytes in base 64"},
        {"a salt that is no base 64", "ann:$6$a!bc$" + hash, "the salt is not"},
        {"a short hash", "ann:$6$YWJj$YWJj", "the hash is not 64 bytes in base 64"},
        {"something behind the hash", "ann:" + sha512_of_secret2 + ":x", "the hash is not 64"},
        {"no iterations", "ann:$7$$YWJj$" + hash, "iterations must be 1 to 10000000"},
        {"0 iterations", "ann:$7$0$YWJj$" + hash, "iterations must be"},
        {"-1 iterations", "ann:$7$-1$YWJj$" + hash, "iterations must be"},
        {"too many iterations", "ann:$7$10000001$YWJj$" + hash, "iterations must be"},
        {"a control character", "a\tnn:" + sha512_of_secret2, "no control characters"},
        {"twice", "bob:" + sha512_of_secret2, "user 'bob' is here twice"},
    };
    for (const Malformed& row : table) {
        const std::string text = "# users\nbob:" + pbkdf2_of_secret + "\n\n" + row.line + "\n";
        const auto read = PasswordTable::parse(text, "users");
        ASSERT_FALSE(read) << row.sentence;
        EXPECT_TRUE(read.error().starts_with("users:4: Error: ")) << read.error();
        EXPECT_NE(read.error().find(row.want), std::string::npos)
            << row.sentence << ": " << read.error();
    }
}

TEST_F(Passwords, a_malformed_argon2id_is_refused) {
    if (!MosquittoHash::has_argon2) GTEST_SKIP() << "built without libargon2";
    const std::string rest = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    const std::string table[] = {"$argon2id$v=18$m=65536,t=2,p=1" + rest,
                                 "$argon2id$v=19$m=65536,t=2" + rest,
                                 "$argon2id$v=19$m=99999999,t=2,p=1" + rest,
                                 "$argon2id$v=19$m=65536,t=0,p=1" + rest,
                                 "$argon2id$v=19$m=8,t=1,p=2" + rest,
                                 "$argon2id$v=19$m=65536,t=2,p=1$c29t$c29tZXNhbHQ",
                                 "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ="
                                 "$c29tZXNhbHQ",
                                 "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$"};
    for (const std::string& text : table) EXPECT_FALSE(MosquittoHash::parse(text)) << text;
}

TEST_F(Passwords, users_are_found_and_others_cost_as_much) {
    const auto table = PasswordTable::parse(
        "# c\r\nann:" + pbkdf2_of_secret + "\r\nbob:" + sha512_of_secret2, "users");
    ASSERT_TRUE(table) << table.error();
    EXPECT_EQ(table->size(), 2U);
    EXPECT_TRUE(table->find("ann").is_user);
    EXPECT_TRUE(table->find("ann").hash.matches(as_bytes("secret")));
    std::set<std::string> costs;
    for (int i = 0; i < 100; ++i) {
        const std::string name = "nobody" + std::to_string(i);
        const PasswordTable::Found found = table->find(name);
        EXPECT_FALSE(found.is_user);
        EXPECT_EQ(found.hash.to_text(), table->find(name).hash.to_text());
        costs.insert(found.hash.to_text().substr(0, 3));
    }
    EXPECT_EQ(costs, (std::set<std::string>{"$6$", "$7$"}));
    const auto empty = PasswordTable::parse("", "users");
    ASSERT_TRUE(empty);
    EXPECT_FALSE(empty->find("ann").is_user);
}

}  // namespace
}  // namespace auth
