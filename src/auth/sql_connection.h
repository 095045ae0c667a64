// One connection to a database, made by SOCI: MySQL or MariaDB, PostgreSQL, SQLite.
//
// It connects when it is first asked, and again after it was lost. Statements are prepared once a
// connection, where the database has that; SOCI's MySQL has not, and puts the values, quoted by the
// client library, into the text itself.
//
// Owned by who asks. Threads: one at a time, but for abort(). Limits: rows_max rows of an answer.
// Nothing here waits longer than the server's timeout, provided that somebody calls abort() then.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/sql_query.h"
#include "base/result.h"

namespace auth {

#ifdef NIGHTJAR_SQL
inline constexpr bool has_sql = true;
#else
inline constexpr bool has_sql = false;
#endif
// "SOCI 4.0.3".
std::string sql_version();

struct SqlServer {
    enum class Kind : std::uint8_t { mysql, postgresql, sqlite };
    enum class Tls : std::uint8_t { off, on, verify };

    Kind kind = Kind::mysql;
    std::string host{};
    std::uint16_t port = 0;   // 0: the kind's own.
    std::string unix_path{};  // In place of the two.
    std::string database{};   // The file, for SQLite.
    std::string user{};
    std::string password{};
    Tls tls = Tls::off;
    std::string tls_ca{};
    std::string tls_cert{};
    std::string tls_key{};
    std::chrono::milliseconds timeout{5000};
};

// What the parameters of a query are bound to.
struct SqlValues {
    std::string user_name{};
    std::string client_id{};
    std::string peer_host{};
    int access = 0;
};

struct SqlTable {
    using Cell = std::optional<std::string>;  // Nothing: NULL.

    std::vector<std::string> columns;  // In small letters.
    std::vector<std::vector<Cell>> rows;

    // Nothing if there is no such column, or NULL in it.
    Cell find(const std::vector<Cell>& row, std::string_view column) const;
    bool has(std::string_view column) const;
};

struct SqlError {
    std::string message{};
    bool is_lost = false;  // The server was not reached, or has gone; else it is what it answers.
};

class SqlConnection {
public:
    static constexpr std::size_t rows_max = 10'000;

    explicit SqlConnection(SqlServer server);
    SqlConnection(const SqlConnection&) = delete;
    SqlConnection& operator=(const SqlConnection&) = delete;
    ~SqlConnection();

    // After a loss it connects anew.
    base::Result<SqlTable, SqlError> query(const SqlQuery& query, const SqlValues& values);
    // A statement of ours, without rows; `values` are those of :v1, :v2, ...
    base::Result<void, SqlError> execute(const std::string& text,
                                         const std::vector<std::string>& values = {});

    // From any thread: what waits for the server fails now.
    void abort();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace auth
