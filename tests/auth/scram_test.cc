#include "auth/scram.h"

#include <gtest/gtest.h>

#include "auth/base64.h"

namespace auth {
namespace {

// RFC 7677, section 3.
constexpr std::string_view client_nonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view challenge =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view verdict = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramKeys keys_of(std::string_view password) {
    return derive_keys(password, *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
}

class Scram : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_crypto) GTEST_SKIP() << "built without OpenSSL";
    }
    // A server that has sent its challenge.
    static ScramServer asking(std::string_view first_message, std::string_view password) {
        ScramServer server{std::string(server_nonce)};
        EXPECT_TRUE(server.read_first(first_message));
        server.challenge(keys_of(password));
        return server;
    }
};

TEST_F(Scram, speaks_as_rfc_7677_has_it) {
    ScramServer server{std::string(server_nonce)};
    EXPECT_EQ(server.read_first(first).value_or("refused"), "user");
    EXPECT_EQ(server.challenge(keys_of("pencil")), challenge);
    EXPECT_EQ(server.read_final(final).value_or("refused"), verdict);
}

TEST_F(Scram, refuses_another_password_and_keys_that_nobody_has) {
    EXPECT_EQ(asking(first, "pen").read_final(final).error(),
              "SCRAM-SHA-256: user name or password is wrong");
    ScramServer server{std::string(server_nonce)};
    ASSERT_TRUE(server.read_first(first));
    server.challenge({.iterations = 4096, .salt = {1, 2, 3, 4, 5, 6, 7, 8}});
    EXPECT_FALSE(server.read_final(final));
}

struct First {
    const char* sentence;
    std::string message;
    std::string_view want;  // The user, or a word of the refusal.
};

std::vector<First> first_messages() {
    return {
        {"as in the RFC", std::string(first), "user"},
        {"binding supported, but not offered", "y,,n=user,r=abc", "user"},
        {"acting as oneself", "n,a=user,n=user,r=abc", "user"},
        {"extensions are passed over", "n,,n=user,r=abc,x=1,y=2", "user"},
        {"comma and equals sign in the name", "n,,n=a=2Cb=3D,r=abc", "a,b="},
        {"a name beyond ASCII", "n,,n=\xC3\xA4,r=abc", "\xC3\xA4"},
        {"MQTT's longest is not SCRAM's", "n,,n=user,r=" + std::string(4096, 'a'), "too long"},
        {"binding demanded", "p=tls-unique,,n=user,r=abc", "channel binding is not supported"},
        {"another flag", "x,,n=user,r=abc", "binding flag"},
        {"no flag", ",,n=user,r=abc", "binding flag"},
        {"flag alone", "n", "malformed user name"},
        {"empty", "", "binding flag"},
        {"acting as another", "n,a=admin,n=user,r=abc", "acting as another"},
        {"malformed name to act as", "n,admin,n=user,r=abc", "name to act as"},
        {"mandatory extension", "n,,m=1,n=user,r=abc", "mandatory extension"},
        {"no name", "n,,r=abc", "user name"},
        {"empty name", "n,,n=,r=abc", "user name"},
        {"unknown escape", "n,,n=a=2Db,r=abc", "user name"},
        {"lower-case escape", "n,,n=a=2c,r=abc", "user name"},
        {"escape cut short", "n,,n=a=2,r=abc", "user name"},
        {"control character", "n,,n=a\tb,r=abc", "user name"},
        {"DEL", "n,,n=a\x7F,r=abc", "user name"},
        {"NUL", std::string("n,,n=a\0b,r=abc", 14), "user name"},
        {"not UTF-8", "n,,n=\xFF,r=abc", "user name"},
        {"no nonce", "n,,n=user", "nonce"},
        {"empty nonce", "n,,n=user,r=", "nonce"},
        {"blank in the nonce", "n,,n=user,r=a c", "nonce"},
        {"high byte in the nonce", "n,,n=user,r=a\x80", "nonce"},
        {"the other order", "n,,r=abc,n=user", "user name"},
    };
}

TEST_F(Scram, judges_first_messages) {
    for (const First& row : first_messages()) {
        ScramServer server("server");
        const auto user = server.read_first(row.message);
        const std::string got = user ? *user : user.error();
        const bool is_refusal = row.want.find(' ') != std::string_view::npos || !user;
        EXPECT_NE(got.find(row.want), std::string::npos) << row.sentence << ": " << got;
        if (!is_refusal) {
            EXPECT_EQ(got, row.want) << row.sentence;
        }
        EXPECT_EQ(!user, got.starts_with("SCRAM-SHA-256: ")) << row.sentence;
    }
}

// The final message of the RFC with one part replaced.
std::string altered(std::string_view from, std::string_view to) {
    std::string text(final);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST_F(Scram, judges_final_messages) {
    const std::string longer = "," + std::string(4096, 'x') + ",p=";
    struct Row {
        const char* sentence;
        std::string message;
        std::string_view want;
    };
    const Row rows[] = {
        {"another head", altered("c=biws", "c=eSws"), "channel binding differs"},
        {"head not in base 64", altered("c=biws", "c=n,,"), "malformed"},
        {"no head", altered("c=biws,", ""), "malformed"},
        {"nonce without ours", altered(server_nonce, ""), "nonce differs"},
        {"nonce of another", altered("rOpr", "xOpr"), "nonce differs"},
        {"no nonce", altered(",r=rOpr", ",x=rOpr"), "malformed"},
        {"no proof", altered(",p=dHzb", ",x=dHzb"), "without proof"},
        {"proof not in base 64", altered("p=dHzb", "p=dHz"), "malformed"},
        {"proof too short", altered("dHzbZapWIk4j", ""), "is wrong"},
        {"empty proof", altered("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", ""), "is wrong"},
        {"one bit of the proof", altered("dHzb", "dHzc"), "is wrong"},
        {"an extension is signed, too", altered(",p=", ",x=1,p="), "is wrong"},
        {"too long", altered(",p=", longer), "too long"},
        {"empty", "", "without proof"},
        {"proof alone", ",p=", "malformed"},
    };
    for (const Row& row : rows) {
        const auto proof = asking(first, "pencil").read_final(row.message);
        ASSERT_FALSE(proof) << row.sentence;
        EXPECT_NE(proof.error().find(row.want), std::string::npos)
            << row.sentence << ": " << proof.error();
    }
}

// Client and server with a head of another form; the client's half is written out here.
TEST_F(Scram, binds_the_head_of_the_first_message) {
    const std::string head = "y,a=user,";
    const std::string bare = "n=user,r=abc";
    const ScramKeys keys = keys_of("pencil");
    ScramServer server("XYZ");
    ASSERT_TRUE(server.read_first(head + bare));
    const std::string asked = server.challenge(keys);
    const std::string without_proof =
        "c=" + encode_base64(base::as_bytes(head)) + ",r=abcXYZ,ext=1";
    const std::string text = bare + "," + asked + "," + without_proof;
    const Digest salted = pbkdf2_sha256("pencil", keys.salt, keys.iterations);
    Digest proof = hmac_sha256(salted, base::as_bytes("Client Key"));
    const Digest signature = hmac_sha256(sha256(proof), base::as_bytes(text));
    for (std::size_t i = 0; i < proof.size(); ++i) {
        proof[i] = static_cast<std::uint8_t>(proof[i] ^ signature[i]);
    }
    const auto answer = server.read_final(without_proof + ",p=" + encode_base64(proof));
    const Digest server_signature = hmac_sha256(keys.server_key, base::as_bytes(text));
    EXPECT_EQ(answer.value_or("refused"), "v=" + encode_base64(server_signature));
}

TEST(Prepared, is_what_saslprep_leaves_alone) {
    struct Row {
        std::string_view text;
        bool want;
    };
    const Row rows[] = {{"user", true}, {"a b,c=d:e", true},    {"\xC3\xA4", true}, {"", false},
                        {"a\n", false}, {"\x1F", false},        {"\x7F", false},    {"\x80", false},
                        {"~", true},    {"\xED\xA0\x80", false}};
    for (const Row& row : rows) EXPECT_EQ(is_prepared(row.text), row.want) << row.text;
}

}  // namespace
}  // namespace auth
