#include "broker/session_queue.h"

#include <algorithm>

namespace broker {

void SessionQueue::add_stored(std::uint64_t order, std::size_t payload_bytes) {
    if (!stored_) {
        stored_ = std::make_unique<Stored>();
        stored_->first_order = order;
    }
    stored_->last_order = order;
    for (Size* size : {&stored_->all, &stored_->since}) {
        ++size->messages;
        size->bytes += payload_bytes;
    }
}

bool SessionQueue::let_go_of_last(Delivery& gone) {
    if (memory_.empty() || !stored_ || stored_->is_reading) return false;
    const Delivery& last = memory_[memory_.size() - 1];
    if (last.order == 0 || last.mark != 0) return false;
    gone = memory_.take_back();
    const std::size_t bytes = gone.message->payload().size();
    memory_bytes_ -= bytes;
    stored_->first_order = gone.order;
    ++stored_->all.messages;
    stored_->all.bytes += bytes;
    return true;
}

QueueRequest SessionQueue::begin_slice() {
    stored_->is_reading = true;
    stored_->asked_order = stored_->last_order;
    stored_->since = {};
    return {.first_order = stored_->first_order, .last_order = stored_->last_order};
}

SessionQueue::Size SessionQueue::end_slice(const QueueSlice& slice) {
    Stored& stored = *stored_;
    stored.is_reading = false;
    const auto take = [&](std::size_t messages, std::size_t bytes) {
        stored.all.messages -= std::min(messages, stored.all.messages - stored.since.messages);
        stored.all.bytes -= std::min(bytes, stored.all.bytes - stored.since.bytes);
    };
    for (const MessageKept& one : slice.messages) take(1, one.message->payload().size());
    Size lost{slice.unreadable, 0};
    take(lost.messages, 0);
    const bool is_over = slice.next_order > stored.asked_order || !slice.error.empty();
    stored.first_order = is_over ? stored.asked_order + 1 : slice.next_order;
    if (is_over) {  // What is left of it is not there, or will not be read.
        lost.messages += stored.all.messages - stored.since.messages;
        lost.bytes = stored.all.bytes - stored.since.bytes;
        stored.all = stored.since;
    }
    if (stored.all.messages == 0) stored_.reset();
    return lost;
}

}  // namespace broker
