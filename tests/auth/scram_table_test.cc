#include "auth/scram_table.h"

#include <gtest/gtest.h>

#include "auth/access_file.h"
#include "auth/base64.h"

namespace auth {
namespace {

// Of the password "pencil", by RFC 7677.
constexpr std::string_view keys_text =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

std::string line(std::string_view user) {
    return std::string(user) + ":" + std::string(keys_text) + "\n";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

class Table : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
    }
    static ScramTable table(const std::string& text) {
        auto parsed = ScramTable::parse(text, "users");
        EXPECT_TRUE(parsed) << parsed.error();
        return parsed ? std::move(*parsed) : ScramTable();
    }
};

TEST_F(Table, reads_what_postgresql_writes) {
    const ScramTable users = table("# those of the house\n\n" + line("alice") + line("b c"));
    EXPECT_EQ(users.size(), 2U);
    ASSERT_NE(users.find("alice"), nullptr);
    const ScramKeys keys = *users.find("alice");
    const ScramKeys want = derive_keys("pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
    EXPECT_EQ(keys.iterations, want.iterations);
    EXPECT_EQ(keys.salt, want.salt);
    EXPECT_EQ(keys.stored_key, want.stored_key);
    EXPECT_EQ(keys.server_key, want.server_key);
    EXPECT_EQ(to_line("alice", want) + "\n", line("alice"));
    EXPECT_NE(users.find("b c"), nullptr);
    EXPECT_EQ(users.find("bob"), nullptr);
}

TEST_F(Table, takes_other_line_ends_and_a_last_line_without) {
    const ScramTable users =
        table(replaced(line("a"), "\n", "\r\n") + "b:" + std::string(keys_text));
    EXPECT_TRUE(users.find("a") && users.find("b"));
    EXPECT_EQ(table("").size(), 0U);
}

TEST_F(Table, refuses_a_file_for_one_bad_line_and_names_it) {
    struct Row {
        const char* sentence;
        std::string bad;
        std::string_view want;
    };
    const std::string good = line("bob");
    const Row rows[] = {
        {"no colon", "bob\n", "no colon"},
        {"no user", line(""), "name is UTF-8"},
        {"control character", line("a\x01"), "name is UTF-8"},
        {"long name", line(std::string(1025, 'a')), "at most 1024 bytes"},
        {"another method", replaced(good, "256", "512"), "do not begin with SCRAM-SHA-256$"},
        {"another kind of file", "bob:$7$101$abc$def\n", "do not begin with SCRAM-SHA-256$"},
        {"few iterations", replaced(good, "4096", "4095"), "4096 to 10000000"},
        {"many iterations", replaced(good, "4096", "10000001"), "4096 to 10000000"},
        {"no number", replaced(good, "4096", "4096x"), "4096 to 10000000"},
        {"beyond numbers", replaced(good, "4096", "99999999999"), "4096 to 10000000"},
        {"short salt", replaced(good, "W22ZaJ0SNY7soEsUEjb6gQ==", "AAAA"), "salt"},
        {"long salt", replaced(good, "W22ZaJ0SNY7soEsUEjb6gQ==", std::string(88, 'A')), "salt"},
        {"salt not in base 64", replaced(good, "W22", "W2"), "salt"},
        {"short key", replaced(good, "WG5d8oPm", ""), "a key is not"},
        {"no second key", "bob:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$AAAA\n", "a key"},
        {"something behind", replaced(good, "2dU=\n", "2dU=:x\n"), "a key is not"},
        {"twice", line("alice"), "user 'alice' is here twice"},
    };
    for (const Row& row : rows) {
        const auto parsed = ScramTable::parse("#\n" + line("alice") + row.bad + good, "/etc/users");
        ASSERT_FALSE(parsed) << row.sentence;
        EXPECT_TRUE(parsed.error().starts_with("/etc/users:3: Error: ")) << parsed.error();
        EXPECT_NE(parsed.error().find(row.want), std::string::npos) << parsed.error();
    }
}

TEST_F(Table, an_unknown_user_has_keys_like_any_other) {
    const std::string text = replaced(line("alice"), "4096", "15000") + line("bob");
    const ScramTable users = table(text);
    const ScramDecoys& decoys = users.decoys();
    const ScramKeys keys = decoys.keys_of("mallory");
    EXPECT_EQ(keys.iterations, 15000U);
    EXPECT_EQ(keys.salt.size(), 16U);
    EXPECT_NE(keys.salt, users.find("alice")->salt);
    EXPECT_NE(keys.salt, decoys.keys_of("eve").salt);
    EXPECT_EQ(keys.salt, decoys.keys_of("mallory").salt);
    EXPECT_EQ(keys.salt, table(text).decoys().keys_of("mallory").salt) << "after a restart";
    EXPECT_NE(keys.stored_key, Digest{});
}

TEST(ScramLines, are_added_replaced_and_removed_alone) {
    const ScramKeys keys = {.iterations = 5000, .salt = {1, 2, 3, 4, 5, 6, 7, 8}};
    const std::string own = to_line("bob", keys) + "\n";
    struct Row {
        const char* sentence;
        std::string text;
        std::string with;
        std::optional<std::string> without;
    };
    const Row rows[] = {
        {"an empty file", "", own, std::nullopt},
        {"another user", line("bobby"), line("bobby") + own, std::nullopt},
        {"no last line end", "#x", "#x\n" + own, std::nullopt},
        {"in the middle", "# bob:\n" + line("bob") + "\n" + line("eve"),
         "# bob:\n" + own + "\n" + line("eve"), "# bob:\n\n" + line("eve")},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(with_user(row.text, "bob", keys), row.with) << row.sentence;
        EXPECT_EQ(without_user(row.text, "bob"), row.without) << row.sentence;
    }
}

}  // namespace
}  // namespace auth
