#include "broker/queue_memory.h"

#include <algorithm>

namespace broker {

void QueueMemory::close_turn(CommitNumber number) {
    last_number_ = std::max(last_number_, number);
    for (const QueueRequest& request : wanted_) waiting_.push_back({last_number_, request});
    wanted_.clear();
}

// From a store that has failed, what it has is what there will be.
void QueueMemory::ask(CommitNumber committed) {
    while (!waiting_.empty() && (waiting_.front().number <= committed || store_.has_failed())) {
        store_.read_queue(shard_, waiting_.front().request);
        waiting_.pop_front();
        ++asked_;
    }
}

std::vector<QueueSlice> QueueMemory::take_slices() {
    if (asked_ == 0) return {};
    std::vector<QueueSlice> slices = store_.take_slices(shard_);
    asked_ -= std::min(asked_, slices.size());
    return slices;
}

}  // namespace broker
