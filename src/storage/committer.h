// Joins what the shards append into groups, and makes one group safe after the other: while one is
// written, the next gathers. After a power cut all of a group is there, or nothing.
//
//     shards -> append(): [gathering]  ->  write_group(): prune, Ledger, Engine  ->  committed()
//
// A message that comes and goes within a group is not written. So a group of nothing but messages
// that are with their clients waits a little for them (storage/patience.h): they may be faster than
// the disk.
//
// Out of space: the group stays and is tried again, at longer and longer intervals, until there is
// some. Any other error: what is on disk is not known any more, so nothing is committed until the
// broker is started again; what is appended then is dropped and counted. Nobody is ever told that
// something is safe which is not.
//
// Threads: append(), committed(), is_behind() and figures() from any; one thread of its own, from
// start() to finish(), which only waits and calls write_group(). Limit: Options::waiting_bytes_max,
// beyond which is_behind() asks those who publish to wait; what a turn brings above it is taken all
// the same.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "broker/interest.h"
#include "broker/store.h"
#include "storage/engine.h"
#include "storage/ledger.h"
#include "storage/patience.h"

namespace storage {

struct CommitterOptions {
    std::uint32_t shards = 1;  // At most broker::shards_max.
    bool sync = true;          // What asks for it survives a loss of power, not only the process.
    std::size_t waiting_bytes_max = std::size_t{16} << 20;
    std::chrono::milliseconds retry_first{100};
    std::chrono::milliseconds retry_longest{5000};
    std::chrono::milliseconds patience{10};  // How long a group waits for clients, at most.
    bool has_thread = true;  // Without one its owner calls write_group() when it sees fit.
};

enum class WriteAttempt : std::uint8_t {
    nothing_waits,
    done,      // The group is safe, or the store has failed and the group is dropped.
    no_space,  // The group stays, to be tried again.
};

class Committer {
public:
    Committer(Engine& engine, Ledger& ledger, base::Log& log, const CommitterOptions& options)
        : engine_(engine),
          ledger_(ledger),
          log_(log),
          options_(options),
          patience_(options.patience) {}
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;
    ~Committer() { finish(); }

    // `wake(shard)` is called from the thread when committed(shard) has advanced, and for every
    // shard when the store is no longer behind. Once.
    void start(std::function<void(std::uint32_t shard)> wake);
    // Makes one group of what has gathered and writes it, or tries the one again that found no
    // space. Does not wait for either. One thread at a time.
    WriteAttempt write_group();
    // Writes what waits and ends the thread. What cannot be written now never will be; it was not
    // committed. No append() after it.
    void finish();

    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch& batch);
    broker::CommitNumber committed(std::uint32_t shard) const {
        return lanes_[shard].committed.load(std::memory_order_acquire);
    }
    bool is_behind() const { return is_behind_.load(std::memory_order_relaxed); }
    // Nothing is committed any more. Every shard is woken when it begins.
    bool has_failed() const { return has_failed_.load(std::memory_order_acquire); }
    bool is_out_of_space() const { return is_out_of_space_.load(std::memory_order_relaxed); }
    broker::StoreFigures figures() const;

private:
    using Numbers = std::array<broker::CommitNumber, broker::shards_max>;
    struct Lane {
        std::atomic<broker::CommitNumber> committed{0};
    };
    // Behind the mutex.
    struct Gathering {
        broker::ChangeBatch changes;
        Numbers appended{};
        std::size_t bytes = 0;
        bool has_batches = false;  // Which may be empty, and are committed all the same.
    };

    void run();
    bool wait_for_group();
    void wait_for_clients();
    bool wait_for_more(std::chrono::steady_clock::time_point end);
    bool take_group();
    void encode_group();
    base::Result<void, EngineError> try_to_write();
    void count_written();
    void end_group();
    bool wait_for_space(std::chrono::milliseconds pause);
    void give_up();
    void publish(const Numbers& numbers);
    void release(std::size_t bytes);
    void fail(const std::string& reason);

    Engine& engine_;
    Ledger& ledger_;
    base::Log& log_;
    const CommitterOptions options_;
    std::function<void(std::uint32_t)> wake_;
    std::thread thread_;

    std::mutex mutex_;  // Of the next two.
    Gathering gathering_;
    bool stopping_ = false;
    std::condition_variable something_to_do_;

    // The thread writes, others read.
    std::array<Lane, broker::shards_max> lanes_;
    std::atomic<std::size_t> waiting_bytes_{0};
    std::atomic<bool> is_behind_{false};
    std::atomic<bool> has_failed_{false};
    std::atomic<bool> is_out_of_space_{false};
    std::atomic<std::uint64_t> batches_{0};
    std::atomic<std::uint64_t> groups_{0};
    std::atomic<std::uint64_t> writes_written_{0};
    std::atomic<std::uint64_t> bytes_written_{0};
    std::atomic<std::uint64_t> times_behind_{0};
    std::atomic<std::uint64_t> dropped_{0};

    // Of who calls write_group(): the group that is being written.
    Patience patience_;
    broker::ChangeBatch group_;
    Numbers group_numbers_{};
    std::size_t group_bytes_ = 0;
    std::size_t group_taken_ = 0;  // Changes, those included that came and went.
    bool has_group_ = false;
    bool is_encoded_ = false;
    WriteList writes_;
};

}  // namespace storage
