// Session: the part of its queue that is in the store only.
#include "broker/connection.h"
#include "broker/shard.h"

namespace broker {
namespace {

// Messages that leave memory for each one that comes: a long queue shrinks in steps.
constexpr std::size_t let_go_max = 1000;

}  // namespace

void Session::keep_in_memory(Delivery delivery) {
    shard_.queue_memory().add(delivery);
    outgoing_->queue.push_back(std::move(delivery));
}

Delivery Session::take_from_memory() {
    Delivery front = outgoing_->queue.take_front();
    shard_.queue_memory().subtract(front);
    return front;
}

bool Session::leaves_memory() const {
    if (outgoing_->queue.has_stored()) return true;
    return is_recorded() && shard_.queue_memory().is_full(shard_.options());
}

// QoS 0 is recorded here, too, so that it keeps its place. But who publishes it is not asked to
// wait for the disk, and what a store that has failed is given is nowhere.
bool Session::may_store(mqtt::Qos qos) const {
    if (shard_.queue_memory().has_store_failed()) return false;
    return qos != mqtt::Qos::at_most_once || !shard_.is_store_behind();
}

void Session::store_only(Delivery& delivery) {
    record_queued(delivery);
    outgoing_->queue.add_stored(delivery.order, delivery.message->payload().size());
    shrink_queue();
    if (connection_) fetch_slice();
}

// A session whose queue grows keeps the head of it, as much as a slice.
void Session::shrink_queue() {
    SessionQueue& queue = outgoing_->queue;
    Delivery gone;
    for (std::size_t left = let_go_max; left > 0; --left) {
        if (queue.in_memory() <= slice_messages_max) return;
        if (!shard_.queue_memory().is_full(shard_.options())) return;
        if (!queue.let_go_of_last(gone)) return;
        shard_.queue_memory().subtract(gone);
    }
}

void Session::fetch_slice() {
    if (!outgoing_->queue.wants_slice()) return;
    QueueRequest request = outgoing_->queue.begin_slice();
    request.reader = id_;
    request.session = number_;
    shard_.queue_memory().want(request);
}

// The session may have ended since it asked, and another have its place.
void Session::take_slice(QueueSlice& slice) {
    if (!outgoing_ || slice.session != number_ || !outgoing_->queue.awaits(slice)) return;
    const SessionQueue::Size lost = outgoing_->queue.end_slice(slice);
    for (MessageKept& kept : slice.messages) {
        Delivery delivery{{kept.qos, kept.retain}, std::move(kept.message), std::move(kept.ids)};
        delivery.set_order(kept.order);
        keep_in_memory(std::move(delivery));
    }
    if (lost.messages > 0) give_up(lost, slice.error);
    if (connection_) pump();
}

// They stay where they are: the next start may be able to read them, or sets them aside.
void Session::give_up(const SessionQueue::Size& lost, std::string_view reason) {
    shard_.counters().dropped_unreadable.add(lost.messages);
    shard_.counters().queued_messages.subtract(lost.messages);
    shard_.counters().queued_bytes.subtract(lost.bytes);
    shard_.log().print(base::LogType::error,
                       "Error: {} queued messages of client {} cannot be read from the store and "
                       "are left out ({}).",
                       lost.messages, client_id_, reason.empty() ? "damaged or missing" : reason);
}

void Session::forget_stored() {
    const SessionQueue::Size stored = outgoing_->queue.stored_size();
    shard_.counters().queued_messages.subtract(stored.messages);
    shard_.counters().queued_bytes.subtract(stored.bytes);
}

}  // namespace broker
