#include "broker/shard.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/connection.h"
#include "broker/reason_text.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

constexpr std::uint64_t sweep_interval_ms = 60'000;

// From a time when its topic had another level.
bool is_in_store(const RetainedStore& retained, std::string_view topic) {
    const MessageRef before = retained.find(topic);
    return before && before->durability() != Durability::memory;
}

PublisherRef share(const Publisher* publisher) {
    if (!publisher) return {};
    publisher->add_ref();
    return PublisherRef::adopt(publisher);
}

}  // namespace

Shard::Shard(Broker& broker, std::uint32_t number, ShardEnvironment environment)
    : broker_(broker),
      number_(number),
      environment_(environment),
      options_(broker.first_options()),
      queue_memory_(broker.store(), number, broker.shard_count()),
      refusals_(environment.log, environment.clock, counters_),
      interest_(broker.interest()),
      shared_groups_(broker.shared_groups()),
      outboxes_(broker.shard_count()),
      sweep_(&Shard::on_sweep, this),
      debugging_(environment.log.enabled(base::LogType::debug)),
      records_(broker.store().records()),
      handovers_(broker.handovers(), number, broker.shard_count()) {}

Shard::~Shard() = default;

void Shard::set_options(std::shared_ptr<const Options> options) {
    options_ = std::move(options);
    broker_.retained().set_limits({options_->retained_messages_max, options_->retained_bytes_max});
    debugging_ = log().enabled(base::LogType::debug);
}

// Retained messages that have expired and that nobody asks for: a part of the store at a time, by
// the shards that had such messages, until the last of them must be gone. An idle broker sleeps.
void Shard::on_sweep(base::Timer& timer, void* self) {
    Shard& shard = *static_cast<Shard*>(self);
    const std::int64_t now = shard.wall_ms();
    shard.broker_.retained().drop_expired(now);
    constexpr std::int64_t round_ms = RetainedStore::part_count * std::int64_t{sweep_interval_ms};
    if (now > shard.sweep_until_wall_ms_ + round_ms) return;
    shard.timers().add(timer, shard.now_ms() + sweep_interval_ms);
}

bool Shard::publish(Publication& publication) {
    publication.set_durability(options_->durability.of(publication.topic));
    if (publication.retain) retain(publication);
    return route(publication);
}

bool Shard::route(Publication& publication) {
    const bool here = route_here(publication);
    const bool elsewhere = outboxes_.size() > 1 && route_to_peers(publication);
    const bool shared = broker_.shared_groups().count() > 0 && route_shared(publication);
    return here || elsewhere || shared;
}

void Shard::give_to_sink(Publication& publication, std::string_view client_id,
                         std::string_view user_name) {
    const MessageOrigin origin{client_id, user_name, environment_.clock};
    if (broker_.message_sink()->take(publication, origin)) return;
    // One line a minute, whoever published it.
    refusals_.print(Refusal::mysql_store, "mysql_store",
                    "mysql_store: a message to {} is not stored: too much waits for the database "
                    "already.",
                    quoted(publication.topic));
}

// Other shards do not say who would keep it, so whom they would give it to counts as if.
bool Shard::is_beyond_store(const Publication& publication) {
    const Store& store = broker_.store();
    const bool keeps = !store.has_failed() && !store.is_out_of_space();
    if (!records_ || !publication.is_promised() || keeps) return false;
    const std::uint64_t elsewhere = ~(std::uint64_t{1} << number_);
    if (publication.retain || broker_.shared_groups().count() > 0) return true;
    if ((interest_.shards_for(publication.topic) & elsewhere) != 0) return true;
    bool is_kept = false;
    index_.match(publication.topic, [&](std::span<const Subscription> subscriptions) {
        is_kept = is_kept || std::ranges::any_of(subscriptions, [this](const Subscription& one) {
                      return session(one.session)->is_recorded();
                  });
    });
    return is_kept;
}

// False if there is no room.
bool Shard::retain(Publication& publication) {
    const Durability level = publication.durability;
    // What the broker says about itself is said again after a start.
    const bool is_recorded = records_ && !publication.topic.starts_with("$SYS/");
    const bool kept = is_recorded && level != Durability::memory;
    const bool leaves_store =
        is_recorded && !kept && is_in_store(broker_.retained(), publication.topic);
    if (publication.payload.empty()) {
        broker_.retained().clear(publication.topic);
        // Also if nothing was there: another client may have cleared it, which is not safe yet.
        if (kept || leaves_store) record(RetainedCleared{std::string(publication.topic)}, level);
        return true;
    }
    const MessageRef message = retained_form(publication);
    const PublisherRef publisher = share(publication.publisher);
    if (!broker_.retained().set(message, publisher).is_accepted()) {
        counters_.dropped_retained.add();
        return false;
    }
    if (message->expiry_wall_ms() != 0) {
        sweep_until_wall_ms_ = std::max(sweep_until_wall_ms_, message->expiry_wall_ms());
        if (!sweep_.is_armed()) timers().add(sweep_, now_ms() + sweep_interval_ms);
    }
    if (kept) record(RetainedKept{message, publisher}, level);
    if (leaves_store) record(RetainedCleared{std::string(publication.topic)});
    return true;
}

// As it is routed, but for retain_expiry_interval: then the retained one is a copy that expires.
MessageRef Shard::retained_form(Publication& publication) {
    const std::uint64_t limit_s = options_->retain_expiry_s;
    const bool stays = limit_s == 0 || publication.topic.starts_with("$SYS/");
    if (stays || publication.expiry_wall_ms != 0) return publication.message();
    Publication expiring = publication;
    expiring.kept = {};
    expiring.expiry_wall_ms = wall_ms() + static_cast<std::int64_t>(limit_s) * 1000;
    return expiring.message();
}

void Shard::publish_will(std::string_view client_id, const PendingWill& will, bool is_recorded) {
    Publication publication = Publication::of(will.message);
    publication.set_durability(options_->durability.of(publication.topic));
    publication.must_arrive = is_recorded && publication.is_promised();
    PublisherRef publisher;
    if (publication.retain && !will.granted) {
        publisher = PublisherRef::adopt(new Publisher(client_id, will.user_name, will.realm));
        publication.publisher = publisher.get();
    }
    Authorizer& authorizer = broker_.authorizer();
    const AccessRequest request{.client_id = client_id,
                                .user_name = will.user_name,
                                .topic = publication.topic,
                                .access = Access::publish,
                                .realm = will.realm};
    const bool is_allowed = will.granted
                                ? will.granted->allows(request.access, request.topic)
                                : authorizer.allows_everything() || authorizer.is_allowed(request);
    if (!is_allowed) {
        return refusals_.print_lazily(Refusal::not_authorized, client_id, [&] {
            return fmt::format(
                "Will of {} (user '{}') not published: topic {} not authorised ({}).", client_id,
                will.user_name, quoted(publication.topic),
                will.granted ? will.granted->explain(request.access, request.topic)
                             : authorizer.explain(request));
        });
    }
    if (will.expiry_s) {
        publication.expiry_wall_ms = wall_ms() + std::int64_t{*will.expiry_s} * 1000;
        publication.kept = {};  // Made before its expiry was known.
    }
    if (broker_.message_sink()) give_to_sink(publication, client_id, will.user_name);
    publish(publication);
}

void Shard::receive(std::uint32_t from, const RouteBatch& batch) {
    bool are_kept = false;
    batch.for_each([&](Publication& publication, const SharedTarget* target) {
        are_kept = are_kept || publication.must_arrive;
        if (target) {
            deliver_received(publication, *target);
        } else {
            route_here(publication);
        }
    });
    if (records_) handovers_.take(from, batch.count(), are_kept);
}

void Shard::deliver_missed(Publication& publication,
                           const std::function<bool(const Session&)>& is_meant) {
    std::vector<Subscription> meant;
    index_.match(publication.topic, [&](std::span<const Subscription> subscriptions) {
        std::ranges::copy_if(subscriptions, std::back_inserter(meant), [&](const auto& one) {
            return is_meant(*sessions_by_id_[static_cast<std::size_t>(one.session)]);
        });
    });
    if (options_->allow_duplicate_messages) return deliver_all(publication, meant);
    matched_.assign(1, meant);
    deliver_merged(publication);
}

bool Shard::route_here(Publication& publication) {
    matched_.clear();
    std::size_t count = 0;
    index_.match(publication.topic, [&](std::span<const Subscription> subscriptions) {
        matched_.push_back(subscriptions);
        count += subscriptions.size();
    });
    if (count == 0) return false;
    recipients_ = count;
    encoding_cache_.key = 0;
    if (matched_.size() == 1 || options_->allow_duplicate_messages) {
        for (const auto subscriptions : matched_) deliver_all(publication, subscriptions);
    } else {
        deliver_merged(publication);
    }
    recipients_ = 0;
    encoding_cache_.key = 0;
    return true;
}

void Shard::deliver_all(Publication& publication, std::span<const Subscription> subscriptions) {
    for (const Subscription& subscription : subscriptions) deliver_to(publication, subscription);
}

void Shard::deliver_to(Publication& publication, const Subscription& subscription) {
    Session& session = *sessions_by_id_[static_cast<std::size_t>(subscription.session)];
    if (!wants(publication, subscription, session)) return;
    DeliveryTerms terms;
    terms.qos = subscription.options.qos;
    terms.retain = publication.retain && subscription.options.retain_as_published;
    terms.ids.add(subscription.subscription_id);
    session.deliver(publication, terms);
}

// No Local [MQTT-3.8.3-3], and the right to receive.
bool Shard::wants(const Publication& publication, const Subscription& subscription,
                  Session& session) {
    if (subscription.options.no_local && publication.source == source_of(session)) return false;
    const bool is_asked = session.granted() || !broker_.authorizer().allows_everything();
    if (!is_asked || session.may_keep(publication.topic)) return true;
    counters_.dropped_not_authorized.add();
    return false;
}

// A client whose subscriptions overlap gets one copy, at the highest QoS among them [MQTT-3.3.4-2]
// and with the identifiers of all of them [MQTT-3.3.4-4].
void Shard::deliver_merged(Publication& publication) {
    recipients_merged_.clear();
    recipient_positions_.clear();
    for (const auto subscriptions : matched_) {
        for (const Subscription& subscription : subscriptions) merge(publication, subscription);
    }
    for (const Recipient& recipient : recipients_merged_) {
        recipient.session->deliver(publication, recipient.terms);
    }
}

void Shard::merge(const Publication& publication, const Subscription& subscription) {
    Session* session = sessions_by_id_[static_cast<std::size_t>(subscription.session)];
    if (!wants(publication, subscription, *session)) return;
    const auto [entry, is_new] =
        recipient_positions_.try_emplace(session, recipients_merged_.size());
    if (is_new) recipients_merged_.push_back({session, {}});
    DeliveryTerms& terms = recipients_merged_[entry->second].terms;
    terms.qos = std::max(terms.qos, subscription.options.qos);
    terms.retain |= publication.retain && subscription.options.retain_as_published;
    terms.ids.add(subscription.subscription_id);
}

bool Shard::route_to_peers(Publication& publication) {
    std::uint64_t shards = interest_.shards_for(publication.topic);
    shards &= ~(std::uint64_t{1} << number_);
    for (std::uint64_t rest = shards; rest != 0; rest &= rest - 1) {
        send_to(static_cast<std::uint32_t>(__builtin_ctzll(rest)), publication);
    }
    return shards != 0;
}

void Shard::send_to(std::uint32_t shard, Publication& publication, const SharedTarget* target,
                    const SharedGroup* group) {
    if (records_) hand_over(shard, publication, group);
    RouteBatch& outbox = outboxes_[shard];
    outbox.add(publication, target);
    if (outbox.bytes() > outbox_bytes_max) congested_ = true;
}

void Shard::hand_over(std::uint32_t to, Publication& publication, const SharedGroup* group) {
    using enum Handovers::Care;
    if (!publication.must_arrive) {
        handovers_.hand_over(to, publication.is_promised() ? promised : none);
        return;
    }
    const std::uint64_t count = handovers_.hand_over(to, kept);
    record(HandoverKept{.from = number_,
                        .to = to,
                        .count = count,
                        .message = publication.message(),
                        .group = std::string(group ? group->key() : std::string_view())},
           publication.durability);
}

bool Shard::end_of_turn() {
    if (records_) {
        keep_promises();
        take_slices();
    }
    pump_waiting();
    unsubscribe_leaving();
    const bool interrupted = resume_interrupted();
    // In this order: what others make of a message must not be safe before what is recorded here.
    if (records_) commit_turn();
    if (outboxes_.size() > 1) flush_outboxes();
    const bool resumed = resume_paused();
    return interrupted || resumed || !pumping_.empty() || !leaving_.empty();
}

// Before the turn's output is written.
void Shard::commit_turn() {
    changes_.prune();
    handovers_.record_taken(changes_);
    if (!changes_.empty()) handovers_.record_done(changes_);
    Store& store = broker_.store();
    const CommitNumber number = changes_.empty() ? 0 : store.append(number_, changes_);
    store_behind_ = store.is_behind();
    handovers_.close_turn(number);
    recent_ends_.close_turn(number);
    queue_memory_.close_turn(number);
    TurnPromise promise{number, handovers_.take_promises()};
    if (is_kept(promise, store.committed(number_))) {
        gate_.open_turn();
    } else {
        gate_.close_turn(std::move(promise));
    }
    keep_promises();
}

bool Shard::is_kept(const TurnPromise& promise, CommitNumber committed) const {
    return promise.number <= committed && handovers_.are_safe(promise.handovers);
}

// Those of earlier turns, and of this one to the shards that wait for us.
void Shard::keep_promises() {
    const CommitNumber committed = broker_.store().committed(number_);
    handovers_.give_receipts(committed,
                             [this](std::uint32_t shard) { environment_.peers.wake(shard); });
    gate_.release([&](const TurnPromise& promise) { return is_kept(promise, committed); });
    queue_memory_.ask(committed);
    recent_ends_.forget(committed);
}

void Shard::take_slices() {
    for (QueueSlice& slice : queue_memory_.take_slices()) {
        if (Session* const reader = session(slice.reader)) reader->take_slice(slice);
    }
}

void Shard::flush_outboxes() {
    bool congested = false;
    for (std::uint32_t shard = 0; shard < outboxes_.size(); ++shard) {
        RouteBatch& outbox = outboxes_[shard];
        if (outbox.empty() || environment_.peers.post(number_, shard, outbox)) continue;
        congested = congested || outbox.bytes() > outbox_bytes_max;
    }
    congested_ = congested;
}

// True if there was something to resume.
bool Shard::resume_paused() {
    if (congested_ || store_behind_ || paused_.empty()) return false;
    const auto paused = std::move(paused_);
    paused_.clear();
    for (Connection* connection : paused) connection->wire().resume_reading();
    return true;
}

// True if there was something to resume.
bool Shard::resume_interrupted() {
    const auto interrupted = std::move(interrupted_);
    interrupted_.clear();
    for (Connection* connection : interrupted) connection->wire().resume_reading();
    return !interrupted.empty();
}

void Shard::pump_waiting() {
    const auto waiting = std::move(pumping_);
    pumping_.clear();
    for (const SessionId id : waiting) {
        if (Session* session = sessions_by_id_[static_cast<std::size_t>(id)]) session->pump();
    }
}

Session* Shard::find_session(std::string_view client_id) {
    const auto found = sessions_.find(client_id);
    return found == sessions_.end() ? nullptr : found->get();
}

Session* Shard::create_session(std::string_view client_id) {
    if (!broker_.add_session(options_->clients_max)) return nullptr;
    SessionId id{};
    if (free_ids_.empty()) {
        id = SessionId{static_cast<std::uint32_t>(sessions_by_id_.size())};
        sessions_by_id_.push_back(nullptr);
    } else {
        id = free_ids_.back();
        free_ids_.pop_back();
    }
    auto session = std::make_unique<Session>(*this, id, client_id);
    Session* const created = session.get();
    sessions_by_id_[static_cast<std::size_t>(id)] = created;
    sessions_.insert(std::move(session));
    counters_.sessions.add();
    // Said again, so that this turn's answers wait for it.
    if (const auto ended = recent_ends_.find(client_id)) record(SessionEnded{*ended});
    return created;
}

void Shard::end_session(Session& session) {
    const auto will = session.take_will();
    const std::string client_id = will ? session.client_id() : std::string();
    const bool is_recorded = session.is_recorded();
    end_shared(session);
    session.record_end();
    session.abandon();
    auto ended = std::move(sessions_.extract(sessions_.find(session.client_id())).value());
    if (drop_subscriptions(*ended)) {
        release(ended->id());
    } else {
        leaving_.push_back(std::move(ended));
    }
    broker_.remove_session();
    counters_.sessions.subtract();
    if (will)
        publish_will(client_id, *will,
                     is_recorded);  // [MQTT-3.1.3-9]: no later than the session's end.
}

// False if that is more than this turn may do.
bool Shard::drop_subscriptions(Session& session) {
    FilterList& filters = session.filters();
    while (!filters.empty() && filters_to_drop_ > 0) {
        --filters_to_drop_;
        const std::string filter = filters.take_any();
        if (!mqtt::is_shared(filter)) drop_subscription(session, filter);
    }
    return filters.empty();
}

void Shard::release(SessionId id) {
    sessions_by_id_[static_cast<std::size_t>(id)] = nullptr;
    free_ids_.push_back(id);
}

void Shard::unsubscribe_leaving() {
    filters_to_drop_ = filters_dropped_max;
    while (!leaving_.empty() && drop_subscriptions(*leaving_.back())) {
        release(leaving_.back()->id());
        leaving_.pop_back();
    }
}

bool Shard::subscribe(Session& session, std::string_view filter, Subscription subscription) {
    const bool is_new = mqtt::is_shared(filter) ? subscribe_shared(session, filter, subscription)
                                                : add_subscription(filter, subscription);
    if (session.is_recorded()) {
        record(SubscriptionKept{session.number(), std::string(filter), subscription.options,
                                subscription.subscription_id});
    }
    if (is_new) session.filters().add(filter);
    return is_new;
}

bool Shard::add_subscription(std::string_view filter, const Subscription& subscription) {
    const auto added = index_.add(filter, subscription);
    if (added.is_first) broker_.interest().add(filter, number_);
    if (added.is_new) counters_.subscriptions.add();
    return added.is_new;
}

bool Shard::unsubscribe(Session& session, std::string_view filter) {
    if (!session.filters().remove(filter)) return false;
    if (mqtt::is_shared(filter)) {
        unsubscribe_shared(session, filter);
    } else {
        drop_subscription(session, filter);
    }
    if (session.is_recorded()) record(SubscriptionEnded{session.number(), std::string(filter)});
    return true;
}

void Shard::drop_subscription(const Session& session, std::string_view filter) {
    const auto removed = index_.remove(filter, session.id());
    if (removed.was_last) broker_.interest().remove(filter, number_);
    counters_.subscriptions.subtract();
}

bool Shard::may_subscribe(const Session& session, std::string_view filter) const {
    const std::size_t limit = options_->subscriptions_max;
    return limit == 0 || session.filters().size() < limit || session.filters().contains(filter);
}

void Shard::connection_opened(Connection& connection) {
    connection.registry_position = connections_.size();
    connections_.push_back(&connection);
}

void Shard::forget(Connection& connection) {
    connections_.back()->registry_position = connection.registry_position;
    connections_[connection.registry_position] = connections_.back();
    connections_.pop_back();
    std::erase(paused_, &connection);
    std::erase(interrupted_, &connection);
    if (records_) gate_.forget(connection);
}

void Shard::disconnect_all(mqtt::ReasonCode reason) {
    const auto connections = connections_;
    for (Connection* connection : connections) connection->disconnect(reason, {});
}

void Shard::print_subscriptions(std::string& out) {
    for (const auto& session : sessions_) {
        for (const std::string& filter : session->filters()) {
            fmt::format_to(std::back_inserter(out), "{} {}\n", session->client_id(), filter);
        }
    }
}

}  // namespace broker
