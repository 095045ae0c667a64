// Session: what the store is told of it, and how it comes back from there.
#include <algorithm>

#include "broker/connection.h"
#include "broker/shard.h"

namespace broker {

void Session::record_state() {
    if (!shard_.records()) return;
    // What of its queue is in the store only is lost with its record: that stays as long as it.
    const bool has_stored = outgoing_ && outgoing_->queue.has_stored();
    if (!is_persistent() && !has_stored) return record_end();
    if (!is_recorded()) number_ = shard_.broker().new_session_number();
    SessionKept kept{.session = number_, .client_id = client_id_, .expiry_s = expiry_s_};
    if (absence_) {
        kept.left_wall_ms = absence_->since_wall_ms;
        // The will of a connected client is not: whether it is due shows when the client goes.
        if (will_ && is_will_kept()) {
            kept.will = will_->message;
            kept.will_delay_s = will_->delay_s;
            kept.will_expiry_s = will_->expiry_s;
            kept.will_user_name = will_->user_name;
        }
    }
    shard_.record(std::move(kept));
}

bool Session::is_will_kept() const {
    return shard_.options().durability.of(will_->message->topic()) != Durability::memory;
}

void Session::record_end() {
    if (!is_recorded()) return;
    shard_.record(SessionEnded{number_});
    shard_.recent_ends().add(client_id_, number_);
    number_ = {};
}

void Session::record_queued(Delivery& delivery) {
    delivery.durability = delivery.message->durability();
    delivery.set_order(outgoing_->next_order++);
    shard_.record(MessageKept{.session = number_,
                              .order = delivery.order,
                              .message = delivery.message,
                              .ids = delivery.ids,
                              .qos = delivery.qos,
                              .retain = delivery.retain},
                  delivery.durability);
}

// A QoS 2 message must not reach the client before its identifier is safe: a broker that has
// forgotten it would give the message another one, and the client would take it for a new one
// [MQTT-4.3.3-1].
void Session::record_in_flight(mqtt::PacketId id) {
    InflightMessage& message = *outgoing_->inflight.find(id);
    Delivery& delivery = message.delivery;
    if (delivery.message) delivery.durability = delivery.message->durability();
    if (delivery.durability == Durability::memory) return;
    if (delivery.qos == mqtt::Qos::exactly_once) shard_.hold_output(*connection_);
    if (delivery.order != 0) {
        shard_.record(MessageSent{number_, delivery.order, message.state, id}, delivery.durability);
        return;
    }
    delivery.set_order(outgoing_->next_order++);
    shard_.record(MessageKept{.session = number_,
                              .order = delivery.order,
                              .message = delivery.message,
                              .ids = delivery.ids,
                              .qos = delivery.qos,
                              .retain = delivery.retain,
                              .state = message.state,
                              .packet_id = id},
                  delivery.durability);
}

void Session::record_done(const Delivery& delivery) {
    if (delivery.order == 0) return;
    shard_.record(MessageDone{number_, delivery.order}, delivery.durability);
}

void Session::keep_received(mqtt::PacketId id, Durability level) {
    if (!received_qos2().insert(id) || !is_recorded()) return;
    if (level != Durability::memory) return shard_.record(ReceivedKept{number_, id}, level);
    if (!unrecorded_qos2_) unrecorded_qos2_ = std::make_unique<PacketIdSet>();
    unrecorded_qos2_->insert(id);
}

// Reaches the disk, whatever the level: were the identifier there again after a loss of power, the
// client's next message with it would be taken for a repeat.
bool Session::release_received(mqtt::PacketId id) {
    if (!received_qos2().erase(id)) return false;
    if (unrecorded_qos2_ && unrecorded_qos2_->erase(id)) return true;
    if (is_recorded()) shard_.record(ReceivedReleased{number_, id});
    return true;
}

void Session::restore(const SessionKept& kept) {
    expiry_s_ = kept.expiry_s;
    if (!kept.will) return;
    will_ = std::make_unique<PendingWill>();
    will_->message = kept.will;
    will_->delay_s = kept.will_delay_s;
    will_->expiry_s = kept.will_expiry_s;
    will_->user_name = kept.will_user_name;
}

bool Session::restore(const MessageKept& kept) {
    if (kept.packet_id == 0) return restore_queued(kept);
    const bool has_content = kept.state != OutgoingState::wait_pubcomp;
    if (has_content && !kept.message) return false;
    Delivery delivery{{kept.qos, kept.retain}, kept.message, kept.ids};
    delivery.set_order(kept.order);
    skip_orders(kept.order);
    const std::size_t size = kept.message ? kept.message->payload().size() : 0;
    InflightMessage message{std::move(delivery), static_cast<std::uint32_t>(size), kept.state};
    if (!outgoing_->inflight.restore(kept.packet_id, message)) return false;
    if (kept.message) count_queued(message.delivery);
    return true;
}

// Behind the first that stays in the store, all do.
bool Session::restore_queued(const MessageKept& kept) {
    if (!kept.message && !kept.stored_bytes) return false;
    skip_orders(kept.order);
    const std::size_t size = kept.message ? kept.message->payload().size() : *kept.stored_bytes;
    shard_.counters().queued_messages.add();
    shard_.counters().queued_bytes.add(size);
    if (!kept.message || outgoing_->queue.has_stored()) {
        outgoing_->queue.add_stored(kept.order, size);
        return true;
    }
    Delivery delivery{{kept.qos, kept.retain}, kept.message, kept.ids};
    delivery.set_order(kept.order);
    keep_in_memory(std::move(delivery));
    return true;
}

// They are taken.
void Session::skip_orders(std::uint64_t last) {
    std::uint64_t& next_order = outgoing().next_order;
    next_order = std::max(next_order, last + 1);
}

// A client that was connected when the broker ended has been away for at least as long as the
// broker is back, which is all that can be known.
void Session::await_client_since(std::int64_t left_wall_ms) {
    if (left_wall_ms == 0) return await_client();
    begin_absence(left_wall_ms);
}

}  // namespace broker
