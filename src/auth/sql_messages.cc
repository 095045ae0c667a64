#include "auth/sql_messages.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>
#include <ctime>
#include <utility>

namespace auth {
namespace {

// The only worker: the thread that writes.
constexpr std::size_t writer = 0;
constexpr std::size_t columns = 7;
// What servers took by default that do not say.
constexpr std::size_t packet_bytes_assumed = std::size_t{1} << 20;

std::string quoted_name(std::string_view table) {
    std::string text = "`";
    for (const char c : table) {
        if (c == '.') {
            text += "`.`";
        } else {
            text += c;
        }
    }
    return text + "`";
}

std::string hexadecimal(base::Bytes bytes) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text(bytes.size() * 2, '0');
    char* to = text.data();
    for (const auto byte : bytes) {
        const auto value = static_cast<unsigned>(byte);
        *to++ = digits[value >> 4];
        *to++ = digits[value & 15];
    }
    return text;
}

// At most: a value may be escaped byte by byte.
std::size_t statement_bytes(std::string_view text, std::span<const MessageRow> rows) {
    constexpr std::size_t for_others = 64;
    std::size_t bytes = text.size();
    for (const MessageRow& row : rows) {
        bytes += 2 * (row.message->topic().size() + row.message->payload().size() +
                      row.client_id.size() + row.user_name.size()) +
                 for_others;
    }
    return bytes;
}

}  // namespace

// TEXT takes the longest topic and client id that there are.
std::string create_text(std::string_view table) {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,"
        " topic TEXT NOT NULL, payload LONGBLOB NOT NULL, qos TINYINT UNSIGNED NOT NULL,"
        " retain TINYINT UNSIGNED NOT NULL, clientid TEXT NOT NULL, username TEXT,"
        " published_at DATETIME(3) NOT NULL, INDEX (published_at))"
        " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        quoted_name(table));
}

std::string insert_text(std::string_view table, std::size_t rows) {
    std::string text = fmt::format(
        "INSERT INTO {} (topic, payload, qos, retain, clientid, username, published_at) VALUES ",
        quoted_name(table));
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t first = row * columns + 1;
        fmt::format_to(std::back_inserter(text),
                       "{}(:v{}, UNHEX(:v{}), :v{}, :v{}, :v{}, NULLIF(:v{}, ''), :v{})",
                       row == 0 ? "" : ", ", first, first + 1, first + 2, first + 3, first + 4,
                       first + 5, first + 6);
    }
    return text;
}

std::vector<std::string> insert_values(std::span<const MessageRow> rows) {
    std::vector<std::string> values;
    values.reserve(rows.size() * columns);
    for (const MessageRow& row : rows) {
        values.emplace_back(row.message->topic());
        values.push_back(hexadecimal(row.message->payload()));
        values.push_back(std::to_string(static_cast<int>(row.message->qos())));
        values.emplace_back(row.message->retain() ? "1" : "0");
        values.push_back(row.client_id);
        values.push_back(row.user_name);
        values.push_back(date_text(row.wall_ms));
    }
    return values;
}

std::string date_text(std::int64_t wall_ms) {
    const auto seconds = static_cast<std::time_t>(wall_ms / 1000);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}", fmt::gmtime(seconds), wall_ms % 1000);
}

SqlMessages::SqlMessages(const SqlServer& server, std::string name, base::Log& log)
    : database_(server, 1, std::move(name), log, {}) {}

base::Result<void, SqlError> SqlMessages::insert(std::string_view table,
                                                 std::span<const MessageRow> rows) {
    if (auto known = ask_packet_max(); !known) return known;
    const std::string text = insert_text(table, rows.size());
    const std::size_t bytes = statement_bytes(text, rows);
    if (bytes > packet_bytes_max_) {
        return base::fail(
            SqlError{fmt::format("{} bytes of SQL, and the server's max_allowed_packet is {}",
                                 bytes, packet_bytes_max_)});
    }
    auto done = database_.execute(writer, text, insert_values(rows));
    if (!done && done.error().is_lost) packet_bytes_max_ = 0;
    return done;
}

// Once a connection. A statement above it would end the connection, and again when tried again.
base::Result<void, SqlError> SqlMessages::ask_packet_max() {
    if (packet_bytes_max_ != 0) return {};
    const auto query = SqlQuery::parse("SELECT @@max_allowed_packet", {});
    const auto table = database_.try_query(writer, *query, {});
    if (!table && table.error().is_lost) return base::fail(table.error());
    packet_bytes_max_ = packet_bytes_assumed;
    if (!table || table->rows.empty() || !table->rows[0][0]) return {};
    const std::string& said = *table->rows[0][0];
    std::from_chars(said.data(), said.data() + said.size(), packet_bytes_max_);
    return {};
}

}  // namespace auth
