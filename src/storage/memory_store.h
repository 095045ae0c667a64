// A Store that records in memory only: for the tests of everything that stands on the seam. A
// second broker on the same store is a restart.
//
// Commits at once, or when it is told to, as a disk would. Threads: any; shards append in parallel.
#pragma once

#include <deque>
#include <map>

#include "base/guarded.h"
#include "storage/kept_state.h"

namespace storage {

class MemoryStore : public broker::Store {
public:
    bool records() const override { return true; }
    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch& batch) override;
    broker::CommitNumber committed(std::uint32_t shard) const override;
    void restore(const std::function<void(const broker::Change&)>& each) override;

    bool is_behind() const override;
    // It is behind, or is no longer, and wakes that shard.
    void set_behind(bool is_behind, std::uint32_t shard);

    bool reads_queues() const override { return true; }
    void read_queue(std::uint32_t shard, const broker::QueueRequest& request) override;
    std::vector<broker::QueueSlice> take_slices(std::uint32_t shard) override;
    // From now on read_queue() is not answered before answer_reads().
    void hold_reads();
    void answer_reads();
    // The next slices cannot be read.
    void break_reads(std::string error);

    // From now on batches wait for commit().
    void hold_commits();
    // Makes a shard's first `batches` waiting ones safe, and wakes it.
    void commit(std::uint32_t shard, std::size_t batches = SIZE_MAX);
    // The disk breaks: what waits is lost, nothing becomes safe any more. Wakes that shard.
    void fail(std::uint32_t shard);
    bool has_failed() const override;
    // The power goes: what waits is lost. Commits at once again.
    void lose_pending();

    // Batches that wait, over all shards.
    std::size_t pending() const;
    // Changes that it was ever given.
    std::size_t recorded() const;

private:
    struct Log {
        broker::CommitNumber appended = 0;
        broker::CommitNumber committed = 0;
        std::deque<broker::ChangeBatch> pending;
    };
    struct Read {
        std::uint32_t shard;
        broker::QueueRequest request;
    };
    struct State {
        KeptState kept;
        std::map<std::uint32_t, Log> logs;  // By shard.
        std::size_t recorded = 0;
        bool is_holding = false;
        bool is_behind = false;
        bool has_failed = false;
        std::vector<Read> reads;  // Not answered yet.
        bool is_holding_reads = false;
        std::string read_error;
        std::map<std::uint32_t, std::vector<broker::QueueSlice>> slices;  // By shard.
    };
    static void apply_first(State& state, Log& log);

    base::Guarded<State, std::shared_mutex> state_;
};

}  // namespace storage
