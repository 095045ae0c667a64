// How much of what waits for a shard's clients is in memory, and the way back of what is not: what
// queue_memory_limit means.
//
// The limit is of the whole broker, and each shard has its equal share, so that counting needs no
// atomic. A message counts for each session that waits for it, though they share its content. Its
// share may be exceeded by what cannot leave: of sessions that the store does not keep, the heads
// of queues, and slices that have come back.
//
// A slice is asked of the store when all of it is safe; the shard is woken when it is there.
//
// Owned by a Shard; thread: the shard's. Limit: one request a session.
#pragma once

#include <deque>
#include <vector>

#include "broker/inflight_window.h"
#include "broker/options.h"
#include "broker/store.h"

namespace broker {

class QueueMemory {
public:
    QueueMemory(Store& store, std::uint32_t shard, std::uint32_t shards)
        : store_(store), shard_(shard), shards_(shards) {}

    std::size_t bytes() const { return bytes_; }
    void add(const Delivery& delivery) { bytes_ += cost_of(delivery); }
    void subtract(const Delivery& delivery) { bytes_ -= cost_of(delivery); }
    // More is in memory than should be, and there is another place for it.
    bool is_full(const Options& options) const {
        return options.queue_memory_max != 0 && bytes_ > options.queue_memory_max / shards_ &&
               store_.reads_queues() && !store_.has_failed();
    }
    bool has_store_failed() const { return store_.has_failed(); }

    // A session wants that back. It may have been recorded in this turn.
    void want(const QueueRequest& request) { wanted_.push_back(request); }
    // The turn's changes have this number; 0 = there were none.
    void close_turn(CommitNumber number);
    // Asks for what is safe now.
    void ask(CommitNumber committed);
    // What has come.
    std::vector<QueueSlice> take_slices();

private:
    struct Waiting {
        CommitNumber number = 0;
        QueueRequest request;
    };
    static std::size_t cost_of(const Delivery& delivery) {
        return sizeof(Delivery) + delivery.message->bytes();
    }

    Store& store_;
    const std::uint32_t shard_;
    const std::uint32_t shards_;
    std::size_t bytes_ = 0;
    CommitNumber last_number_ = 0;
    std::vector<QueueRequest> wanted_;  // In this turn.
    std::deque<Waiting> waiting_;       // For their number.
    std::size_t asked_ = 0;             // And not come yet.
};

}  // namespace broker
