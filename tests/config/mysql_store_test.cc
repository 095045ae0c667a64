// Messages in MySQL: mysql_store and its options.
#include "config/mysql_store.h"

#include <gtest/gtest.h>

#include "config/memory_files.h"

namespace config {
namespace {

TEST(MysqlStoreOptions, each_option_is_read) {
    const auto config = parse_text(
        "mysql_store a/+/# messages\nmysql_store two words/x  history.t_1$\n"
        "mysql_store_server db.example:3307\nmysql_store_database mqtt\nmysql_store_user nj\n"
        "mysql_store_password_file /secret\nmysql_store_timeout 500ms\n"
        "mysql_store_queue_messages 7\nmysql_store_queue_bytes 4294967295\n");
    ASSERT_TRUE(config) << to_string(config.error());
    const MysqlStore& store = config->mysql_store;
    EXPECT_EQ(store.lines, (std::vector<MysqlStoreLine>{{"a/+/#", "messages"},
                                                        {"two words/x", "history.t_1$"}}));
    EXPECT_EQ(store.lines[1].place.text, "main.conf:2");
    EXPECT_EQ(store.database.host, "db.example");
    EXPECT_EQ(store.database.port, 3307);
    EXPECT_EQ(store.database.database, "mqtt");
    EXPECT_EQ(store.database.user, "nj");
    EXPECT_EQ(store.database.password_file, "/secret");
    EXPECT_EQ(store.database.timeout_ms, 500U);
    EXPECT_EQ(store.database.place.text, "main.conf:3");
    EXPECT_EQ(store.queue, (MysqlStoreQueue{7, 4'294'967'295}));
    EXPECT_EQ(shown_warnings(*config), std::vector<std::string>{});
}

TEST(MysqlStoreOptions, the_database_of_users_is_taken_where_there_is_one) {
    const std::string line = "mysql_store a messages\n";
    const std::string listener = "listener 1884\nauth_mysql_database d\n";
    for (const std::string& text :
         {"auth_mysql_database d\n" + line, line + "auth_mysql_database d\n",
          "per_listener_settings true\nlistener 1883\n" + line + listener}) {
        const auto config = parse_text(text);
        ASSERT_TRUE(config) << to_string(config.error());
        EXPECT_EQ(config->mysql_store.database.database, "d") << text;
    }
    EXPECT_EQ(parse_text(line + "auth_mysql_database d\nmysql_store_database e\n")
                  ->mysql_store.database.database,
              "e");
}

TEST(MysqlStoreOptions, what_is_wrong_is_said) {
    const std::string database = "mysql_store_database d\n";
    const std::string line = "mysql_store a messages\n";
    const std::string first = "main.conf:2: Error: Invalid 'mysql_store' ";
    const std::pair<std::string, std::string> rows[] = {
        {line, "Error: mysql_store (main.conf:1): no database is named; say 'mysql_store_server'"},
        {line + "auth_sqlite_database d", "no database is named"},
        {line + "per_listener_settings true\nlistener 1883\nauth_mysql_database a\nlistener 1884\n"
                "auth_mysql_database b",
         "there are several databases of users"},
        {database, "mysql_store_* without 'mysql_store FILTER TABLE'"},
        {"mysql_store_queue_messages 5", "mysql_store_* without 'mysql_store FILTER TABLE'"},
        {line + "mysql_store_user u", "mysql_store (main.conf:2): the database is not named"},
        {database + "mysql_store", "main.conf:2: Error: Empty 'mysql_store' value"},
        {database + "mysql_store a", "main.conf:2: Error: 'mysql_store a': write 'mysql_store F"},
        {database + "mysql_store a/#/b t", first + "filter (a/#/b)"},
        {database + "mysql_store $SYS/# t", first + "filter ($SYS/#): what the broker says"},
        {database + "mysql_store $share/g/a t", first + "filter ($share/g/a)"},
        {database + "mysql_store a t`", first + "table (t`): letters, digits"},
        {database + "mysql_store a t;", first + "table (t;)"},
        {database + "mysql_store a d.", first + "table (d.)"},
        {database + "mysql_store a a.b.c", first + "table (a.b.c)"},
        {database + "mysql_store a " + std::string(65, 't'), first + "table (ttt"},
        {line + "mysql_store_databse d", "main.conf:2: Error: Unknown configuration variable"},
        {line + "mysql_store_userquery x", "main.conf:2: Error: Unknown configuration variable"},
        {line + "mysql_store_queue_messages 0", "Invalid 'mysql_store_queue_messages' value (0)"},
        {line + "mysql_store_timeout 5y", "Write 5s, 500ms"},
        {line + database + "mysql_store_timeout 1ms", "must be 100ms or more"},
        {line + database + "mysql_store_tls on", "needs 'tls_ca'"},
    };
    for (const auto& [text, error] : rows) {
        EXPECT_NE(error_of(text).find(error), std::string::npos) << text << "\n" << error_of(text);
    }
}

TEST(MysqlStoreOptions, has_a_hundred_lines) {
    std::string text = "mysql_store_database d\n";
    for (int i = 0; i < 100; ++i) text += "mysql_store a t\n";
    EXPECT_TRUE(parse_text(text));
    EXPECT_EQ(error_of(text + "mysql_store a t\n"),
              "main.conf:102: Error: More than 100 lines of 'mysql_store'.");
}

}  // namespace
}  // namespace config
