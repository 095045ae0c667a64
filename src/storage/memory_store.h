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

    // From now on batches wait for commit().
    void hold_commits();
    // Makes a shard's first `batches` waiting ones safe, and wakes it.
    void commit(std::uint32_t shard, std::size_t batches = SIZE_MAX);
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
    struct State {
        KeptState kept;
        std::map<std::uint32_t, Log> logs;  // By shard.
        std::size_t recorded = 0;
        bool is_holding = false;
        bool is_behind = false;
    };
    static void apply_first(State& state, Log& log);

    base::Guarded<State, std::shared_mutex> state_;
};

}  // namespace storage
