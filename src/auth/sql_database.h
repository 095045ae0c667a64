// One database with users: its workers, a connection for each, and what protects others from it.
//
//     begin(work) -> WorkPool -> work(worker): query(), query(), ... -> answer to the shard
//
// A server that fails is left alone for a while (ServerHealth), and query() fails at once. One that
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
#include "auth/server_health.h"
#include "auth/sql_connection.h"
#include "auth/work_pool.h"
#include "base/log.h"

namespace auth {

class SqlDatabase {
public:
    struct Figures {
        ServerHealth::Figures server{};
        std::uint64_t refused = 0;  // For which there was no room in the queue.
        std::size_t waiting = 0;
    };
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
    // LateAnswers::ask().
    bool ask(std::uint32_t shard, std::function<std::function<void()>(std::size_t worker)> work,
             std::function<void()> if_dropped) {
        return late_.ask(shard, std::move(work), std::move(if_dropped));
    }
    // Work whose answer nobody waits for. False if too much waits.
    bool post(WorkPool::Work work) { return pool_.post(std::move(work)); }
    base::Result<SqlTable, std::string> query(std::size_t worker, const SqlQuery& query,
                                              const SqlValues& values);
    // The same, for who must know whether the server is lost, as it is while it is left alone.
    base::Result<SqlTable, SqlError> try_query(std::size_t worker, const SqlQuery& query,
                                               const SqlValues& values);
    // SqlConnection::execute().
    base::Result<void, SqlError> execute(std::size_t worker, const std::string& text,
                                         const std::vector<std::string>& values);
    // Waits for what is being worked on, which takes no longer than the timeout.
    void finish();

    const std::string& name() const { return health_.name(); }
    Figures figures() const;

private:
    struct Worker {
        explicit Worker(const SqlServer& server) : connection(server) {}
        SqlConnection connection;
        std::atomic<std::uint64_t> deadline_ms{0};  // 0: it waits for nothing.
    };

    void watch();
    void abort_overdue(std::uint64_t now_ms);
    // What `ask(connection)` returns, if the server may be asked, and within the timeout.
    template <typename Answer, typename Ask>
    base::Result<Answer, SqlError> within_timeout(std::size_t worker, const Ask& ask);
    void count(SqlError* error, std::uint64_t began_us);

    std::uint64_t timeout_ms_;
    std::vector<std::unique_ptr<Worker>> workers_;
    ServerHealth health_;

    std::mutex watch_mutex_;  // Of the next two.
    std::thread watcher_;     // From the first query on.
    bool finishing_ = false;
    std::condition_variable something_to_watch_;
    std::atomic<std::size_t> busy_{0};

    WorkPool pool_;  // After what its workers use.
    LateAnswers late_;
};

}  // namespace auth
