// What the broker keeps for one client id, with or without a connection: its subscriptions, the
// messages on their way and waiting, the QoS 2 identifiers, its will.
//
// Owned by its Shard and used on the shard's thread only. A session never moves to another shard.
//
//     deliver() -> [ in flight: the client's Receive Maximum ] <- [ queue ] <- [ retained ]
//
// A message goes straight out while the window has room; then it waits in the queue (bounded by
// max_queued_*), whose rear may be in the store only. Retained messages of a new subscription wait
// in retained, a list of references: 100,000, or twice as many as are retained, if that is more.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/ring.h"
#include "base/timer_wheel.h"
#include "broker/authenticator.h"
#include "broker/filter_list.h"
#include "broker/ids.h"
#include "broker/inflight_window.h"
#include "broker/packet_id_set.h"
#include "broker/pending_will.h"
#include "broker/publication.h"
#include "broker/publisher.h"
#include "broker/session_queue.h"
#include "broker/shared_subscriptions.h"

namespace broker {

class Connection;
class Counter;
class Shard;
struct MessageKept;
struct SessionKept;

// How one subscription wants a message.
struct DeliveryTerms {
    mqtt::Qos qos{};  // What the subscription was granted.
    bool retain = false;
    SubscriptionIds ids;
    SharedMark mark = 0;  // Of the session's shared subscription that it is; 0 = none.
};

class Session {
public:
    Session(Shard& shard, SessionId id, std::string_view client_id);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    SessionId id() const { return id_; }
    Shard& shard() { return shard_; }
    const std::string& client_id() const { return client_id_; }
    // Names the client in what it publishes.
    SourceId source() const { return source_; }
    Connection* connection() const { return connection_; }
    // As whom its client came in, or came last; empty = without a name.
    std::string_view user_name() const { return user_name_ ? *user_name_ : std::string_view(); }
    std::uint32_t realm() const { return realm_; }
    void set_user(std::optional<std::string_view> name, std::uint32_t realm);
    // What its login says it may do, in place of the authorizer; null: nothing.
    void grant(GrantedRightsRef rights);
    const GrantedRightsRef& granted() const { return granted_; }
    // Who retains what the client publishes; null: its rights are its login's own.
    const PublisherRef& publisher();
    // The client's rights to a topic, below its listener's mount point.
    bool may(Access access, std::string_view topic);
    // The same for what comes while nobody knows yet whose session it is, after a restart: kept,
    // and judged when it is sent.
    bool may_keep(std::string_view topic) { return !has_user_ || may(Access::receive, topic); }
    // Which rule says so, for people.
    std::string explain(Access access, std::string_view topic);
    // By the rights of its login; nothing if it has none, or the inquiry is about another user.
    std::optional<Ruling> own_ruling(const Inquiry& inquiry) const;
    bool is_connected() const { return connection_ != nullptr; }

    // Seconds that the session outlives its connection; 0 = it ends with it, 0xFFFFFFFF = forever.
    std::uint32_t expiry_s() const { return expiry_s_; }
    void set_expiry_s(std::uint32_t seconds) { expiry_s_ = seconds; }
    // Whether messages are kept for it while it is away.
    bool is_persistent() const { return expiry_s_ != 0; }

    // The client is here: `window` is its Receive Maximum. Cancels expiry and a delayed will.
    void attach(Connection& connection, std::uint16_t window);
    // The client is gone, and so is what was only meant for its connection. What came by a shared
    // subscription goes to its other members that are connected.
    void detach();
    // Arms the timer for what happens to a session without a client: its will, its end.
    void await_client();

    // The store keeps it, under this number.
    bool is_recorded() const { return number_ != SessionNumber{}; }
    SessionNumber number() const { return number_; }
    // Makes the store's record true: of a session that outlives its connection there is one.
    void record_state();
    void record_end();
    // Recovery: restore() while nothing is recorded; then it has a number, and waits for its client
    // as if that had gone at `left_wall_ms` (0 = with the broker). False if it cannot be so.
    void restore(const SessionKept& kept);
    bool restore(const MessageKept& kept);
    void set_number(SessionNumber number) { number_ = number; }
    void await_client_since(std::int64_t left_wall_ms);

    void set_will(std::unique_ptr<PendingWill> will) { will_ = std::move(will); }
    PendingWill* will() const { return will_.get(); }
    std::unique_ptr<PendingWill> take_will() { return std::move(will_); }

    // Sends, queues or drops (and counts) one message.
    void deliver(Publication& publication, const DeliveryTerms& terms);
    // Whether deliver() would drop it because there is too much already.
    bool would_drop(const Publication& publication, mqtt::Qos granted) const;
    // Retained messages for a new subscription; sent as the window allows.
    void add_retained(const MessageRef& message, const DeliveryTerms& terms);
    // Sends again what was not acknowledged, in its order, then what waits [MQTT-4.4.0-1].
    void resume();
    // Sends what waits, as far as window and output have room.
    void pump();
    bool has_waiting() const;
    // A part of the queue that the store has read.
    void take_slice(QueueSlice& slice);
    // How much of it there is.
    struct Backlog {
        std::size_t messages = 0;  // Queued, but for what is retained and in line.
        std::size_t bytes = 0;
        std::size_t in_flight = 0;
    };
    Backlog backlog() const;

    // The client's acknowledgements of what it was sent. False: the identifier is not in flight.
    bool on_puback(mqtt::PacketId id);
    // A reason of 0x80 or more ends the exchange [MQTT-4.4.0-2].
    bool on_pubrec(mqtt::PacketId id, bool failed);
    bool on_pubcomp(mqtt::PacketId id);

    // Identifiers of QoS 2 messages from the client that are not released yet.
    PacketIdSet& received_qos2();
    bool is_received(mqtt::PacketId id) const {
        return received_qos2_ && received_qos2_->contains(id);
    }
    void keep_received(mqtt::PacketId id, Durability level);
    // False if it was not kept.
    bool release_received(mqtt::PacketId id);

    // Its shared subscriptions; null if it never had one.
    SharedSubscriptions* shared() { return shared_.get(); }
    SharedSubscriptions& shared_or_new();
    // Gives what came by shared subscriptions and has not arrived to other members, in its order:
    // QoS 1 that is in flight, and the queue. QoS 2 in flight stays [MQTT-4.8.2-4]. What nobody
    // `among` them takes stays, too.
    void hand_over(Among among);
    // The shared subscription ends and the session goes on: what was sent is completed
    // [MQTT-3.10.4-3], the queue goes to those that are connected.
    void hand_over_queue(SharedMark mark);

    // The filters it subscribes to, as the index and SharedGroups know them.
    FilterList& filters() { return filters_; }
    const FilterList& filters() const { return filters_; }
    // It has ended, but for its filters, which the shard takes out of the index in slices: nothing
    // is kept for it any more.
    void abandon();

private:
    // What most sessions never have (a client that only publishes, or only listens at QoS 0) is
    // made when it is needed: a million idle ones are what memory is spent on.
    struct Outgoing {
        InflightWindow inflight;
        SessionQueue queue;
        base::Ring<Delivery> retained;
        std::uint64_t next_order = 1;
    };
    struct Absence {
        explicit Absence(Session& session) : timer(&Session::on_timer, &session) {}
        base::Timer timer;
        std::uint64_t ends_at_ms = UINT64_MAX;  // Monotonic; UINT64_MAX = never.
        std::int64_t since_wall_ms = 0;
    };

    Outgoing& outgoing();
    bool window_has_room() const;
    bool output_is_full() const;
    void begin_absence(std::int64_t since_wall_ms);
    // `order`: its name in the store if it has been in the queue.
    void send(Publication& publication, const DeliveryTerms& terms, mqtt::Qos qos,
              std::uint64_t order = 0);
    void send_kept(Delivery& delivery);
    Counter* reason_to_drop(const Publication& publication);
    void enqueue(Publication& publication, const DeliveryTerms& terms, mqtt::Qos qos);
    mqtt::Qos qos_of(const Publication& publication, mqtt::Qos granted) const;
    bool queue_has_room(std::size_t bytes) const;
    bool give_away(const Delivery& delivery, Among among);
    void set_members_connected(bool is_connected);
    void hand_over_in_flight(Among among);
    void hand_over_queue(Among among, SharedMark mark);
    bool pump_one();
    bool resend_one();
    bool can_send_next() const;
    const Delivery* next_waiting() const;
    void keep_in_memory(Delivery delivery);
    Delivery take_from_memory();
    bool leaves_memory() const;
    bool may_store(mqtt::Qos qos) const;
    void store_only(Delivery& delivery);
    void shrink_queue();
    void fetch_slice();
    void give_up(const SessionQueue::Size& lost, std::string_view reason);
    void forget_stored();
    void leave_line();
    void discard_retained();
    void discard_outgoing();
    void forget_queued(const Delivery& delivery);
    void count_queued(const Delivery& delivery);
    // The exchange is over, one way or the other.
    void finish(InflightMessage& message);
    // What the store is told; only if is_recorded().
    void record_queued(Delivery& delivery);
    void record_in_flight(mqtt::PacketId id);
    void record_done(const Delivery& delivery);
    bool restore_queued(const MessageKept& kept);
    void skip_orders(std::uint64_t last);
    bool is_will_kept() const;
    static void on_timer(base::Timer& timer, void* session);
    void on_deadline();

    Shard& shard_;
    Connection* connection_ = nullptr;
    SessionId id_;
    std::uint32_t expiry_s_ = 0;
    std::string client_id_;
    SourceId source_;
    SessionNumber number_{};
    std::unique_ptr<Outgoing> outgoing_;  // From its first message on.
    std::unique_ptr<PacketIdSet> received_qos2_;
    std::unique_ptr<PacketIdSet> unrecorded_qos2_;  // Those of them of level memory.
    std::unique_ptr<PendingWill> will_;
    std::unique_ptr<SharedSubscriptions> shared_;  // From its first one on.
    FilterList filters_;
    std::unique_ptr<Absence> absence_;              // While there is no connection.
    std::unique_ptr<const std::string> user_name_;  // Null = none.
    std::unique_ptr<KnownRights> rights_;           // What the authorizer knows of the client.
    GrantedRightsRef granted_;
    PublisherRef publisher_;  // From its first retained message on.
    std::uint32_t realm_ = 0;
    std::uint16_t window_ = 0;
    bool has_user_ = false;  // Not after a restart, until the client is back.
};

}  // namespace broker
