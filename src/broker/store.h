// The seam to what outlives the process: a shard hands it each turn's changes, and is told when
// they are safe.
//
// What is kept: sessions that outlive their connection with all that is theirs, retained messages,
// and messages on their way to another shard that nobody would send again. A change says what is
// true from now on, so that applying one twice does no harm. Nothing is recorded for a session that
// ends with its connection, nor for QoS 0, but where that waits behind what only the store has.
//
// Threads: append() and committed() are called by each shard for itself; `on_commit` may run in any
// thread. A message's content is shared by reference: one payload, however many sessions wait.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "broker/ids.h"
#include "broker/inflight_window.h"
#include "broker/message.h"
#include "broker/publisher.h"
#include "broker/queue_slice.h"
#include "broker/subscription_ids.h"
#include "mqtt/subscribe.h"

namespace broker {

// A session without its subscriptions and messages; replaces what was known of it.
struct SessionKept {
    SessionNumber session{};
    std::string client_id;
    std::uint32_t expiry_s = 0;
    std::int64_t left_wall_ms = 0;  // When its client went; 0 = it is connected.
    // A will that waits for its delay, which counts from left_wall_ms. Empty = none.
    MessageRef will{};
    std::uint32_t will_delay_s = 0;
    std::optional<std::uint32_t> will_expiry_s{};
    std::string will_user_name{};
};
// The session and everything of it is gone.
struct SessionEnded {
    SessionNumber session{};
};
struct SubscriptionKept {
    SessionNumber session{};
    std::string filter;
    mqtt::SubscribeOptions options;
    std::uint32_t subscription_id = 0;
};
struct SubscriptionEnded {
    SessionNumber session{};
    std::string filter;
};
// How far a kept message has come. With wait_pubcomp its content is no longer needed.
struct MessageSent {
    SessionNumber session{};
    std::uint64_t order = 0;
    OutgoingState state{};
    mqtt::PacketId packet_id = 0;
};
struct MessageDone {
    SessionNumber session{};
    std::uint64_t order = 0;
};
// The identifier of a QoS 2 message from the client.
struct ReceivedKept {
    SessionNumber session{};
    mqtt::PacketId packet_id = 0;
};
struct ReceivedReleased {
    SessionNumber session{};
    mqtt::PacketId packet_id = 0;
};
struct RetainedKept {
    MessageRef message;
    PublisherRef publisher{};
};
struct RetainedCleared {
    std::string topic;
};
// The shards of the process that recorded the handovers: who it is that each of them reached.
struct LayoutKept {
    std::uint32_t shards = 0;
    std::uint64_t partition_seed = 0;
};
// The `count`-th message from one shard to another: what was recorded with it (that its sender has
// done its part, that who had it is done with it) is true only once it has arrived.
struct HandoverKept {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint64_t count = 0;
    MessageRef message{};
    std::string group{};  // "group/filter": for one member of a shared subscription; else empty.
};
// The receiver has the first `count` of them, and has recorded what it made of them.
struct HandoverTaken {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint64_t count = 0;
};
// That is safe: the first `count` need no longer be kept.
struct HandoverDone {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint64_t count = 0;
};
// All of them are, and what was taken is forgotten: the counts begin anew.
struct HandoversCleared {};

using Change = std::variant<SessionKept, SessionEnded, SubscriptionKept, SubscriptionEnded,
                            MessageKept, MessageSent, MessageDone, ReceivedKept, ReceivedReleased,
                            RetainedKept, RetainedCleared, LayoutKept, HandoverKept, HandoverTaken,
                            HandoverDone, HandoversCleared>;

// Changes in the order in which they happened; all of them become safe at once, or none.
class ChangeBatch {
public:
    // Without `needs_sync` it need not survive a loss of power.
    template <typename OneChange>
    void add(OneChange&& change, bool needs_sync = true) {
        changes_.emplace_back(std::forward<OneChange>(change));
        needs_sync_ = needs_sync_ || needs_sync;
    }
    // Appends all of `other`, which is empty then: several turns become one group.
    void absorb(ChangeBatch& other);
    // Leaves out messages that came and went within the batch: they need never be written.
    void prune();
    bool empty() const { return changes_.empty(); }
    // Whether any of them must.
    bool needs_sync() const { return needs_sync_; }
    std::size_t size() const { return changes_.size(); }
    const std::vector<Change>& all() const { return changes_; }
    // Keeps its memory for the next turn.
    void clear() {
        changes_.clear();
        needs_sync_ = false;
    }

private:
    std::vector<Change> changes_;
    bool needs_sync_ = false;
};

// Counts a shard's batches; they become safe in this order.
using CommitNumber = std::uint64_t;

// Since the start, but for what is said to be so.
struct StoreFigures {
    std::uint64_t batches = 0;
    std::uint64_t groups = 0;         // Written; the others came to nothing.
    std::uint64_t writes = 0;         // Records put and erased.
    std::uint64_t bytes = 0;          // Of these.
    std::uint64_t waiting_bytes = 0;  // Now.
    std::uint64_t times_behind = 0;   // How often publishers had to wait.
    std::uint64_t dropped = 0;        // Changes that a failed store did not take.
    bool is_out_of_space = false;     // Now.
    bool has_failed = false;
};

class Store {
public:
    Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    virtual ~Store() = default;

    // False: nothing is kept (level memory), and the shards make no changes at all. Never changes.
    virtual bool records() const = 0;
    // Takes a turn's changes and leaves the batch empty. Does not wait for the disk.
    virtual CommitNumber append(std::uint32_t shard, ChangeBatch& batch) = 0;
    // Up to which of its batches a shard's changes are safe.
    virtual CommitNumber committed(std::uint32_t shard) const = 0;
    // More waits to become safe than may: who publishes what is kept must wait. Shards are woken
    // when it is over.
    virtual bool is_behind() const { return false; }
    virtual StoreFigures figures() const { return {}; }
    // Calls `each` for what was safe when the last process ended, before any append(): each session
    // before what is its own, its messages by their order, handovers by theirs.
    virtual void restore(const std::function<void(const Change&)>& each) = 0;

    // Of the messages in queues, restore() gives so many bytes with their content, the oldest
    // first, and of the others only their size (MessageKept::stored_bytes); 0 = all.
    void set_restored_bytes_max(std::size_t bytes) { restored_bytes_max_ = bytes; }

    // Whether a queue may leave memory, and be read back. Never changes.
    virtual bool reads_queues() const { return false; }
    // Reads a slice without waiting for it: take_slices() has it when the shard has been woken.
    virtual void read_queue(std::uint32_t /*shard*/, const QueueRequest& /*request*/) {}
    virtual std::vector<QueueSlice> take_slices(std::uint32_t /*shard*/) { return {}; }
    // Nothing more becomes safe until the next start. Shards are woken when it begins.
    virtual bool has_failed() const { return false; }
    // Nothing becomes safe until there is space again, which needs no help.
    virtual bool is_out_of_space() const { return false; }

    // Makes safe what was appended, if it can. No append() and no wake after it.
    virtual void finish() {}

    // `wake(shard)` is called, from any thread, when committed(shard) has advanced: the shard needs
    // a turn. Set before the first append().
    void on_commit(std::function<void(std::uint32_t shard)> wake) { wake_ = std::move(wake); }

protected:
    void wake(std::uint32_t shard) const {
        if (wake_) wake_(shard);
    }
    std::size_t restored_bytes_max() const { return restored_bytes_max_; }

private:
    std::size_t restored_bytes_max_ = 0;
    std::function<void(std::uint32_t)> wake_;
};

}  // namespace broker
