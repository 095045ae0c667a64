// Session: its part in shared subscriptions, and what becomes of their messages when it goes.
#include <utility>
#include <vector>

#include "broker/session.h"
#include "broker/shard.h"

namespace broker {

SharedSubscriptions& Session::shared_or_new() {
    if (!shared_) shared_ = std::make_unique<SharedSubscriptions>();
    return *shared_;
}

void Session::set_members_connected(bool is_connected) {
    if (!shared_) return;
    shared_->for_each([&](SharedMark mark, const SharedSubscription& one) {
        one.group->set_connected({shard_.number(), id_, mark}, is_connected);
    });
}

void Session::hand_over(Among among) {
    if (!outgoing_ || !shared_) return;
    hand_over_in_flight(among);
    hand_over_queue(among, 0);
}

// True if it is no longer this session's: another member has it, or it has expired.
bool Session::give_away(const Delivery& delivery, Among among) {
    const SharedSubscription* const one = shared_->find(static_cast<SharedMark>(delivery.mark));
    if (!one || !delivery.message) return false;
    if (delivery.message->is_expired(shard_.wall_ms())) {
        shard_.counters().dropped_expired.add();
        return true;
    }
    Publication publication = Publication::of(delivery.message);
    publication.must_arrive = is_recorded() && delivery.order != 0;
    return shard_.offer(publication, *one->group, among);
}

// To another client it is a message as any other: DUP is about one and the same client
// [MQTT-3.3.1-1].
void Session::hand_over_in_flight(Among among) {
    std::vector<mqtt::PacketId> ids;
    outgoing_->inflight.for_each([&](mqtt::PacketId id, const InflightMessage& message) {
        if (message.state == OutgoingState::wait_puback && message.delivery.mark != 0) {
            ids.push_back(id);
        }
    });
    for (const mqtt::PacketId id : ids) {
        InflightMessage& message = *outgoing_->inflight.find(id);
        if (give_away(message.delivery, among)) finish(message);
    }
}

void Session::hand_over_queue(SharedMark mark) {
    if (!outgoing_) return;
    hand_over_queue(Among::connected, mark);
    const auto unmark = [&](Delivery& delivery) {
        if (delivery.mark == mark) delivery.mark = 0;
    };
    outgoing_->inflight.for_each(
        [&](mqtt::PacketId, InflightMessage& message) { unmark(message.delivery); });
    for (std::size_t i = 0; i < outgoing_->queue.in_memory(); ++i) unmark(outgoing_->queue[i]);
}

// With `mark` 0: of all shared subscriptions. What is in the store only stays: how it came is not
// known there, and it is this client's, as after a restart.
void Session::hand_over_queue(Among among, SharedMark mark) {
    for (std::size_t left = outgoing_->queue.in_memory(); left > 0; --left) {
        Delivery delivery = take_from_memory();
        const bool is_meant = delivery.mark != 0 && (mark == 0 || delivery.mark == mark);
        if (is_meant && give_away(delivery, among)) {
            forget_queued(delivery);
            if (is_recorded()) record_done(delivery);
            continue;
        }
        keep_in_memory(std::move(delivery));
    }
}

}  // namespace broker
