// One database with users: its workers, a connection for each, and what protects others from it.
//
//     begin(work) -> WorkPool -> work(worker): query(), query(), ... -> answer to the shard
//
// A server that is lost three times in a row is left alone for a second, then for two, up to half a
// minute; meanwhile query() fails at once, so that who waits is told so. Then one query tries
// again. An error that the server answers is none of that: a client could cause it. A server that
// says nothing is given up after its timeout: a thread of its own sees to that, since not every
// library does.
//
// Owned by server/, outlives the connections of clients. Threads: begin(), post() and figures()
// any; query() by the worker that it names; finish() by one. Limits: queue_max that wait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "auth/late_answers.h"
#include "auth/sql_connection.h"
#include "auth/work_pool.h"
#include "base/guarded.h"
#include "base/log.h"

namespace auth {

// When to leave a server alone that has failed. Times are monotonic. Threads: one at a time.
class CircuitBreaker {
public:
    static constexpr std::uint32_t failures_max = 3;
    static constexpr std::uint64_t first_rest_ms = 1000;
    static constexpr std::uint64_t longest_rest_ms = 30'000;

    // Whether to ask now. While it rests: one that tries, when the rest is over.
    bool may_ask(std::uint64_t now_ms);
    // True if that is news: it rests now, or no more.
    bool failed(std::uint64_t now_ms);
    bool succeeded();

private:
    std::uint32_t failures_ = 0;
    std::uint64_t rest_ms_ = 0;  // 0: it does not rest.
    std::uint64_t next_try_ms_ = 0;
    bool is_trying_ = false;
};

struct SqlFigures {
    std::uint64_t queries = 0;
    std::uint64_t errors = 0;
    std::uint64_t microseconds = 0;  // Of all queries together.
    std::uint64_t not_asked = 0;     // While it was left alone.
    std::uint64_t refused = 0;       // For which there was no room in the queue.
    std::size_t waiting = 0;
};

class SqlDatabase {
public:
    static constexpr std::size_t queue_max = 10'000;

    // `name` is for the log: "mysql users@db.example".
    SqlDatabase(const SqlServer& server, std::size_t workers, std::string name, base::Log& log,
                LateAnswers::Post post);
    SqlDatabase(const SqlDatabase&) = delete;
    SqlDatabase& operator=(const SqlDatabase&) = delete;
    ~SqlDatabase() { finish(); }

    broker::AuthBegun begin(std::uint32_t shard, LateAnswers::Work work) {
        return late_.begin(shard, std::move(work));
    }
    // Work whose answer nobody waits for. False if too much waits.
    bool post(WorkPool::Work work) { return pool_.post(std::move(work)); }
    base::Result<SqlTable, std::string> query(std::size_t worker, const SqlQuery& query,
                                              const SqlValues& values);
    // Waits for what is being worked on, which takes no longer than the timeout.
    void finish();

    const std::string& name() const { return name_; }
    SqlFigures figures() const;

private:
    struct Worker {
        explicit Worker(const SqlServer& server) : connection(server) {}
        SqlConnection connection;
        std::atomic<std::uint64_t> deadline_ms{0};  // 0: it waits for nothing.
    };

    void watch();
    void abort_overdue(std::uint64_t now_ms);
    void count(const SqlError* error, std::uint64_t began_us);
    void report(const std::string& error, std::uint64_t now_ms);

    std::string name_;
    std::uint64_t timeout_ms_;
    base::Log& log_;
    std::vector<std::unique_ptr<Worker>> workers_;
    base::Guarded<CircuitBreaker> breaker_;
    std::atomic<std::uint64_t> queries_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::atomic<std::uint64_t> microseconds_{0};
    std::atomic<std::uint64_t> not_asked_{0};
    std::atomic<std::uint64_t> reported_ms_{0};  // When an error was logged last.

    std::mutex watch_mutex_;  // Of the next two.
    std::thread watcher_;     // From the first query on.
    bool finishing_ = false;
    std::condition_variable something_to_watch_;
    std::atomic<std::size_t> busy_{0};

    WorkPool pool_;  // After what its workers use.
    LateAnswers late_;
};

}  // namespace auth
