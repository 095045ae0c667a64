#include "server/message_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/sql_access.h"

namespace server {
namespace {

// Lines of one table together: a message is written to it once, however many of them match.
std::vector<auth::MessageTable> tables_of(const config::MysqlStore& store) {
    std::vector<auth::MessageTable> tables;
    for (const config::MysqlStoreLine& line : store.lines) {
        auto table = std::find_if(tables.begin(), tables.end(),
                                  [&](const auto& each) { return each.name == line.table; });
        if (table == tables.end()) {
            table = tables.insert(table, {.name = line.table, .place = line.place.text});
        }
        table->filters.push_back(line.filter);
    }
    return tables;
}

base::Result<auth::SqlServer, std::string> server_of(const config::MysqlStore& store) {
    if (auth::has_sql) return sql_server(store.database);
    return base::fail(
        fmt::format("Error: {}: mysql_store is not in this build. Build it with libsoci-dev, "
                    "libpq-dev and libssl-dev.",
                    store.lines[0].place.text));
}

}  // namespace

base::Result<void, std::string> check_message_tables(const config::Config& config) {
    if (!config.mysql_store.is_on()) return {};
    const auto server = server_of(config.mysql_store);
    if (!server) return base::fail(server.error());
    return {};
}

base::Result<void, std::string> MessageTables::open(const config::MysqlStore& store,
                                                    base::Log& log) {
    if (!store.is_on()) return {};
    const auto server = server_of(store);
    if (!server) return base::fail(server.error());
    database_ = std::make_unique<auth::SqlMessages>(*server, sql_name(store.database), log);
    auth::MessageWriter::Settings settings;
    settings.tables = tables_of(store);
    settings.queue.messages_max = store.queue.messages;
    settings.queue.bytes_max = store.queue.bytes;
    settings.finish_within = std::chrono::milliseconds(store.database.timeout_ms);
    writer_ = std::make_unique<auth::MessageWriter>(
        std::move(settings),
        [this](const std::string& table, std::span<const auth::MessageRow> rows) {
            return database_->insert(table, rows);
        },
        log);
    return {};
}

void MessageTables::start() {
    if (writer_) writer_->start();
}

void MessageTables::finish() {
    if (!writer_) return;
    writer_->finish();
    database_->finish();
}

void MessageTables::print(base::Log& log) const {
    if (!writer_) return;
    const broker::MessageSink::Figures messages = writer_->figures();
    const auth::ServerHealth::Figures server = database_->figures().server;
    const std::uint64_t average = server.asked == 0 ? 0 : server.microseconds / server.asked;
    log.print(base::LogType::notice,
              "SIGUSR1: mysql_store in {}: {} messages stored, {} dropped, {} refused, {} wait ({} "
              "bytes); {} statements of {} us, {} errors, {} not asked.",
              database_->name(), messages.stored, messages.dropped, messages.refused,
              messages.waiting, messages.waiting_bytes, server.asked, average, server.errors,
              server.not_asked);
}

}  // namespace server
