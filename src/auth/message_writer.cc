#include "auth/message_writer.h"

#include <algorithm>
#include <utility>

#include "auth/steady_time.h"
#include "broker/reason_text.h"
#include "mqtt/topic.h"

namespace auth {
namespace {

using base::LogType;

constexpr std::uint64_t minute_ms = 60'000;

bool wants(const MessageTable& table, std::string_view topic) {
    return std::any_of(table.filters.begin(), table.filters.end(),
                       [&](const std::string& filter) { return mqtt::matches(filter, topic); });
}

}  // namespace

MessageWriter::MessageWriter(Settings settings, Insert insert, base::Log& log)
    : settings_(std::move(settings)),
      insert_(std::move(insert)),
      log_(log),
      queue_(settings_.queue) {
    for (const MessageTable& table : settings_.tables) tables_.push_back({table});
}

bool MessageWriter::take(broker::Publication& publication, const broker::MessageOrigin& origin) {
    bool has_room = true;
    for (std::size_t table = 0; table < tables_.size(); ++table) {
        if (!wants(tables_[table], publication.topic)) continue;
        has_room = put(table, publication, origin) && has_room;
    }
    return has_room;
}

bool MessageWriter::put(std::size_t table, broker::Publication& publication,
                        const broker::MessageOrigin& origin) {
    const bool is_put = queue_.put({.table = table,
                                    .message = publication.message(),
                                    .client_id = std::string(origin.client_id),
                                    .user_name = std::string(origin.user_name),
                                    .wall_ms = origin.clock.wall_ms()});
    if (!is_put) refused_.fetch_add(1, std::memory_order_relaxed);
    return is_put;
}

MessageWriter::Figures MessageWriter::figures() const {
    return {.stored = stored_.load(std::memory_order_relaxed),
            .refused = refused_.load(std::memory_order_relaxed),
            .dropped = dropped_.load(std::memory_order_relaxed),
            .waiting = queue_.waiting(),
            .waiting_bytes = queue_.waiting_bytes()};
}

void MessageWriter::start() {
    thread_ = std::thread([this] { run(); });
}

void MessageWriter::finish() {
    if (finish_at_ms_.load() == 0) {
        finish_at_ms_.store(steady_ms() +
                            static_cast<std::uint64_t>(settings_.finish_within.count()));
    }
    queue_.finish();
    if (thread_.joinable()) thread_.join();
}

bool MessageWriter::is_out_of_time() const {
    const std::uint64_t end_ms = finish_at_ms_.load();
    return end_ms != 0 && steady_ms() >= end_ms;
}

void MessageWriter::run() {
    bool gives_up = false;
    std::uint64_t left = 0;
    for (auto batch = queue_.take(); !batch.empty(); batch = queue_.take()) {
        const std::size_t settled = gives_up ? 0 : write(batch);
        gives_up = gives_up || settled < batch.size() || is_out_of_time();
        left += batch.size() - settled;
        dropped_.fetch_add(batch.size() - settled, std::memory_order_relaxed);
        queue_.release(batch);
    }
    if (left == 0) return;
    log_.print(LogType::error,
               "Error: mysql_store: {} messages are not stored: the database did not take them "
               "before the end.",
               left);
}

std::size_t MessageWriter::write(std::vector<MessageRow>& batch) {
    std::stable_sort(
        batch.begin(), batch.end(),
        [](const MessageRow& one, const MessageRow& other) { return one.table < other.table; });
    std::size_t settled = 0;
    while (settled < batch.size()) {
        const Rows rest = Rows(batch).subspan(settled);
        const auto other = std::find_if(rest.begin(), rest.end(), [&](const MessageRow& row) {
            return row.table != rest[0].table;
        });
        const Rows rows = rest.first(static_cast<std::size_t>(other - rest.begin()));
        const std::size_t done = write_rows(tables_[rows[0].table], rows);
        settled += done;
        if (done < rows.size()) break;
    }
    return settled;
}

std::size_t MessageWriter::write_rows(Table& table, Rows rows) {
    std::vector<Rows> parts{rows};  // The next one last.
    std::size_t settled = 0;
    while (!parts.empty()) {
        const Rows part = parts.back();
        const auto done = insert(table, part);
        if (!done && done.error().is_lost) return settled;
        parts.pop_back();
        if (done) {
            note_stored(table, part.size());
        } else if (part.size() > 1) {
            const std::size_t half = table.is_broken() ? 1 : part.size() / 2;
            parts.push_back(part.subspan(half));
            parts.push_back(part.first(half));
            continue;
        } else if (table.is_broken()) {
            note_refused(table, rows.subspan(settled), done.error().message);
            return rows.size();
        } else {
            note_refused(table, part, done.error().message);
        }
        settled += part.size();
    }
    return settled;
}

// Waits until the database answers. A message by itself is tried twice: errors of the moment, a
// deadlock or a shutdown, are not its fault.
base::Result<void, SqlError> MessageWriter::insert(const Table& table, Rows rows) {
    bool is_final = rows.size() > 1 || table.is_broken();
    while (true) {
        auto done = insert_(table.name, rows);
        if (done) return done;
        const bool gives_up =
            done.error().is_lost ? !queue_.rest(settings_.pause) : std::exchange(is_final, true);
        if (gives_up) return done;
    }
}

void MessageWriter::note_stored(Table& table, std::size_t count) {
    table.refused_in_a_row = 0;
    stored_.fetch_add(count, std::memory_order_relaxed);
}

void MessageWriter::note_refused(Table& table, Rows rows, const std::string& error) {
    table.refused_in_a_row += rows.size();
    table.refused += rows.size();
    dropped_.fetch_add(rows.size(), std::memory_order_relaxed);
    const std::uint64_t now_ms = steady_ms();
    if (table.reported_ms != 0 && now_ms < table.reported_ms + minute_ms) return;
    table.reported_ms = now_ms;
    log_.print(LogType::error,
               "Error: {}: mysql_store: table {} refuses a message to {}: {}. It is not stored; "
               "{} of this table so far.",
               table.place, table.name, broker::quoted(rows[0].message->topic()), error,
               table.refused);
}

}  // namespace auth
