#include "auth/sql_connection.h"

#include <algorithm>

namespace auth {

SqlTable::Cell SqlTable::find(const std::vector<Cell>& row, std::string_view column) const {
    const auto found = std::find(columns.begin(), columns.end(), column);
    if (found == columns.end()) return std::nullopt;
    return row[static_cast<std::size_t>(found - columns.begin())];
}

bool SqlTable::has(std::string_view column) const {
    return std::find(columns.begin(), columns.end(), column) != columns.end();
}

}  // namespace auth

#ifdef NIGHTJAR_SQL

#include <fmt/format.h>
#include <sys/socket.h>

// Debian's SOCI was built beside Boost, whose types it then takes as values. We have none of them,
// and so need none of its headers.
#include <soci/soci-config.h>
#undef SOCI_HAVE_BOOST
#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/version.h>

#include <list>
#include <unordered_map>

#include "base/guarded.h"

// As SOCI's own headers declare them, which would want those of the databases' clients.
namespace soci {
extern "C" {
backend_factory const* factory_mysql();
backend_factory const* factory_sqlite3();
}
}  // namespace soci

namespace auth {
namespace {

// A statement that has been prepared, and the places that its values are read from.
struct Prepared {
    explicit Prepared(soci::session& session) : statement(session) {}

    std::list<std::string> texts;  // Of which addresses stay.
    std::list<int> numbers;
    soci::row row;
    soci::statement statement;
};

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

void add(std::string& text, std::string_view key, std::string_view value) {
    if (!value.empty()) text += fmt::format("{}={} ", key, quoted(value));
}

long whole_seconds(const SqlServer& server) {
    return std::max<long>(1, (server.timeout.count() + 999) / 1000);
}

std::string mysql_parameters(const SqlServer& server) {
    std::string text;
    add(text, "dbname", server.database);
    add(text, "user", server.user);
    add(text, "password", server.password);
    add(text, "host", server.host);
    if (server.port != 0) add(text, "port", std::to_string(server.port));
    add(text, "unix_socket", server.unix_path);
    add(text, "charset", "utf8mb4");
    const std::string seconds = std::to_string(whole_seconds(server));
    for (const char* key : {"connect_timeout", "read_timeout", "write_timeout"}) {
        add(text, key, seconds);
    }
    if (server.tls != SqlServer::Tls::off) {
        add(text, "sslca", server.tls_ca);
        add(text, "sslcert", server.tls_cert);
        add(text, "sslkey", server.tls_key);
    }
    return text;
}

std::string postgresql_parameters(const SqlServer& server) {
    std::string text;
    add(text, "dbname", server.database);
    add(text, "user", server.user);
    add(text, "password", server.password);
    add(text, "host", server.unix_path.empty() ? server.host : server.unix_path);
    if (server.port != 0) add(text, "port", std::to_string(server.port));
    add(text, "connect_timeout", std::to_string(whole_seconds(server)));
    add(text, "options", fmt::format("-c statement_timeout={}", server.timeout.count()));
    add(text, "application_name", "nightjar");
    add(text, "client_encoding", "UTF8");
    switch (server.tls) {
        case SqlServer::Tls::off:
            add(text, "sslmode", "disable");
            break;
        case SqlServer::Tls::on:
            add(text, "sslmode", "require");
            break;
        case SqlServer::Tls::verify:
            add(text, "sslmode", "verify-full");
            break;
    }
    add(text, "sslrootcert", server.tls_ca);
    add(text, "sslcert", server.tls_cert);
    add(text, "sslkey", server.tls_key);
    return text;
}

std::string sqlite_parameters(const SqlServer& server) {
    return fmt::format("dbname=\"{}\" timeout={}", server.database, whole_seconds(server));
}

std::string text_of(const soci::row& row, std::size_t column) {
    switch (row.get_properties(column).get_data_type()) {
        case soci::dt_string:
        case soci::dt_xml:
            return row.get<std::string>(column);
        case soci::dt_integer:
            return std::to_string(row.get<int>(column));
        case soci::dt_long_long:
            return std::to_string(row.get<long long>(column));
        case soci::dt_unsigned_long_long:
            return std::to_string(row.get<unsigned long long>(column));
        case soci::dt_double:
            return fmt::format("{}", row.get<double>(column));
        default:
            return {};  // Dates and the like say nothing to us.
    }
}

std::string in_small_letters(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

std::vector<std::string> columns_of(const soci::row& row) {
    std::vector<std::string> columns;
    for (std::size_t column = 0; column < row.size(); ++column) {
        columns.push_back(in_small_letters(row.get_properties(column).get_name()));
    }
    return columns;
}

std::vector<SqlTable::Cell> cells_of(const soci::row& row) {
    std::vector<SqlTable::Cell> cells;
    for (std::size_t column = 0; column < row.size(); ++column) {
        const bool is_null = row.get_indicator(column) == soci::i_null;
        cells.push_back(is_null ? SqlTable::Cell() : text_of(row, column));
    }
    return cells;
}

// What libraries say ends in newlines, and may have more of them.
std::string one_line(std::string_view message) {
    std::string line;
    for (const char c : message) line += c == '\n' || c == '\r' || c == '\t' ? ' ' : c;
    while (line.ends_with(' ')) line.pop_back();
    return line;
}

const std::string& text_of(const SqlValues& values, SqlArgument argument) {
    switch (argument) {
        case SqlArgument::client_id:
            return values.client_id;
        case SqlArgument::peer_host:
            return values.peer_host;
        default:
            return values.user_name;
    }
}

}  // namespace

struct SqlConnection::State {
    explicit State(SqlServer to) : server(std::move(to)) {}

    soci::session& connect();
    soci::session& connect_mysql();
    void lose();
    Prepared& prepare(const SqlQuery& query);
    SqlTable read(Prepared& prepared) const;
    SqlError judge(const std::exception& thrown);

    SqlServer server;
    std::unordered_map<std::string, std::unique_ptr<Prepared>> prepared;
    std::unique_ptr<soci::session> session;
    base::Guarded<int> socket{-1};  // Of PostgreSQL, which has no timeout of its own for reading.
};

soci::session& SqlConnection::State::connect() {
    if (session) return *session;
    if (server.kind == SqlServer::Kind::mysql) return connect_mysql();
    if (server.kind == SqlServer::Kind::sqlite) {
        session =
            std::make_unique<soci::session>(*soci::factory_sqlite3(), sqlite_parameters(server));
        return *session;
    }
    session =
        std::make_unique<soci::session>(*soci::factory_postgresql(), postgresql_parameters(server));
    auto* backend = static_cast<soci::postgresql_session_backend*>(session->get_backend());
    const int opened = PQsocket(backend->conn_);
    socket.with([&](int& fd) { fd = opened; });
    return *session;
}

// Its library goes on in the clear with a server that has no TLS.
soci::session& SqlConnection::State::connect_mysql() {
    auto fresh = std::make_unique<soci::session>(*soci::factory_mysql(), mysql_parameters(server));
    if (server.tls != SqlServer::Tls::off) {
        std::string name;
        std::string cipher;
        *fresh << "SHOW STATUS LIKE 'Ssl_cipher'", soci::into(name), soci::into(cipher);
        if (cipher.empty()) throw soci::soci_error("the server does not encrypt");
    }
    session = std::move(fresh);
    return *session;
}

void SqlConnection::State::lose() {
    socket.with([](int& fd) { fd = -1; });
    prepared.clear();  // Each belongs to the session.
    session.reset();
}

Prepared& SqlConnection::State::prepare(const SqlQuery& query) {
    soci::session& to = connect();
    auto& place = prepared[query.text()];
    if (place) return *place;
    auto fresh = std::make_unique<Prepared>(to);
    for (const SqlArgument argument : query.arguments()) {
        if (argument == SqlArgument::access) {
            fresh->statement.exchange(soci::use(fresh->numbers.emplace_back()));
        } else {
            fresh->statement.exchange(soci::use(fresh->texts.emplace_back()));
        }
    }
    fresh->statement.exchange(soci::into(fresh->row));
    fresh->statement.alloc();
    fresh->statement.prepare(query.text());
    fresh->statement.define_and_bind();
    place = std::move(fresh);
    return *place;
}

SqlTable SqlConnection::State::read(Prepared& to_run) const {
    SqlTable table;
    to_run.statement.execute(false);
    while (to_run.statement.fetch()) {
        if (table.columns.empty()) table.columns = columns_of(to_run.row);
        if (table.rows.size() == rows_max) {
            throw soci::soci_error(fmt::format("more than {} rows", rows_max));
        }
        table.rows.push_back(cells_of(to_run.row));
    }
    return table;
}

// Whatever it was, what had been prepared is not used again.
SqlError SqlConnection::State::judge(const std::exception& thrown) {
    const auto* soci_error = dynamic_cast<const soci::soci_error*>(&thrown);
    // what() adds the statement and all its values, which may be megabytes, and are not the log's
    // to know.
    const std::string said = soci_error ? soci_error->get_error_message() : thrown.what();
    SqlError error{one_line(said), !session};
    if (soci_error != nullptr &&
        soci_error->get_error_category() == soci::soci_error::connection_error) {
        error.is_lost = true;
    }
    if (session && server.kind == SqlServer::Kind::postgresql) {
        auto* backend = static_cast<soci::postgresql_session_backend*>(session->get_backend());
        error.is_lost = error.is_lost || PQstatus(backend->conn_) == CONNECTION_BAD;
    }
    error.is_lost ? lose() : prepared.clear();
    return error;
}

SqlConnection::SqlConnection(SqlServer server)
    : state_(std::make_unique<State>(std::move(server))) {}

SqlConnection::~SqlConnection() {
    state_->lose();
}

// SOCI throws; nothing of it gets past here.
base::Result<SqlTable, SqlError> SqlConnection::query(const SqlQuery& query,
                                                      const SqlValues& values) {
    try {
        Prepared& prepared = state_->prepare(query);
        auto text = prepared.texts.begin();
        for (const SqlArgument argument : query.arguments()) {
            if (argument != SqlArgument::access) *text++ = text_of(values, argument);
        }
        for (int& number : prepared.numbers) number = values.access;
        return state_->read(prepared);
    } catch (const std::exception& error) {
        return base::fail(state_->judge(error));
    }
}

base::Result<void, SqlError> SqlConnection::execute(const std::string& text,
                                                    const std::vector<std::string>& values) {
    try {
        soci::statement statement(state_->connect());
        for (const std::string& value : values) statement.exchange(soci::use(value));
        statement.alloc();
        statement.prepare(text);
        statement.define_and_bind();
        statement.execute(true);
        return {};
    } catch (const std::exception& error) {
        return base::fail(state_->judge(error));
    }
}

void SqlConnection::abort() {
    state_->socket.with([](int& fd) {
        if (fd >= 0) shutdown(fd, SHUT_RDWR);
    });
}

std::string sql_version() {
    return fmt::format("SOCI {}.{}.{}", SOCI_VERSION / 100000, SOCI_VERSION / 100 % 1000,
                       SOCI_VERSION % 100);
}

}  // namespace auth

#else

namespace auth {

struct SqlConnection::State {};

SqlConnection::SqlConnection(SqlServer) {}
SqlConnection::~SqlConnection() = default;

base::Result<SqlTable, SqlError> SqlConnection::query(const SqlQuery&, const SqlValues&) {
    return base::fail(SqlError{"this build has no SOCI"});
}

base::Result<void, SqlError> SqlConnection::execute(const std::string&,
                                                    const std::vector<std::string>&) {
    return base::fail(SqlError{"this build has no SOCI"});
}

void SqlConnection::abort() {}

std::string sql_version() {
    return {};
}

}  // namespace auth

#endif
