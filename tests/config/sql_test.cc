// Users in SQL databases: auth_mysql_* and its kin, and the options of two plugins.
#include <gtest/gtest.h>

#include "config/memory_files.h"

namespace config {
namespace {

SqlAuth sql_of(const std::string& text) {
    const auto config = parse_text(text);
    EXPECT_TRUE(config) << text << to_string(config.error());
    return config ? config->listeners.at(0).security.sql : SqlAuth();
}

TEST(Sql, each_option_of_ours_is_read) {
    const SqlAuth sql = sql_of(
        "auth_mysql_server db.example:3307\nauth_mysql_database mqtt\nauth_mysql_user nj\n"
        "auth_mysql_password it's secret\nauth_mysql_userquery SELECT pw FROM u WHERE n = '%s'\n"
        "auth_mysql_superquery SELECT 1\nauth_mysql_aclquery SELECT t FROM r WHERE n = ?\n"
        "auth_mysql_superusers admin*\nauth_mysql_pool_size 3\nauth_mysql_timeout 500ms\n"
        "auth_mysql_cache 1m\nauth_mysql_acl_cache 2\nauth_mysql_negative_cache 0s\n"
        "auth_mysql_stale_if_error 1d\nauth_mysql_on_error stale\nauth_mysql_tls on\n"
        "auth_mysql_tls_ca ca\nauth_mysql_plain_passwords true\n");
    SqlAuth want;
    want.kind = SqlAuth::Kind::mysql;
    want.host = "db.example";
    want.port = 3307;
    want.database = "mqtt";
    want.user = "nj";
    want.password = "it's secret";
    want.user_query.text = "SELECT pw FROM u WHERE n = '%s'";
    want.super_query.text = "SELECT 1";
    want.acl_query.text = "SELECT t FROM r WHERE n = ?";
    want.superusers = "admin*";
    want.pool_size = 3;
    want.timeout_ms = 500;
    want.cache_ms = 60'000;
    want.acl_cache_ms = 2'000;
    want.negative_cache_ms = 0;
    want.stale_if_error_ms = 86'400'000;
    want.on_error = SqlAuth::OnError::stale;
    want.tls = SqlAuth::Tls::on;
    want.tls_ca = "ca";
    want.plain_passwords = true;
    EXPECT_EQ(sql, want);
    EXPECT_EQ(sql.place.text, "main.conf:1");
    EXPECT_EQ(sql.acl_query.place.text, "main.conf:7");
}

TEST(Sql, servers_are_named_in_several_ways) {
    const std::tuple<const char*, const char*, std::uint16_t, const char*> rows[] = {
        {"db", "db", 0, ""},
        {"db:1", "db", 1, ""},
        {"[::1]:5", "::1", 5, ""},
        {"::1", "::1", 0, ""},
        {"unix:/run/db", "", 0, "/run/db"},
        {"/run/db", "", 0, "/run/db"},
    };
    for (const auto& [text, host, port, path] : rows) {
        const SqlAuth sql = sql_of("auth_postgresql_database d\nauth_postgresql_server " +
                                   std::string(text) + "\n");
        EXPECT_EQ(sql.kind, SqlAuth::Kind::postgresql);
        EXPECT_EQ(std::tuple(sql.host, sql.port, sql.unix_path),
                  std::tuple(std::string(host), port, std::string(path)));
    }
}

TEST(Sql, what_is_wrong_is_said) {
    const std::pair<const char*, const char*> rows[] = {
        {"auth_mysql_databse d", "main.conf:1: Error: Unknown configuration variable"},
        {"auth_mysql_database", "main.conf:1: Error:"},
        {"auth_mysql_user u", "users in SQL (main.conf:1): the database is not named"},
        {"auth_mysql_timeout 5 s", "Invalid 'timeout' value (5 s)"},
        {"auth_mysql_timeout 5y", "Write 5s, 500ms, 10m, 1h or 1d"},
        {"auth_mysql_pool_size 65", "It must be 1 to 64"},
        {"auth_mysql_on_error shrug", "Invalid 'on_error' value (shrug)"},
        {"auth_mysql_server db:0", "Invalid 'port' value (0)"},
        {"auth_mysql_server :1", "Invalid 'server' value"},
        {"auth_mysql_database d\nauth_sqlite_database e", "another database already (main.conf:1)"},
        {"auth_mysql_database d\nauth_mysql_tls verify", "'tls verify' is not there for MySQL"},
        {"auth_mysql_database d\nauth_mysql_tls on", "needs 'tls_ca'"},
        {"auth_mysql_database d\nauth_mysql_timeout 1ms", "must be 100ms or more"},
        {"auth_mysql_database d\nauth_mysql_superquery x", "'superquery' without 'userquery'"},
        {"auth_mysql_database d\nauth_mysql_password x\nauth_mysql_password_file y", "exclude"},
        {"auth_plugin /x/auth-plug.so\nauth_opt_backends files", "asks for none of the back ends"},
        {"auth_plugin /x/go-auth.so\nauth_opt_backends mysql\nauth_opt_mysql_dbname d",
         "needs a userquery"},
    };
    for (const auto& [text, want] : rows) {
        const std::string error = error_of(std::string(text) + "\n");
        EXPECT_NE(error.find(want), std::string::npos) << text << ": " << error;
    }
}

TEST(Sql, auth_plugs_options_are_ours) {
    const SqlAuth sql = sql_of(
        "auth_plugin /usr/lib/mosquitto/auth-plug.so\nauth_opt_backends files, mysql\n"
        "auth_opt_host db\nauth_opt_port 3307\nauth_opt_user u\nauth_opt_pass p\n"
        "auth_opt_dbname d\nauth_opt_userquery SELECT 1\nauth_opt_superquery SELECT 2\n"
        "auth_opt_aclquery SELECT 3\nauth_opt_superusers S*\nauth_opt_acl_cacheseconds 7\n");
    EXPECT_EQ(sql.kind, SqlAuth::Kind::mysql);
    EXPECT_EQ(sql.dialect, SqlAuth::Dialect::auth_plug);
    EXPECT_EQ(
        std::tuple(sql.host, sql.port, sql.user, sql.password, sql.database),
        std::tuple(std::string("db"), 3307, std::string("u"), std::string("p"), std::string("d")));
    EXPECT_EQ(sql.user_query.text, "SELECT 1");
    EXPECT_EQ(sql.acl_query.text, "SELECT 3");
    EXPECT_EQ(std::tuple(sql.cache_ms, sql.acl_cache_ms), std::tuple(0U, 7'000U));
}

TEST(Sql, go_auths_options_are_ours) {
    const std::string text =
        "auth_plugin /x/go-auth.so\nauth_opt_backends postgres\nauth_opt_pg_host db\n"
        "auth_opt_pg_port 5433\nauth_opt_pg_user u\nauth_opt_pg_password p\n"
        "auth_opt_pg_dbname d\nauth_opt_pg_userquery SELECT 1\nauth_opt_pg_sslmode verify-full\n"
        "auth_opt_pg_superquery SELECT 2\nauth_opt_hasher bcrypt\nauth_opt_cache true\n"
        "auth_opt_auth_cache_seconds 11\n";
    const SqlAuth sql = sql_of(text);
    EXPECT_EQ(sql.kind, SqlAuth::Kind::postgresql);
    EXPECT_EQ(sql.dialect, SqlAuth::Dialect::go_auth);
    EXPECT_EQ(std::tuple(sql.host, sql.port, sql.database),
              std::tuple(std::string("db"), 5433, std::string("d")));
    EXPECT_EQ(sql.tls, SqlAuth::Tls::verify);
    EXPECT_EQ(sql.cache_ms, 11'000U);
    EXPECT_EQ(sql.super_query.text, "SELECT 2");
    const std::string disabled = "auth_opt_disable_superuser true\n";
    EXPECT_EQ(sql_of(text + disabled).super_query.text, "");
    const std::size_t behind_plugin = text.find('\n') + 1;
    const std::string above = text.substr(0, behind_plugin) + disabled + text.substr(behind_plugin);
    EXPECT_EQ(sql_of(above).super_query.text, "");
}

TEST(Sql, what_a_plugin_had_and_we_have_not_is_a_warning_and_closes_no_door) {
    const auto config = parse_text(
        "auth_plugin /x/auth-plug.so\nauth_opt_backends mysql,redis\nauth_opt_dbname d\n"
        "auth_opt_userquery SELECT 1\nauth_opt_aclquery SELECT 2\nauth_opt_anonusername a\n");
    ASSERT_TRUE(config);
    EXPECT_EQ(shown_warnings(*config),
              (std::vector<std::string>{
                  "main.conf:1: Warning: the back end 'redis' of /x/auth-plug.so is not there, and "
                  "is left out.",
                  "main.conf:1: Warning: /x/auth-plug.so is not loaded: users in SQL databases are "
                  "built in, and its options are read as they are.",
                  "main.conf:1: Warning: the option 'anonusername' of /x/auth-plug.so is not "
                  "there, and is left out."}));
    EXPECT_EQ(config->authentication_unavailable_because, "");
    EXPECT_EQ(config->authorization_unavailable_because, "");
    const auto other = parse_text("auth_plugin /x/other.so\n");
    ASSERT_TRUE(other);
    EXPECT_NE(other->authentication_unavailable_because, "");
}

TEST(Sql, belongs_to_its_listener_with_per_listener_settings) {
    const auto config = parse_text(
        "per_listener_settings true\nlistener 1\nauth_sqlite_database a\nlistener 2\n"
        "auth_plugin /x/auth-plug.so\nauth_opt_backends mysql\nauth_opt_dbname d\n"
        "auth_opt_userquery SELECT 1\nlistener 3\n");
    ASSERT_TRUE(config) << to_string(config.error());
    EXPECT_EQ(config->listeners[0].security.sql.kind, SqlAuth::Kind::sqlite);
    EXPECT_EQ(config->listeners[1].security.sql.kind, SqlAuth::Kind::mysql);
    EXPECT_EQ(config->listeners[2].security.sql.kind, SqlAuth::Kind::none);
}

}  // namespace
}  // namespace config
