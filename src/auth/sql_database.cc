#include "auth/sql_database.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace auth {
namespace {

using base::LogType;
constexpr std::chrono::milliseconds watch_interval{100};

std::uint64_t now_us() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

}  // namespace

bool CircuitBreaker::may_ask(std::uint64_t now_ms) {
    if (rest_ms_ == 0) return true;
    if (now_ms < next_try_ms_) return false;
    next_try_ms_ = now_ms + rest_ms_;  // The others wait for what this one finds.
    is_trying_ = true;
    return true;
}

bool CircuitBreaker::failed(std::uint64_t now_ms) {
    ++failures_;
    // Those that were on their way when the rest began say nothing new.
    if (rest_ms_ != 0 && !std::exchange(is_trying_, false)) return false;
    if (rest_ms_ == 0 && failures_ < failures_max) return false;
    const bool is_news = rest_ms_ == 0;
    rest_ms_ = is_news ? first_rest_ms : std::min(2 * rest_ms_, longest_rest_ms);
    next_try_ms_ = now_ms + rest_ms_;
    return is_news;
}

bool CircuitBreaker::succeeded() {
    failures_ = 0;
    is_trying_ = false;
    return std::exchange(rest_ms_, 0) != 0;
}

SqlDatabase::SqlDatabase(const SqlServer& server, std::size_t workers, std::string name,
                         base::Log& log, LateAnswers::Post post)
    : name_(std::move(name)),
      timeout_ms_(static_cast<std::uint64_t>(server.timeout.count())),
      log_(log),
      pool_({.workers = workers, .queue_max = queue_max}),
      late_(pool_, std::move(post)) {
    for (std::size_t i = 0; i < workers; ++i) {
        workers_.push_back(std::make_unique<Worker>(server));
    }
}

base::Result<SqlTable, std::string> SqlDatabase::query(std::size_t worker, const SqlQuery& query,
                                                       const SqlValues& values) {
    const std::uint64_t began_us = now_us();
    if (!breaker_.with([&](CircuitBreaker& breaker) { return breaker.may_ask(began_us / 1000); })) {
        not_asked_.fetch_add(1, std::memory_order_relaxed);
        return base::fail(std::string("it has failed and is left alone for a while"));
    }
    Worker& mine = *workers_[worker];
    mine.deadline_ms.store(began_us / 1000 + timeout_ms_);
    if (busy_.fetch_add(1) == 0) {
        const std::lock_guard lock(watch_mutex_);
        if (!watcher_.joinable() && !finishing_) watcher_ = std::thread([this] { watch(); });
        something_to_watch_.notify_one();
    }
    auto table = mine.connection.query(query, values);
    mine.deadline_ms.store(0);
    busy_.fetch_sub(1);
    count(table ? nullptr : &table.error(), began_us);
    if (!table) return base::fail(std::move(table.error().message));
    return std::move(*table);
}

void SqlDatabase::count(const SqlError* error, std::uint64_t began_us) {
    const std::uint64_t ended_us = now_us();
    queries_.fetch_add(1, std::memory_order_relaxed);
    microseconds_.fetch_add(ended_us - began_us, std::memory_order_relaxed);
    if (error != nullptr) errors_.fetch_add(1, std::memory_order_relaxed);
    const bool is_lost =
        error != nullptr && (error->is_lost || ended_us - began_us >= timeout_ms_ * 1000);
    const bool is_news = breaker_.with([&](CircuitBreaker& breaker) {
        return is_lost ? breaker.failed(ended_us / 1000) : breaker.succeeded();
    });
    if (is_news && is_lost) {
        log_.print(LogType::error, "Error: database {} is lost, and tried again from time to time.",
                   name_);
    } else if (is_news) {
        log_.print(LogType::notice, "Database {} answers again.", name_);
    }
    if (error != nullptr) report(error->message, ended_us / 1000);
}

// What a client may cause again and again is said once a minute.
void SqlDatabase::report(const std::string& error, std::uint64_t now_ms) {
    constexpr std::uint64_t minute_ms = 60'000;
    std::uint64_t last_ms = reported_ms_.load();
    if (last_ms != 0 && now_ms < last_ms + minute_ms) return;
    if (!reported_ms_.compare_exchange_strong(last_ms, now_ms)) return;
    log_.print(LogType::error, "Error: database {}: {}", name_, error);
}

// Ends what waits for longer than it may.
void SqlDatabase::watch() {
    std::unique_lock lock(watch_mutex_);
    while (!finishing_) {
        something_to_watch_.wait(lock, [this] { return finishing_ || busy_.load() != 0; });
        something_to_watch_.wait_for(lock, watch_interval, [this] { return finishing_; });
        abort_overdue(now_us() / 1000);
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

SqlFigures SqlDatabase::figures() const {
    const auto value = [](const std::atomic<std::uint64_t>& counter) {
        return counter.load(std::memory_order_relaxed);
    };
    return {.queries = value(queries_),
            .errors = value(errors_),
            .microseconds = value(microseconds_),
            .not_asked = value(not_asked_),
            .refused = pool_.refused(),
            .waiting = pool_.waiting()};
}

}  // namespace auth
