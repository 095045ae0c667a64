// What waits for one client behind what is in flight: the front of it in memory, and the rest, if
// queue_memory_limit has it so, in the store alone.
//
//     take_front() <- [ memory ] <- slices <- [ store: so many messages, from that order on ]
//
// While anything is in the store only, whatever comes goes behind it there, so that the order
// stays. The store's part comes back a slice at a time, one slice ahead at the most.
//
// Owned by its Session; thread: the shard's. Cost: nothing in the store, then a pointer.
#pragma once

#include <memory>
#include <utility>

#include "base/ring.h"
#include "broker/inflight_window.h"
#include "broker/queue_slice.h"

namespace broker {

class SessionQueue {
public:
    struct Size {
        std::size_t messages = 0;
        std::size_t bytes = 0;  // Of payloads.
    };

    // Nothing waits, in memory or in the store.
    bool empty() const { return memory_.empty() && !stored_; }
    Size size() const {
        const Size stored = stored_size();
        return {memory_.size() + stored.messages, memory_bytes_ + stored.bytes};
    }

    std::size_t in_memory() const { return memory_.size(); }
    Delivery& operator[](std::size_t position) { return memory_[position]; }
    const Delivery& operator[](std::size_t position) const { return memory_[position]; }
    // Not behind what is in the store, unless it comes from there.
    void push_back(Delivery delivery) {
        memory_bytes_ += delivery.message->payload().size();
        memory_.push_back(std::move(delivery));
    }
    Delivery take_front() {
        Delivery front = std::move(memory_.front());
        memory_.pop_front();
        memory_bytes_ -= front.message->payload().size();
        return front;
    }

    bool has_stored() const { return stored_ != nullptr; }
    Size stored_size() const { return stored_ ? stored_->all : Size{}; }
    // The next one behind all others is in the store only.
    void add_stored(std::uint64_t order, std::size_t payload_bytes);
    // The last in memory leaves it, if it is in the store, and does not belong to a shared
    // subscription, which only memory knows. False if it stays.
    bool let_go_of_last(Delivery& gone);

    // There is little left in memory, and no slice on its way.
    bool wants_slice() const {
        return stored_ && !stored_->is_reading && memory_.size() <= slice_messages_max / 2 &&
               memory_bytes_ <= slice_bytes_max / 2;
    }
    // What to ask of the store, which is on its way from now on.
    QueueRequest begin_slice();
    bool awaits(const QueueSlice& slice) const {
        return stored_ && stored_->is_reading && slice.first_order == stored_->first_order;
    }
    // The slice's messages are no longer in the store only, but for push_back() they are the
    // caller's. What was to be there and is not.
    Size end_slice(const QueueSlice& slice);

private:
    struct Stored {
        std::uint64_t first_order = 0;
        std::uint64_t last_order = 0;
        Size all;
        bool is_reading = false;
        std::uint64_t asked_order = 0;  // The last that the slice may bring.
        Size since;                     // Of all: what came after it was asked for.
    };

    base::Ring<Delivery> memory_;
    std::size_t memory_bytes_ = 0;
    std::unique_ptr<Stored> stored_;
};

}  // namespace broker
