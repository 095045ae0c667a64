#include "broker/session.h"

#include <algorithm>

#include "broker/connection.h"
#include "broker/shard.h"

namespace broker {
namespace {

constexpr std::size_t pump_slice = 1000;          // Messages a turn.
constexpr std::size_t pump_output_max = 262'144;  // Bytes that may wait for the socket.
constexpr std::size_t retained_line_min = 100'000;

std::size_t cost_of(const Delivery& delivery) {
    return delivery.message->payload().size();
}

}  // namespace

Session::Session(Shard& shard, SessionId id, std::string_view client_id)
    : shard_(shard), id_(id), client_id_(client_id), source_(source_named(client_id)) {}

Session::~Session() {
    discard_outgoing();
}

void Session::discard_outgoing() {
    if (!outgoing_) return;
    while (outgoing_->queue.in_memory() > 0) forget_queued(take_from_memory());
    forget_stored();
    discard_retained();
    outgoing_->inflight.for_each(
        [&](mqtt::PacketId, InflightMessage& message) { forget_queued(message.delivery); });
    outgoing_.reset();
}

void Session::abandon() {
    discard_outgoing();
    received_qos2_.reset();
    will_.reset();
    absence_.reset();
    expiry_s_ = 0;
}

void Session::attach(Connection& connection, std::uint16_t window) {
    connection_ = &connection;
    window_ = window;
    absence_.reset();
    set_members_connected(true);
}

void Session::detach() {
    connection_ = nullptr;
    if (outgoing_) leave_line();
    if (!shared_) return;
    set_members_connected(false);
    hand_over(Among::connected);
}

void Session::await_client() {
    begin_absence(shard_.wall_ms());
    record_state();
}

// Everything counts from `since_wall_ms`: now, or earlier if the broker was away meanwhile.
void Session::begin_absence(std::int64_t since_wall_ms) {
    const auto& limit = shard_.options().persistent_client_expiration_s;
    const std::uint64_t now = shard_.now_ms();
    const auto past_ms =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, shard_.wall_ms() - since_wall_ms));
    const auto due = [&](std::uint64_t after_s) {
        return now + std::max(after_s * 1000, past_ms) - past_ms;
    };
    std::uint64_t life_s = expiry_s_ == mqtt::session_never_expires ? UINT64_MAX : expiry_s_;
    if (limit) life_s = std::min(life_s, *limit);
    absence_ = std::make_unique<Absence>(*this);
    absence_->since_wall_ms = since_wall_ms;
    absence_->ends_at_ms = life_s == UINT64_MAX ? UINT64_MAX : due(life_s);
    std::uint64_t deadline = absence_->ends_at_ms;
    if (will_) deadline = std::min(deadline, due(will_->delay_s));
    if (deadline != UINT64_MAX) shard_.timers().add(absence_->timer, deadline);
}

void Session::on_timer(base::Timer&, void* session) {
    static_cast<Session*>(session)->on_deadline();
}

// The will is due first, or the session ends and its will with it, whichever comes first
// [MQTT-3.1.2-10], section 3.1.3.2.2.
void Session::on_deadline() {
    if (shard_.now_ms() >= absence_->ends_at_ms) {
        shard_.counters().clients_expired.add();
        shard_.log().print(base::LogType::notice, "Expiring client {} due to timeout.", client_id_);
        shard_.end_session(*this);
        return;
    }
    if (const auto will = take_will()) {
        record_state();
        shard_.publish_will(client_id_, *will, is_recorded());
    }
    if (absence_->ends_at_ms == UINT64_MAX) return;
    shard_.timers().add(absence_->timer, absence_->ends_at_ms);
}

PacketIdSet& Session::received_qos2() {
    if (!received_qos2_) received_qos2_ = std::make_unique<PacketIdSet>();
    return *received_qos2_;
}

Session::Outgoing& Session::outgoing() {
    if (!outgoing_) outgoing_ = std::make_unique<Outgoing>();
    return *outgoing_;
}

bool Session::has_waiting() const {
    return outgoing_ && (outgoing_->inflight.has_unsent() || !outgoing_->queue.empty() ||
                         !outgoing_->retained.empty());
}

Session::Backlog Session::backlog() const {
    if (!outgoing_) return {};
    const SessionQueue::Size queued = outgoing_->queue.size();
    return {queued.messages, queued.bytes, outgoing_->inflight.in_flight()};
}

bool Session::window_has_room() const {
    const std::size_t bytes_max = shard_.options().inflight_bytes_max;
    return outgoing_->inflight.unacknowledged() < window_ && !outgoing_->inflight.is_full() &&
           !outgoing_->inflight.has_unsent() &&
           (bytes_max == 0 || outgoing_->inflight.unacknowledged() == 0 ||
            outgoing_->inflight.bytes() < bytes_max);
}

bool Session::output_is_full() const {
    const std::size_t bytes_max = shard_.options().output_bytes_max;
    return bytes_max != 0 && connection_->wire().output().size() > bytes_max;
}

mqtt::Qos Session::qos_of(const Publication& publication, mqtt::Qos granted) const {
    return shard_.options().upgrade_outgoing_qos ? granted : std::min(granted, publication.qos);
}

void Session::deliver(Publication& publication, const DeliveryTerms& terms) {
    const Options& options = shard_.options();
    const mqtt::Qos qos = qos_of(publication, terms.qos);
    if (!connection_) {
        const bool keep = qos != mqtt::Qos::at_most_once || options.queue_qos0_messages;
        if (keep && is_persistent()) enqueue(publication, terms, qos);
        return;
    }
    if (qos == mqtt::Qos::at_most_once) {
        if (output_is_full()) {
            shard_.counters().dropped_output_full.add();
            return;
        }
        connection_->send_publish(publication, terms, qos, 0, false);
        return;
    }
    if (outgoing().queue.empty() && window_has_room()) {
        send(publication, terms, qos);
    } else {
        enqueue(publication, terms, qos);
    }
}

// A session that ends with its connection will never be sent a message again, so it only keeps the
// identifier: QoS 1 and 2 then cost no allocation either. What came by a shared subscription may go
// to another member, and what the store has is named there.
void Session::send(Publication& publication, const DeliveryTerms& terms, mqtt::Qos qos,
                   std::uint64_t order) {
    InflightMessage message;
    const bool may_be_handed_over = terms.mark != 0 && qos == mqtt::Qos::at_least_once;
    if (is_persistent() || is_recorded() || may_be_handed_over) {
        message.delivery = Delivery{{qos, terms.retain}, publication.message(), terms.ids};
        message.delivery.set_order(order);
        message.delivery.set_mark(terms.mark);
        count_queued(message.delivery);
    }
    message.delivery.qos = qos;
    message.bytes = static_cast<std::uint32_t>(publication.payload.size());
    message.state =
        qos == mqtt::Qos::at_least_once ? OutgoingState::wait_puback : OutgoingState::wait_pubrec;
    const mqtt::PacketId id = outgoing_->inflight.add(std::move(message));
    if (is_recorded()) record_in_flight(id);
    if (!connection_->send_publish(publication, terms, qos, id, false)) {
        finish(*outgoing_->inflight.find(id));
    }
}

bool Session::queue_has_room(std::size_t bytes) const {
    const Options& options = shard_.options();
    const SessionQueue::Size before = outgoing_ ? outgoing_->queue.size() : SessionQueue::Size{};
    return (options.queued_messages_max == 0 || before.messages < options.queued_messages_max) &&
           (options.queued_bytes_max == 0 || before.bytes + bytes <= options.queued_bytes_max);
}

bool Session::would_drop(const Publication& publication, mqtt::Qos granted) const {
    if (connection_ && qos_of(publication, granted) == mqtt::Qos::at_most_once) {
        return output_is_full();
    }
    const bool can_send = !outgoing_ || (outgoing_->queue.empty() && window_has_room());
    return !(connection_ && can_send) && !queue_has_room(publication.payload.size());
}

void Session::enqueue(Publication& publication, const DeliveryTerms& terms, mqtt::Qos qos) {
    const std::size_t size = publication.payload.size();
    outgoing();
    const bool is_stored = leaves_memory();
    if (!queue_has_room(size) || (is_stored && !may_store(qos))) {
        shard_.counters().dropped_queue_full.add();
        return;
    }
    Delivery delivery{{qos, terms.retain}, publication.message(), terms.ids};
    delivery.set_mark(terms.mark);
    count_queued(delivery);
    if (is_stored) return store_only(delivery);
    // QoS 0 promises nothing, and level memory nothing that outlives the process.
    const bool is_promised =
        qos != mqtt::Qos::at_most_once && publication.durability != Durability::memory;
    if (is_recorded() && is_promised) record_queued(delivery);
    keep_in_memory(std::move(delivery));
}

void Session::add_retained(const MessageRef& message, const DeliveryTerms& terms) {
    // Who subscribes again and again and never reads would have us line them up without end.
    const std::size_t retained = shard_.broker().retained().count();
    if (outgoing().retained.size() >= std::max(retained_line_min, 2 * retained)) {
        shard_.counters().dropped_queue_full.add();
        return;
    }
    const bool upgrade = shard_.options().upgrade_outgoing_qos;
    const mqtt::Qos qos = upgrade ? terms.qos : std::min(terms.qos, message->qos());
    Delivery delivery{{qos, true}, message, terms.ids};
    count_queued(delivery);
    outgoing().retained.push_back(std::move(delivery));
}

void Session::resume() {
    if (outgoing_) outgoing_->inflight.rewind();
    pump();
}

// False if the window is closed: a new connection's may be smaller than the one before
// [MQTT-3.3.4-9].
bool Session::resend_one() {
    if (outgoing_->inflight.in_flight() >= window_) return false;
    const mqtt::PacketId id = outgoing_->inflight.take_unsent();
    InflightMessage& message = *outgoing_->inflight.find(id);
    if (message.state == OutgoingState::wait_pubcomp) {
        connection_->send_ack(mqtt::PacketType::pubrel, id);
        return true;
    }
    const Delivery& kept = message.delivery;
    Publication publication = Publication::of(kept.message);
    const DeliveryTerms terms{kept.qos, kept.retain, kept.ids, static_cast<SharedMark>(kept.mark)};
    if (!connection_->send_publish(publication, terms, kept.qos, id, true)) finish(message);
    return true;
}

void Session::pump() {
    for (std::size_t sent = 0; sent < pump_slice && pump_one();) ++sent;
    if (connection_ && outgoing_ && outgoing_->queue.has_stored()) fetch_slice();
    if (!connection_ || !can_send_next() || connection_->wire().is_stuck()) return;
    if (connection_->wire().output().is_withheld()) return;  // Pumped when it is released.
    shard_.pump_later(*this);
}

// False while nothing waits, or the window is closed to what comes next.
bool Session::can_send_next() const {
    if (!has_waiting()) return false;
    if (outgoing_->inflight.has_unsent()) return outgoing_->inflight.in_flight() < window_;
    const Delivery* const next = next_waiting();
    return next && (next->qos == mqtt::Qos::at_most_once || window_has_room());
}

// Null also while the next one is still to come from the store.
const Delivery* Session::next_waiting() const {
    if (outgoing_->queue.in_memory() > 0) return &outgoing_->queue[0];
    if (!outgoing_->queue.empty() || outgoing_->retained.empty()) return nullptr;
    return &outgoing_->retained[0];
}

// What was sent before comes first, then the queue, then what is retained. The queue may have
// filled after the SUBSCRIBE; of one topic nothing old comes after the new for that
// (is_superseded()).
bool Session::pump_one() {
    if (!connection_ || connection_->wire().output().size() > pump_output_max) return false;
    if (!can_send_next()) return false;
    if (outgoing_->inflight.has_unsent()) return resend_one();
    if (outgoing_->queue.in_memory() > 0) {
        Delivery next = take_from_memory();
        send_kept(next);
        return true;
    }
    Delivery next = std::move(outgoing_->retained.front());
    outgoing_->retained.pop_front();
    if (next.message->is_superseded()) {
        // What has been replaced meanwhile has also been routed as a new message: the subscriber
        // must not see the old value after it.
        forget_queued(next);
    } else {
        send_kept(next);
    }
    return true;
}

void Session::send_kept(Delivery& delivery) {
    forget_queued(delivery);
    Publication publication = Publication::of(delivery.message);
    if (Counter* const dropped = reason_to_drop(publication)) {
        dropped->add();
        if (is_recorded()) record_done(delivery);
        return;
    }
    const DeliveryTerms terms{delivery.qos, delivery.retain, std::move(delivery.ids),
                              static_cast<SharedMark>(delivery.mark)};
    if (delivery.qos == mqtt::Qos::at_most_once) {
        if (is_recorded()) record_done(delivery);
        connection_->send_publish(publication, terms, delivery.qos, 0, false);
    } else {
        send(publication, terms, delivery.qos, delivery.order);
    }
}

// What has become of a message while it waited: where it is counted, or null if it is to be sent.
Counter* Session::reason_to_drop(const Publication& publication) {
    const std::int64_t expiry_wall_ms = publication.expiry_wall_ms;
    if (expiry_wall_ms != 0 && expiry_wall_ms <= shard_.wall_ms()) {
        return &shard_.counters().dropped_expired;
    }
    if (may(Access::receive, publication.topic)) return nullptr;
    return &shard_.counters().dropped_not_authorized;
}

void Session::forget_queued(const Delivery& delivery) {
    if (!delivery.message) return;
    shard_.counters().queued_messages.subtract();
    shard_.counters().queued_bytes.subtract(cost_of(delivery));
}

void Session::count_queued(const Delivery& delivery) {
    shard_.counters().queued_messages.add();
    shard_.counters().queued_bytes.add(cost_of(delivery));
}

void Session::finish(InflightMessage& message) {
    forget_queued(message.delivery);
    if (is_recorded()) record_done(message.delivery);
    outgoing_->inflight.complete(message);
}

// What is in line with QoS 1 or 2 is pending as the queue is, and so part of a session that goes on
// (section 4.1). The rest was meant for the connection.
void Session::leave_line() {
    base::Ring<Delivery>& line = outgoing_->retained;
    if (!is_persistent()) return discard_retained();
    for (std::size_t left = line.size(); left > 0; --left) {
        Delivery delivery = std::move(line.front());
        line.pop_front();
        if (delivery.qos == mqtt::Qos::at_most_once) {
            forget_queued(delivery);
        } else {
            line.push_back(std::move(delivery));
        }
    }
}

void Session::discard_retained() {
    base::Ring<Delivery>& line = outgoing_->retained;
    for (std::size_t i = 0; i < line.size(); ++i) forget_queued(line[i]);
    line.clear();
}

bool Session::on_puback(mqtt::PacketId id) {
    InflightMessage* message = outgoing_ ? outgoing_->inflight.find(id) : nullptr;
    if (!message || message->state != OutgoingState::wait_puback) return false;
    finish(*message);
    if (has_waiting()) pump();
    return true;
}

bool Session::on_pubrec(mqtt::PacketId id, bool failed) {
    InflightMessage* message = outgoing_ ? outgoing_->inflight.find(id) : nullptr;
    if (!message || message->state == OutgoingState::wait_puback) return false;
    if (failed) {
        finish(*message);
        if (has_waiting()) pump();
        return true;
    }
    if (message->state == OutgoingState::wait_pubrec) {
        forget_queued(message->delivery);
        message->delivery.message = {};  // Delivered: only the identifier matters from now on.
        message->state = OutgoingState::wait_pubcomp;
        if (is_recorded()) record_in_flight(id);
    }
    connection_->send_ack(mqtt::PacketType::pubrel, id);
    return true;
}

bool Session::on_pubcomp(mqtt::PacketId id) {
    InflightMessage* message = outgoing_ ? outgoing_->inflight.find(id) : nullptr;
    if (!message || message->state != OutgoingState::wait_pubcomp) return false;
    finish(*message);
    if (has_waiting()) pump();
    return true;
}

}  // namespace broker
