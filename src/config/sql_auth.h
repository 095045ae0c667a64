// Users in an SQL database, as the file asks for them: by auth_mysql_*, auth_postgresql_* or
// auth_sqlite_*, or by the options of a plugin whose place we take.
#pragma once

#include <cstdint>
#include <string>

#include "config/option_place.h"

namespace config {

struct SqlQueryText {
    std::string text{};
    OptionPlace place{};
    bool operator==(const SqlQueryText&) const = default;
};

struct SqlAuth {
    enum class Kind : std::uint8_t { none, mysql, postgresql, sqlite };
    enum class Dialect : std::uint8_t { native, auth_plug, go_auth };
    enum class Tls : std::uint8_t { off, on, verify };
    enum class OnError : std::uint8_t { deny, next, stale };

    Kind kind = Kind::none;
    Dialect dialect = Dialect::native;
    OptionPlace place{};      // Of its first line.
    std::string host{};       // Of _server; empty: this machine.
    std::uint16_t port = 0;   // 0: the database's own.
    std::string unix_path{};  // Not empty: in place of the two.
    std::string database{};   // The file, for SQLite.
    std::string user{};
    std::string password{};       // "${NAME}" is a variable of the environment.
    std::string password_file{};  // Its first line.
    // Without a user query: those of the tables that `nightjar sql init` makes.
    SqlQueryText user_query{};
    SqlQueryText super_query{};
    SqlQueryText acl_query{};
    std::string superusers{};  // A pattern of names.
    std::uint32_t pool_size = 8;
    std::uint64_t timeout_ms = 5'000;
    std::uint64_t cache_ms = 30'000;
    std::uint64_t acl_cache_ms = 30'000;
    std::uint64_t negative_cache_ms = 5'000;
    std::uint64_t stale_if_error_ms = 3'600'000;
    OnError on_error = OnError::deny;
    Tls tls = Tls::off;
    std::string tls_ca{};
    std::string tls_cert{};
    std::string tls_key{};
    bool plain_passwords = false;

    bool is_on() const { return kind != Kind::none; }
    bool operator==(const SqlAuth&) const = default;
};

}  // namespace config
