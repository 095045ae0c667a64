#include "auth/sql_database.h"

#include <chrono>
#include <utility>

#include "auth/steady_time.h"

namespace auth {
namespace {

constexpr std::chrono::milliseconds watch_interval{100};

}  // namespace

SqlDatabase::SqlDatabase(const SqlServer& server, std::size_t workers, std::string name,
                         base::Log& log, LateAnswers::Post post)
    : timeout_ms_(static_cast<std::uint64_t>(server.timeout.count())),
      health_("database", std::move(name), log),
      pool_({.workers = workers, .queue_max = queue_max}),
      late_(pool_, std::move(post)) {
    for (std::size_t i = 0; i < workers; ++i) {
        workers_.push_back(std::make_unique<Worker>(server));
    }
}

template <typename Answer, typename Ask>
base::Result<Answer, SqlError> SqlDatabase::within_timeout(std::size_t worker, const Ask& ask) {
    const std::uint64_t began_us = steady_us();
    if (!health_.may_ask(began_us)) return base::fail(SqlError{ServerHealth::left_alone, true});
    Worker& mine = *workers_[worker];
    mine.deadline_ms.store(began_us / 1000 + timeout_ms_);
    if (busy_.fetch_add(1) == 0) {
        const std::lock_guard lock(watch_mutex_);
        if (!watcher_.joinable() && !finishing_) watcher_ = std::thread([this] { watch(); });
        something_to_watch_.notify_one();
    }
    base::Result<Answer, SqlError> answer = ask(mine.connection);
    mine.deadline_ms.store(0);
    busy_.fetch_sub(1);
    count(answer ? nullptr : &answer.error(), began_us);
    return answer;
}

base::Result<SqlTable, SqlError> SqlDatabase::try_query(std::size_t worker, const SqlQuery& query,
                                                        const SqlValues& values) {
    return within_timeout<SqlTable>(
        worker, [&](SqlConnection& connection) { return connection.query(query, values); });
}

base::Result<SqlTable, std::string> SqlDatabase::query(std::size_t worker, const SqlQuery& query,
                                                       const SqlValues& values) {
    auto table = try_query(worker, query, values);
    if (!table) return base::fail(std::move(table.error().message));
    return std::move(*table);
}

base::Result<void, SqlError> SqlDatabase::execute(std::size_t worker, const std::string& text,
                                                  const std::vector<std::string>& values) {
    return within_timeout<void>(
        worker, [&](SqlConnection& connection) { return connection.execute(text, values); });
}

// What took too long counts as lost.
void SqlDatabase::count(SqlError* error, std::uint64_t began_us) {
    if (error == nullptr) return health_.answered(began_us);
    const bool is_late = steady_us() - began_us >= timeout_ms_ * 1000;
    error->is_lost = error->is_lost || is_late;
    health_.failed(began_us, error->message, error->is_lost);
}

// Ends what waits for longer than it may.
void SqlDatabase::watch() {
    std::unique_lock lock(watch_mutex_);
    while (!finishing_) {
        something_to_watch_.wait(lock, [this] { return finishing_ || busy_.load() != 0; });
        something_to_watch_.wait_for(lock, watch_interval, [this] { return finishing_; });
        abort_overdue(steady_ms());
    }
}

void SqlDatabase::abort_overdue(std::uint64_t now_ms) {
    for (const auto& worker : workers_) {
        const std::uint64_t deadline_ms = worker->deadline_ms.load();
        if (deadline_ms != 0 && deadline_ms < now_ms) worker->connection.abort();
    }
}

void SqlDatabase::finish() {
    pool_.finish();
    std::thread watcher;
    {
        const std::lock_guard lock(watch_mutex_);
        finishing_ = true;
        watcher.swap(watcher_);
    }
    something_to_watch_.notify_all();
    if (watcher.joinable()) watcher.join();
}

SqlDatabase::Figures SqlDatabase::figures() const {
    return {.server = health_.figures(), .refused = pool_.refused(), .waiting = pool_.waiting()};
}

}  // namespace auth
