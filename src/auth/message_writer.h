// Writes what clients publish to tables of a database: the topics of each table are its filters.
//
//     take() by shards: match -> MessageQueue -> one thread: batch -> an INSERT a table
//
// A batch is kept and tried again while the database is lost. An error that it answers is the
// fault of some message: the batch is halved until that one is found, and when it has been refused
// twice it is dropped, and the others are stored. A table that has refused refusals_max messages in
// a row is taken for broken: of a further batch that is refused one message is tried, and if that
// is refused, too, so are the others.
//
// A batch whose answer was lost is written again, so a message may be stored twice.
//
// Owned by server/; outlives the shards' connections. Threads: take() and figures() any, start()
// and finish() one; one of its own between the two. Limits: MessageQueue's.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "auth/message_queue.h"
#include "auth/sql_connection.h"
#include "base/log.h"
#include "broker/message_sink.h"

namespace auth {

// A table, and what is written to it.
struct MessageTable {
    std::string name{};
    std::vector<std::string> filters{};
    std::string place{};  // "file:line" of the option that names it.
};

class MessageWriter : public broker::MessageSink {
public:
    static constexpr std::uint64_t refusals_max = 1000;

    // All of the rows or none; called by the thread of its own.
    using Insert = std::function<base::Result<void, SqlError>(const std::string& table,
                                                              std::span<const MessageRow> rows)>;
    struct Settings {
        std::vector<MessageTable> tables{};
        MessageQueue::Limits queue{};
        // Before a database that was lost is tried again.
        std::chrono::milliseconds pause{250};
        // How long finish() goes on writing.
        std::chrono::milliseconds finish_within{5000};
    };

    MessageWriter(Settings settings, Insert insert, base::Log& log);
    MessageWriter(const MessageWriter&) = delete;
    MessageWriter& operator=(const MessageWriter&) = delete;
    ~MessageWriter() override { finish(); }

    bool take(broker::Publication& publication, const broker::MessageOrigin& origin) override;
    Figures figures() const override;

    void start();
    // Writes what waits, if the database answers; the rest is dropped, and said so.
    void finish();

private:
    using Rows = std::span<const MessageRow>;

    struct Table : MessageTable {
        // Of the thread that writes.
        std::uint64_t refused_in_a_row = 0;
        std::uint64_t refused = 0;
        std::uint64_t reported_ms = 0;  // When that was logged last; 0 = never.

        bool is_broken() const { return refused_in_a_row >= refusals_max; }
    };

    bool put(std::size_t table, broker::Publication& publication,
             const broker::MessageOrigin& origin);
    void run();
    // How many of them are stored, or refused for good: all, but when the end has come.
    std::size_t write(std::vector<MessageRow>& batch);
    std::size_t write_rows(Table& table, Rows rows);
    // Fails with what the database answers, or, when the end has come, with a loss.
    base::Result<void, SqlError> insert(const Table& table, Rows rows);
    bool is_out_of_time() const;
    void note_stored(Table& table, std::size_t count);
    void note_refused(Table& table, Rows rows, const std::string& error);

    Settings settings_;
    const Insert insert_;
    base::Log& log_;
    std::vector<Table> tables_;
    MessageQueue queue_;
    std::atomic<std::uint64_t> stored_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::atomic<std::uint64_t> finish_at_ms_{0};  // 0: it is not to finish.
    std::thread thread_;
};

}  // namespace auth
