#include "auth/sql_query.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

using enum SqlArgument;

constexpr SqlArgument of_user[] = {user_name, client_id};
constexpr SqlArgument of_rules[] = {user_name, access};

struct Row {
    const char* sentence;
    const char* text;
    std::span<const SqlArgument> asked;
    const char* want;
    std::vector<SqlArgument> bound;
};

TEST(SqlQuery, placeholders_of_all_kinds_become_parameters) {
    const Row rows[] = {
        {"none", "SELECT 1", of_user, "SELECT 1", {}},
        {"?", "a = ?", of_user, "a =  :v1 ", {user_name}},
        {"? in order", "a=? AND b=?", of_user, "a= :v1  AND b= :v2 ", {user_name, client_id}},
        {"? for rules", "a=? AND rw=?", of_rules, "a= :v1  AND rw= :v2 ", {user_name, access}},
        {"$ by number",
         "rw=$2 AND a=$1::text",
         of_rules,
         "rw= :v1  AND a= :v2 ::text",
         {access, user_name}},
        {"%s in quotes", "a = '%s' LIMIT 1", of_user, "a =  :v1  LIMIT 1", {user_name}},
        {"%s in double quotes", "a = \"%s\"", of_user, "a =  :v1 ", {user_name}},
        {"%s bare", "a = %s", of_user, "a =  :v1 ", {user_name}},
        {"%s and %d",
         "(a='%s') AND (rw >= %d)",
         of_rules,
         "(a= :v1 ) AND (rw >=  :v2 )",
         {user_name, access}},
        {"%d first",
         "rw >= %d AND a='%s'",
         of_rules,
         "rw >=  :v1  AND a= :v2 ",
         {access, user_name}},
        {"two %s", "a='%s' AND b='%s'", of_user, "a= :v1  AND b= :v2 ", {user_name, client_id}},
        {"names",
         "a=${username} AND b='${clientid}'",
         of_user,
         "a= :v1  AND b= :v2 ",
         {user_name, client_id}},
        {"all names", "${peerhost}${access}", of_user, " :v1  :v2 ", {peer_host, access}},
        {"a percent sign", "a LIKE 'b%%' AND c % 2", of_user, "a LIKE 'b%' AND c % 2", {}},
        {"? in a text", "a = 'what?' AND b = ?", of_user, "a = 'what?' AND b =  :v1 ", {user_name}},
        {"a doubled quote",
         "a = 'it''s' AND b = ?",
         of_user,
         "a = 'it''s' AND b =  :v1 ",
         {user_name}},
        {"a ; at the end", "SELECT 1 ; ", of_user, "SELECT 1", {}},
        {"IFNULL of auth-plug",
         "SELECT IFNULL(COUNT(*), 0) FROM u WHERE n = '%s' AND super = 1",
         of_user,
         "SELECT IFNULL(COUNT(*), 0) FROM u WHERE n =  :v1  AND super = 1",
         {user_name}},
    };
    for (const Row& row : rows) {
        const auto query = SqlQuery::parse(row.text, row.asked);
        ASSERT_TRUE(query) << row.sentence << ": " << query.error();
        EXPECT_EQ(query->text(), row.want) << row.sentence;
        EXPECT_EQ(query->arguments(), row.bound) << row.sentence;
    }
}

TEST(SqlQuery, what_cannot_be_bound_is_refused) {
    const std::pair<std::string, const char*> rows[] = {
        {"", "is empty"},
        {" ; ", "is empty"},
        {"a = 'x%s'", "inside a longer text"},
        {"a = '${username}@b'", "inside a longer text"},
        {"a = `%s`", "inside a longer text"},
        {"a = ? AND b = '%s'", "of two kinds"},
        {"a = ${user}", "has ${user}; there are ${username}"},
        {"a = ${username", "neither $1 nor ${username}"},
        {"a = $3", "has $3; there are $1 to $2"},
        {"a = $0", "has $0"},
        {"a = $$b$$", "neither $1 nor"},
        {"a = 'b", "has a ' without its end"},
        {"a; DROP TABLE b", "more than one statement"},
        {"a -- b", "has a comment"},
        {"a /* b */", "has a comment"},
        {"a = :name", "name of a parameter"},
        {"a := 1", "name of a parameter"},
        {"a = \"b:c\"", "has a ':' between \" and \""},
        {"a = 'b\\'", "has a backslash"},
        {std::string("a\nb"), "has a control character"},
        {std::string(SqlQuery::bytes_max + 1, 'a'), "is longer than"},
    };
    for (const auto& [text, want] : rows) {
        const auto query = SqlQuery::parse(text, of_user);
        ASSERT_FALSE(query) << text;
        EXPECT_NE(query.error().find(want), std::string::npos) << text << ": " << query.error();
    }
}

TEST(SqlQuery, placeholders_are_limited_in_number) {
    std::string text;
    for (std::size_t i = 0; i < SqlQuery::arguments_max; ++i) text += "?,";
    EXPECT_TRUE(SqlQuery::parse(text, of_user));
    EXPECT_FALSE(SqlQuery::parse(text + "?", of_user));
}

}  // namespace
}  // namespace auth
