// One thread's share of the broker: the sessions whose client ids fall to it, and their
// subscriptions. Nothing in it locks; what shards share is in Broker, what they tell each other
// goes through Peers.
//
// Owned by server/ (or a test), which gives it the turn: connections act, timers fire, then
// end_of_turn(). Thread: one, always the same.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/timer_wheel.h"
#include "broker/broker.h"
#include "broker/by_client_id.h"
#include "broker/counters.h"
#include "broker/options.h"
#include "broker/output_gate.h"
#include "broker/peers.h"
#include "broker/publish_encoder.h"
#include "broker/queue_memory.h"
#include "broker/recent_ends.h"
#include "broker/refusal.h"
#include "broker/route_batch.h"
#include "broker/scratch.h"
#include "broker/session.h"
#include "broker/subscription_index.h"

namespace broker {

struct ShardEnvironment {
    const base::Clock& clock;
    base::Log& log;
    base::TimerWheel& timers;
    Peers& peers;
};

class Shard {
public:
    // Messages for one other shard that may wait here before publishers are no longer read.
    static constexpr std::size_t outbox_bytes_max = std::size_t{4} << 20;
    // Filters of ended sessions that leave the index in one turn: about a millisecond.
    static constexpr std::size_t filters_dropped_max = 1000;

    Shard(Broker& broker, std::uint32_t number, ShardEnvironment environment);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    ~Shard();

    std::uint32_t number() const { return number_; }
    Broker& broker() { return broker_; }
    const Options& options() const { return *options_; }
    // After a reload; in the shard's thread.
    void set_options(std::shared_ptr<const Options> options);
    base::Log& log() { return environment_.log; }
    // True while debug lines are wanted, so that the hot path need not ask the log.
    bool is_debugging() const { return debugging_; }
    base::TimerWheel& timers() { return environment_.timers; }
    std::uint64_t now_ms() const { return environment_.clock.monotonic_ms(); }
    std::int64_t wall_ms() const { return environment_.clock.wall_ms(); }
    Counters& counters() { return counters_; }
    // What is refused is counted and logged here.
    RefusalLog& refusals() { return refusals_; }

    // A will, or a message of the broker itself: retains it, if there is room, and routes it. True
    // if at least one subscriber matched.
    bool publish(Publication& publication);
    // The same in two steps, for a message that is refused if it cannot be retained. Retained
    // before it is routed, and read after the interest is added: a new subscriber never sees an old
    // value after a new one.
    bool retain(Publication& publication);
    bool route(Publication& publication);
    // It may have to be kept, and cannot be: the store has failed.
    bool is_beyond_store(const Publication& publication);
    // To the broker's MessageSink, which is there.
    void give_to_sink(Publication& publication, std::string_view client_id,
                      std::string_view user_name);
    // Not if its client may no longer publish it. `is_recorded`: the store knew of it.
    void publish_will(std::string_view client_id, const PendingWill& will, bool is_recorded);
    // Messages that another shard's clients published.
    void receive(std::uint32_t from, const RouteBatch& batch);
    // After a restart: a message that was on its way to sessions which are all here or elsewhere
    // now, for those of this shard that `is_meant` says.
    void deliver_missed(Publication& publication,
                        const std::function<bool(const Session&)>& is_meant);
    // Publishers must wait: another shard, or the store, does not keep up. Resumed when it does.
    bool is_congested() const { return congested_; }
    bool is_store_behind() const { return store_behind_; }
    void pause(Connection& connection) { paused_.push_back(&connection); }

    // Whether changes are recorded at all: durability above the level memory.
    bool records() const { return records_; }
    // What was recorded and has not been handed to the store; recovery does it for all shards.
    ChangeBatch& changes() { return changes_; }
    // Records what must outlive the process; only if records(). `level` is its message's, if any.
    template <typename OneChange>
    void record(OneChange&& change, Durability level = Durability::disk) {
        changes_.add(std::forward<OneChange>(change), options_->durability.needs_sync(level));
    }
    // Counts what this turn has recorded, and what it has handed to other shards, for who must know
    // whether something was.
    std::size_t promises_made() const { return changes_.size() + handovers_.promised(); }
    // What the connection is told in this turn waits until both are safe.
    void hold_output(Connection& connection) { gate_.hold(connection); }
    QueueMemory& queue_memory() { return queue_memory_; }
    RecentEnds& recent_ends() { return recent_ends_; }

    // Hands over what the turn made. True if there is more to do at once.
    bool end_of_turn();

    Session* find_session(std::string_view client_id);
    Session* session(SessionId id) { return sessions_by_id_[static_cast<std::size_t>(id)]; }
    // Null if global_max_clients is reached.
    Session* create_session(std::string_view client_id);
    // Drops what waits, publishes a will that is due at the end of a session, and unsubscribes: in
    // the turns to come if there is much of that.
    void end_session(Session& session);
    static SourceId source_of(const Session& session) { return session.source(); }

    // True if the session had no subscription to that filter, which may be a shared one:
    // "$share/group/filter". Not if the session's shared ones are full.
    bool subscribe(Session& session, std::string_view filter, Subscription subscription);
    bool unsubscribe(Session& session, std::string_view filter);
    // Whether the session may have one more filter, or has this one already.
    bool may_subscribe(const Session& session, std::string_view filter) const;
    // What is retained for a filter in one part of the store, put in line for the session; how many
    // that were. Without a wildcard everything is in one part, whichever is asked for.
    std::size_t deliver_retained(Session& session, std::string_view filter,
                                 const Subscription& subscription, std::size_t part);

    // Gives a message to one of a group's members, here or on another shard. False if there is none
    // `among` them. `received`: how it came from another shard.
    bool offer(Publication& publication, const SharedGroup& group, Among among,
               std::uint8_t attempt = 0, const SharedTarget* received = nullptr);

    // Pumps the session again at the end of each turn until nothing waits.
    void pump_later(Session& session) { pumping_.push_back(session.id()); }
    // The connection is read again from the next turn on: it has more to do than one turn allows.
    void continue_later(Connection& connection) { interrupted_.push_back(&connection); }
    // The connection is going away.
    void forget(Connection& connection);
    void connection_opened(Connection& connection);
    // Disconnects every client: v5 clients are told `reason`.
    void disconnect_all(mqtt::ReasonCode reason);
    // One line per session and subscription, for SIGUSR2.
    void print_subscriptions(std::string& out);
    template <typename Each>
    void for_each_session(Each&& each) {
        for (const auto& session : sessions_) each(*session);
    }

    // The encoding of the publication being routed, for the previous subscriber that took it.
    EncodingCache& encoding_cache() { return encoding_cache_; }
    // How many sessions the publication being routed goes to: whether sharing its payload pays.
    std::size_t recipients() const { return recipients_; }
    Scratch& scratch() { return scratch_; }

private:
    struct Recipient {
        Session* session = nullptr;
        DeliveryTerms terms;
    };

    bool route_here(Publication& publication);
    void deliver_all(Publication& publication, std::span<const Subscription> subscriptions);
    void deliver_merged(Publication& publication);
    void merge(const Publication& publication, const Subscription& subscription);
    bool wants(const Publication& publication, const Subscription& subscription, Session& session);
    bool add_subscription(std::string_view filter, const Subscription& subscription);
    void drop_subscription(const Session& session, std::string_view filter);
    bool drop_subscriptions(Session& session);
    void release(SessionId id);
    void unsubscribe_leaving();
    void deliver_to(Publication& publication, const Subscription& subscription);
    bool route_to_peers(Publication& publication);
    // `group` if it is for one member: `target`.
    void send_to(std::uint32_t shard, Publication& publication,
                 const SharedTarget* target = nullptr, const SharedGroup* group = nullptr);
    void hand_over(std::uint32_t to, Publication& publication, const SharedGroup* group);
    void deliver_received(Publication& publication, const SharedTarget& target);
    bool is_kept(const TurnPromise& promise, CommitNumber committed) const;
    void keep_promises();
    void take_slices();
    bool route_shared(Publication& publication);
    SharedSubscription* find_shared(const SharedTarget& target);
    void pass_on(SharedTarget& target, const SharedTarget& received);
    bool take_shared(Publication& publication, const SharedSubscription& one,
                     const SharedTarget& target);
    void receive_shared(Publication& publication, const SharedTarget& target);
    bool subscribe_shared(Session& session, std::string_view name,
                          const Subscription& subscription);
    void unsubscribe_shared(Session& session, std::string_view name);
    void leave_group(Session& session, SharedMark mark);
    void end_shared(Session& session);
    void flush_outboxes();
    bool resume_paused();
    void pump_waiting();
    bool resume_interrupted();
    static void on_sweep(base::Timer& timer, void* self);
    MessageRef retained_form(Publication& publication);
    void commit_turn();

    Broker& broker_;
    std::uint32_t number_;
    ShardEnvironment environment_;
    std::shared_ptr<const Options> options_;
    Counters counters_;
    QueueMemory queue_memory_;  // Outlives the sessions, as the counters do.
    RefusalLog refusals_;
    SubscriptionIndex index_;
    InterestCache interest_;
    SharedGroupCache shared_groups_;
    std::unordered_set<std::unique_ptr<Session>, ByClientId, ByClientId> sessions_;
    std::vector<Session*> sessions_by_id_;
    // Ended sessions whose filters are still in the index: they get no message and have no client.
    std::vector<std::unique_ptr<Session>> leaving_;
    std::size_t filters_to_drop_ = filters_dropped_max;  // What this turn may still do.
    std::vector<SessionId> free_ids_;
    std::vector<Connection*> connections_;
    std::vector<RouteBatch> outboxes_;  // By shard.
    std::vector<Connection*> paused_;
    std::vector<Connection*> interrupted_;
    std::vector<SessionId> pumping_;
    std::vector<MessageRef> retained_found_;
    std::vector<std::span<const Subscription>> matched_;
    std::vector<Recipient> recipients_merged_;
    std::unordered_map<Session*, std::size_t> recipient_positions_;
    Scratch scratch_;
    EncodingCache encoding_cache_;
    std::size_t recipients_ = 0;
    base::Timer sweep_;
    std::int64_t sweep_until_wall_ms_ = 0;  // The last expiry of a retained message from here.
    bool congested_ = false;
    bool store_behind_ = false;
    bool debugging_ = false;
    const bool records_;
    ChangeBatch changes_;
    Handovers handovers_;
    OutputGate gate_;
    RecentEnds recent_ends_;
};

}  // namespace broker
