// The QoS 1 and 2 messages that are on their way to one client, in the order they were sent.
//
// Packet identifiers are given out in sequence (1 .. 65535, then 1 again), so that the one to find
// for an acknowledgement is a subtraction away, and none is given twice: the window never spans
// more than 65,535 of them.
//
//     front                         next_id
//     [41 done? no][42 done][43 wait_pubcomp]
//
// An entry that is done leaves when it reaches the front. On a new connection the window is
// rewound: everything in it waits to be sent once more, in order, before anything new is added.
#pragma once

#include "base/ring.h"
#include "broker/ids.h"
#include "broker/message.h"
#include "broker/subscription_ids.h"
#include "mqtt/types.h"

namespace broker {

enum class OutgoingState : std::uint8_t { done, wait_puback, wait_pubrec, wait_pubcomp };

// What of a delivery is copied as one word: its bits one by one would cost each QoS 1 message.
struct DeliveryTag {
    mqtt::Qos qos : 2 = mqtt::Qos::at_most_once;
    bool retain : 1 = false;
    Durability durability : 2 = Durability::disk;  // Of its message, once it is recorded.
    // Names it within its session; 0 = not in the store.
    std::uint64_t order : 43 = 0;
    // Which shared subscription it came by; 0 = none.
    std::uint64_t mark : 12 = 0;

    void set_mark(SharedMark one) { mark = one & 0xFFFU; }
    void set_order(std::uint64_t number) { order = number & 0x7FF'FFFF'FFFFU; }
};
static_assert(sizeof(DeliveryTag) == 8);

// A message and how this client gets it.
struct Delivery : DeliveryTag {
    MessageRef message;  // Empty where it will never be sent again (Session::send).
    SubscriptionIds ids;
};
static_assert(sizeof(Delivery) == 24);

struct InflightMessage {
    Delivery delivery;
    std::uint32_t bytes = 0;  // Of the payload, for max_inflight_bytes.
    OutgoingState state = OutgoingState::done;
    bool is_sent = true;  // On the present connection.
};

class InflightWindow {
public:
    // Not done yet, sent or to be sent again.
    std::size_t unacknowledged() const { return unacknowledged_; }
    std::size_t bytes() const { return bytes_; }
    bool is_full() const { return ring_.size() >= ids; }
    // On their way on the present connection: what its Receive Maximum limits [MQTT-3.3.4-9].
    std::size_t in_flight() const { return unacknowledged_ - unsent_; }
    bool has_unsent() const { return unsent_ > 0; }

    // Not when is_full() or has_unsent().
    mqtt::PacketId add(InflightMessage message) {
        ASSERT(!is_full() && !has_unsent());
        ++unacknowledged_;
        bytes_ += message.bytes;
        ring_.push_back(std::move(message));
        return id_at(ring_.size() - 1);
    }
    // Null for an identifier that is not in flight.
    InflightMessage* find(mqtt::PacketId id) {
        const std::size_t position = (id + ids - 1 - first_) % ids;
        if (id == 0 || position >= ring_.size()) return nullptr;
        InflightMessage& message = ring_[position];
        return message.state == OutgoingState::done ? nullptr : &message;
    }
    void complete(InflightMessage& message) {
        message.state = OutgoingState::done;
        bytes_ -= message.bytes;
        --unacknowledged_;
        if (!message.is_sent) --unsent_;
        message.is_sent = true;
        message.delivery = Delivery{};
        while (!ring_.empty() && ring_.front().state == OutgoingState::done) {
            ring_.pop_front();
            first_ = (first_ + 1) % ids;
            if (next_unsent_ > 0) --next_unsent_;
        }
    }
    // As it was when the broker ended: in the order of sending, with the identifier it had. False
    // if that cannot be.
    bool restore(mqtt::PacketId id, InflightMessage message) {
        if (id == 0) return false;
        if (ring_.empty()) first_ = id - 1U;
        const std::size_t position = (id + ids - 1 - first_) % ids;
        if (position < ring_.size()) return false;
        while (ring_.size() < position) ring_.push_back(InflightMessage{});
        add(std::move(message));
        return true;
    }
    void rewind() {
        for_each([](mqtt::PacketId, InflightMessage& message) { message.is_sent = false; });
        unsent_ = unacknowledged_;
        next_unsent_ = 0;
    }
    // The identifier of the next one to be sent again; counts as sent from now on. Not unless
    // has_unsent().
    mqtt::PacketId take_unsent() {
        ASSERT(has_unsent());
        while (ring_[next_unsent_].is_sent) ++next_unsent_;
        ring_[next_unsent_].is_sent = true;
        --unsent_;
        return id_at(next_unsent_++);
    }
    // Calls `each(PacketId, InflightMessage&)` for what is not done, in the order of sending.
    template <typename Each>
    void for_each(Each&& each) {
        for (std::size_t i = 0; i < ring_.size(); ++i) {
            if (ring_[i].state != OutgoingState::done) each(id_at(i), ring_[i]);
        }
    }

private:
    static constexpr std::uint32_t ids = 65'535;
    mqtt::PacketId id_at(std::size_t position) const {
        return static_cast<mqtt::PacketId>((first_ + position) % ids + 1);
    }

    base::Ring<InflightMessage> ring_;
    std::uint32_t first_ = 0;  // The front's identifier minus 1.
    std::uint32_t unacknowledged_ = 0;
    std::uint32_t unsent_ = 0;       // Of the unacknowledged.
    std::uint32_t next_unsent_ = 0;  // What is unsent is from this position on.
    std::size_t bytes_ = 0;
};

}  // namespace broker
