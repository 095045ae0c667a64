// On SQLite, which needs no server. The others: tests/scenarios/sql_*_test.py.
#include "auth/sql_connection.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace auth {
namespace {

class Connection : public ::testing::Test {
protected:
    void SetUp() override {
        if (!has_sql) GTEST_SKIP() << "built without SOCI";
        ASSERT_NE(mkdtemp(folder_.data()), nullptr);
        server_.kind = SqlServer::Kind::sqlite;
        server_.database = folder_ + "/users of the house.db";
        SqlConnection tool(server_);
        run(tool, "CREATE TABLE u (name TEXT, pw TEXT, n INTEGER, big BIGINT, f REAL)");
        run(tool, "INSERT INTO u VALUES (:v1, :v2, 7, 5000000000, 1.5)", {"ann", "it's"});
        run(tool, "INSERT INTO u VALUES ('bob', NULL, 0, 0, 0)");
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    static void run(SqlConnection& connection, const std::string& text,
                    const std::vector<std::string>& values = {}) {
        const auto done = connection.execute(text, values);
        ASSERT_TRUE(done) << done.error().message;
    }
    static SqlQuery query(std::string_view text) {
        constexpr SqlArgument asked[] = {SqlArgument::user_name, SqlArgument::access};
        auto parsed = SqlQuery::parse(text, asked);
        EXPECT_TRUE(parsed) << parsed.error();
        return *parsed;
    }

    std::string folder_ = "/tmp/nightjar-sql-XXXXXX";
    SqlServer server_;
};

TEST_F(Connection, gives_rows_as_text) {
    SqlConnection connection(server_);
    const auto table = connection.query(query("SELECT name AS Who, pw, n, big, f FROM u "
                                              "WHERE name = '%s' AND n >= %d"),
                                        {.user_name = "ann", .access = 7});
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_EQ(table->columns, (std::vector<std::string>{"who", "pw", "n", "big", "f"}));
    ASSERT_EQ(table->rows.size(), 1U);
    EXPECT_EQ(table->find(table->rows[0], "pw"), "it's");
    EXPECT_EQ(table->find(table->rows[0], "n"), "7");
    EXPECT_EQ(table->find(table->rows[0], "big"), "5000000000");
    EXPECT_EQ(table->find(table->rows[0], "nothing"), std::nullopt);
}

TEST_F(Connection, binds_each_time_anew_and_injects_nothing) {
    SqlConnection connection(server_);
    const SqlQuery by_name = query("SELECT pw FROM u WHERE name = ?");
    const char* const names[] = {"ann", "x' OR '1'='1", "bob", "ann'; DROP TABLE u; --",
                                 "",    "ann\\",        "\"",  "ann"};
    const std::size_t rows[] = {1, 0, 1, 0, 0, 0, 0, 1};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        const auto table = connection.query(by_name, {.user_name = names[i]});
        ASSERT_TRUE(table) << table.error().message;
        EXPECT_EQ(table->rows.size(), rows[i]) << names[i];
    }
    const auto bob = connection.query(by_name, {.user_name = "bob"});
    ASSERT_TRUE(bob && bob->rows.size() == 1U);
    EXPECT_EQ(bob->rows[0][0], std::nullopt);
}

TEST_F(Connection, an_error_is_a_sentence_and_the_next_query_works) {
    SqlConnection connection(server_);
    const auto wrong = connection.query(query("SELECT pw FROM nowhere"), {});
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("no such table: nowhere"), std::string::npos);
    EXPECT_FALSE(wrong.error().is_lost);
    EXPECT_TRUE(connection.query(query("SELECT pw FROM u"), {}));
    server_.database = folder_ + "/no folder/users.db";
    SqlConnection nowhere(server_);
    for (int i = 0; i < 2; ++i) {
        const auto lost = nowhere.query(query("SELECT 1"), {});
        EXPECT_TRUE(!lost && lost.error().is_lost);
    }
}

TEST_F(Connection, an_error_of_a_statement_says_nothing_of_its_values) {
    SqlConnection connection(server_);
    const auto wrong = connection.execute("INSERT INTO nowhere VALUES (:v1)", {"a secret"});
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().message.find("no such table: nowhere"), std::string::npos);
    EXPECT_EQ(wrong.error().message.find("secret"), std::string::npos) << wrong.error().message;
}

TEST_F(Connection, rows_are_limited_in_number) {
    SqlConnection connection(server_);
    const std::string many =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c LIMIT {}) SELECT x FROM c";
    const auto with = [&](std::size_t rows) {
        std::string text = many;
        return query(text.replace(text.find("{}"), 2, std::to_string(rows)));
    };
    EXPECT_TRUE(connection.query(with(SqlConnection::rows_max), {}));
    const auto more = connection.query(with(SqlConnection::rows_max + 1), {});
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().message, "more than 10000 rows");
}

}  // namespace
}  // namespace auth
