// Threads for what would hold a shard up: hashing a password, asking a database.
//
//     post() -> [ waiting: at most queue_max ] -> the next worker that is free
//
// A worker is named by its number, so that each may have a connection of its own to something.
//
// Owned by server/. Threads: post() and the figures from any; the workers start with the first
// post(), and end in finish(). Limit: what waits is bounded; what it refuses is counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace auth {

class WorkPool {
public:
    // Called once, on a worker's thread; `worker` is less than the number of workers.
    using Work = std::function<void(std::size_t worker)>;

    struct Limits {
        std::size_t workers = 1;
        std::size_t queue_max = 1000;  // What waits, without what is being worked on.
    };

    explicit WorkPool(const Limits& limits) : limits_(limits) {}
    WorkPool(const WorkPool&) = delete;
    WorkPool& operator=(const WorkPool&) = delete;
    ~WorkPool() { finish(); }

    // False, and nothing is done, if too much waits already, or after finish().
    bool post(Work work);
    // Waits for what is being worked on, and drops what waits. No worker runs after it.
    void finish();

    std::size_t workers() const { return limits_.workers; }
    std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
    std::uint64_t done() const { return done_.load(std::memory_order_relaxed); }
    std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

private:
    void run(std::size_t worker);

    const Limits limits_;
    std::atomic<std::size_t> waiting_{0};
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> refused_{0};

    std::mutex mutex_;  // Of the next three.
    std::deque<Work> queue_;
    std::vector<std::thread> threads_;
    bool finishing_ = false;
    std::condition_variable something_to_do_;
};

}  // namespace auth
