// Messages as rows of a table in MySQL or MariaDB: what MessageWriter inserts by.
//
// Everything that a client has chosen is bound. A payload goes as hexadecimal digits, so that its
// bytes arrive as they are, whatever the character set.
//
// Owned by server/, outlives the MessageWriter. Thread: the writer's, but for figures(). Limits:
// the server's timeout, and its max_allowed_packet, beyond which it would hang up.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/message_queue.h"
#include "auth/sql_database.h"

namespace auth {

// "CREATE TABLE IF NOT EXISTS `table` (...)", with the columns that are written.
std::string create_text(std::string_view table);
// "INSERT INTO `table` (...) VALUES (...), (...)" for this many rows. `table` is "table" or
// "database.table", of names that config::MysqlStore has checked.
std::string insert_text(std::string_view table, std::size_t rows);
// Of its :v1, :v2, ...
std::vector<std::string> insert_values(std::span<const MessageRow> rows);
// "2026-11-25 18:00:00.123", in UTC.
std::string date_text(std::int64_t wall_ms);

class SqlMessages {
public:
    SqlMessages(const SqlServer& server, std::string name, base::Log& log);

    // In one statement: all or none.
    base::Result<void, SqlError> insert(std::string_view table, std::span<const MessageRow> rows);
    void finish() { database_.finish(); }

    const std::string& name() const { return database_.name(); }
    SqlDatabase::Figures figures() const { return database_.figures(); }

private:
    base::Result<void, SqlError> ask_packet_max();

    SqlDatabase database_;
    std::size_t packet_bytes_max_ = 0;  // 0: not known, or of a connection that was lost.
};

}  // namespace auth
