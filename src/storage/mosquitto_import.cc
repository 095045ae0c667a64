#include "storage/mosquitto_import.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "broker/publication.h"
#include "broker/subscription_index.h"
#include "storage/mosquitto_records.h"

namespace storage {
namespace {

using broker::MessageKept;
using broker::MessageRef;
using broker::OutgoingState;
using broker::SessionId;
using broker::SessionNumber;
using Each = std::function<void(broker::Change&&)>;

// Collects the records, which come by kind, and emits them by session.
class Collector {
public:
    Collector(const MosquittoTerms& terms, MosquittoSummary& summary)
        : terms_(terms), summary_(summary) {}

    void take(const MosquittoMessage& record);
    void take(const MosquittoClient& record);
    void take(const MosquittoDelivery& record);
    void take(const MosquittoSubscription& record);
    void take(const MosquittoRetained& record);
    // After the last record.
    void publish_received();
    void emit(const Each& each);

private:
    struct Content {
        MessageRef message;
        bool is_counted = false;
    };
    struct Session {
        broker::SessionKept kept;
        bool is_ending = false;
        std::map<std::string, broker::SubscriptionKept, std::less<>> subscriptions;
        std::vector<MessageKept> in_flight;
        std::vector<MessageKept> queued;
        std::set<mqtt::PacketId> sent;
        std::set<mqtt::PacketId> received;
    };
    struct Received {
        std::uint64_t id;  // In the file.
        Content* content;
    };
    // How a session gets a message that more than one of its filters may match.
    struct Recipient {
        mqtt::Qos qos{};
        bool retain = false;
        broker::SubscriptionIds ids;
    };

    Session* find(std::string_view client_id);
    Content* content_of(std::uint64_t id);
    void count_content(Content& content);
    std::int64_t left_wall_ms(const MosquittoClient& record) const;
    void take_incoming(Session& session, const MosquittoDelivery& record);
    void take_outgoing(Session& session, const MosquittoDelivery& record);
    void publish(const broker::SubscriptionIndex& index, Content& content);
    void retain(const MessageRef& message);
    static void sort_in_flight(Session& session);
    static void emit(Session& session, const Each& each);

    const MosquittoTerms& terms_;
    MosquittoSummary& summary_;
    std::unordered_map<std::uint64_t, Content> contents_;
    std::vector<Session> sessions_;
    std::unordered_map<std::string, std::size_t, base::TextHash, std::equal_to<>> positions_;
    std::map<std::string, MessageRef, std::less<>> retained_;
    std::vector<Received> received_;
    std::vector<std::uint8_t> scratch_;
};

// Where a message to a client is, or nothing if the state does not go with the QoS. What was about
// to be sent has its identifier: it counts as sent.
std::optional<OutgoingState> outgoing_state(MosquittoState state, mqtt::Qos qos) {
    const bool is_qos1 = qos == mqtt::Qos::at_least_once;
    switch (state) {
        case MosquittoState::publish_qos1:
        case MosquittoState::wait_puback:
            return is_qos1 ? std::optional(OutgoingState::wait_puback) : std::nullopt;
        case MosquittoState::publish_qos2:
        case MosquittoState::wait_pubrec:
            return is_qos1 ? std::nullopt : std::optional(OutgoingState::wait_pubrec);
        case MosquittoState::resend_pubrel:
        case MosquittoState::wait_pubcomp:
            return is_qos1 ? std::nullopt : std::optional(OutgoingState::wait_pubcomp);
        default:
            return std::nullopt;
    }
}

Collector::Session* Collector::find(std::string_view client_id) {
    const auto found = positions_.find(client_id);
    return found == positions_.end() ? nullptr : &sessions_[found->second];
}

Collector::Content* Collector::content_of(std::uint64_t id) {
    const auto found = contents_.find(id);
    return found == contents_.end() ? nullptr : &found->second;
}

void Collector::count_content(Content& content) {
    if (!content.is_counted) ++summary_.contents;
    content.is_counted = true;
}

void Collector::take(const MosquittoMessage& record) {
    scratch_.clear();
    mqtt::Writer properties(scratch_);
    mqtt::write_forwarded(properties, record.properties);
    MessageRef message = broker::Message::make(
        {.topic = record.topic,
         .payload = record.payload,
         .properties = scratch_,
         .qos = record.qos,
         .retain = record.retain,
         .expiry_wall_ms = record.expires_s * 1000,
         .source = record.source.empty() ? 0 : broker::source_named(record.source)});
    if (!contents_.try_emplace(record.id, Content{std::move(message)}).second) ++summary_.misfits;
}

// The file has the moment at which the session ends, which is as long after its client went as it
// may live without one.
std::int64_t Collector::left_wall_ms(const MosquittoClient& record) const {
    std::uint64_t life_s = record.expiry_s;
    if (terms_.persistent_client_expiration_s) {
        life_s = std::min(record.expiry_s == mqtt::session_never_expires ? UINT64_MAX : life_s,
                          *terms_.persistent_client_expiration_s);
    } else if (record.expiry_s == mqtt::session_never_expires) {
        return 0;
    }
    const auto ends_s = static_cast<std::uint64_t>(record.expires_s);
    return static_cast<std::int64_t>(ends_s - std::min(ends_s, life_s)) * 1000;
}

void Collector::take(const MosquittoClient& record) {
    const auto [entry, is_new] =
        positions_.try_emplace(std::string(record.client_id), sessions_.size());
    if (!is_new) {
        ++summary_.misfits;
        return;
    }
    Session& session = sessions_.emplace_back();
    session.is_ending = record.expiry_s == 0;
    session.kept = {.session = SessionNumber{sessions_.size()},
                    .client_id = std::string(record.client_id),
                    .expiry_s = record.expiry_s,
                    .left_wall_ms = left_wall_ms(record)};
    ++(session.is_ending ? summary_.ending_sessions : summary_.sessions);
}

void Collector::take(const MosquittoDelivery& record) {
    Session* session = find(record.client_id);
    if (!session) {
        ++summary_.misfits;
    } else if (session->is_ending) {
        ++summary_.ending_messages;
    } else if (record.is_incoming) {
        take_incoming(*session, record);
    } else {
        take_outgoing(*session, record);
    }
}

// Its sender may have seen the PUBREC, and will then not send it again: from here on it is ours.
void Collector::take_incoming(Session& session, const MosquittoDelivery& record) {
    const bool is_answered =
        record.state == MosquittoState::wait_pubrel || record.state == MosquittoState::send_pubrec;
    if (record.qos == mqtt::Qos::exactly_once && record.state == MosquittoState::queued) {
        ++summary_.unanswered;
        return;
    }
    if (record.qos != mqtt::Qos::exactly_once || !is_answered || record.packet_id == 0 ||
        !session.received.insert(record.packet_id).second) {
        ++summary_.misfits;
        return;
    }
    ++summary_.received;
    // Without content it has expired, and Mosquitto would not have published it either.
    if (Content* content = content_of(record.message)) {
        received_.push_back({record.message, content});
    }
}

void Collector::take_outgoing(Session& session, const MosquittoDelivery& record) {
    if (record.qos == mqtt::Qos::at_most_once) {
        ++summary_.qos0;
        return;
    }
    MessageKept kept{.session = session.kept.session, .qos = record.qos, .retain = record.retain};
    for (const std::uint32_t id : mqtt::subscription_ids(record.properties)) kept.ids.add(id);
    const bool is_queued = record.state == MosquittoState::queued;
    if (!is_queued) {
        const auto state = outgoing_state(record.state, record.qos);
        if (!state || record.packet_id == 0 || !session.sent.insert(record.packet_id).second) {
            ++summary_.misfits;
            return;
        }
        kept.state = *state;
        kept.packet_id = record.packet_id;
    }
    // From PUBREC on only the identifier matters.
    if (is_queued || kept.state != OutgoingState::wait_pubcomp) {
        Content* content = content_of(record.message);
        if (!content) {
            ++summary_.misfits;
            return;
        }
        count_content(*content);
        kept.message = content->message;
    }
    ++(is_queued ? summary_.queued : summary_.in_flight);
    (is_queued ? session.queued : session.in_flight).push_back(std::move(kept));
}

void Collector::take(const MosquittoSubscription& record) {
    Session* session = find(record.client_id);
    if (!session) {
        ++summary_.misfits;
        return;
    }
    if (session->is_ending) return;
    std::string filter(record.filter);
    broker::SubscriptionKept kept{.session = session->kept.session,
                                  .filter = filter,
                                  .options = record.options,
                                  .subscription_id = record.subscription_id};
    if (session->subscriptions.try_emplace(std::move(filter), std::move(kept)).second) {
        ++summary_.subscriptions;
    } else {
        ++summary_.misfits;
    }
}

void Collector::take(const MosquittoRetained& record) {
    const Content* content = content_of(record.message);
    if (!content || content->message->payload().empty()) {
        ++summary_.misfits;
        return;
    }
    retain(content->message);
}

// An empty payload clears [MQTT-3.3.1-6].
void Collector::retain(const MessageRef& message) {
    const std::string topic(message->topic());
    if (message->payload().empty()) {
        retained_.erase(topic);
    } else {
        retained_[topic] = message;
    }
}

void Collector::publish_received() {
    if (received_.empty()) return;
    broker::SubscriptionIndex index;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
        for (const auto& [filter, kept] : sessions_[i].subscriptions) {
            if (mqtt::is_shared(filter)) continue;  // No Mosquitto has ever written one.
            index.add(filter, {.session = SessionId{static_cast<std::uint32_t>(i)},
                               .options = kept.options,
                               .subscription_id = kept.subscription_id});
        }
    }
    std::stable_sort(received_.begin(), received_.end(),
                     [](const Received& a, const Received& b) { return a.id < b.id; });
    for (const Received& one : received_) {
        publish(index, *one.content);
        if (one.content->message->retain()) retain(one.content->message);
    }
}

// As Shard routes it to clients that are away: one copy for each [MQTT-3.3.4-2].
void Collector::publish(const broker::SubscriptionIndex& index, Content& content) {
    const MessageRef& message = content.message;
    std::map<SessionId, Recipient> recipients;
    index.match(message->topic(), [&](std::span<const broker::Subscription> subscriptions) {
        for (const broker::Subscription& one : subscriptions) {
            const Session& session = sessions_[static_cast<std::size_t>(one.session)];
            const bool is_own = message->source() == broker::source_named(session.kept.client_id);
            if (one.options.no_local && is_own) continue;
            Recipient& recipient = recipients[one.session];
            recipient.qos = std::max(recipient.qos, std::min(one.options.qos, message->qos()));
            recipient.retain |= message->retain() && one.options.retain_as_published;
            recipient.ids.add(one.subscription_id);
        }
    });
    for (auto& [id, recipient] : recipients) {
        if (recipient.qos == mqtt::Qos::at_most_once) continue;
        Session& session = sessions_[static_cast<std::size_t>(id)];
        session.queued.push_back({.session = session.kept.session,
                                  .message = message,
                                  .ids = std::move(recipient.ids),
                                  .qos = recipient.qos,
                                  .retain = recipient.retain});
        ++summary_.queued;
        count_content(content);
    }
}

// By the order in which the identifiers were given, from the first one on, as InflightWindow wants
// them. Mosquitto writes them so.
void Collector::sort_in_flight(Session& session) {
    if (session.in_flight.empty()) return;
    const unsigned first = session.in_flight.front().packet_id;
    const auto distance = [first](const MessageKept& kept) {
        constexpr unsigned ids = 65'535;
        return (kept.packet_id + ids - first) % ids;
    };
    std::stable_sort(
        session.in_flight.begin(), session.in_flight.end(),
        [&](const MessageKept& a, const MessageKept& b) { return distance(a) < distance(b); });
}

void Collector::emit(const Each& each) {
    for (Session& session : sessions_) {
        if (!session.is_ending) emit(session, each);
    }
    summary_.retained = retained_.size();
    for (auto& [topic, message] : retained_) each(broker::RetainedKept{std::move(message)});
}

void Collector::emit(Session& session, const Each& each) {
    const SessionNumber number = session.kept.session;
    each(std::move(session.kept));
    for (auto& [filter, subscription] : session.subscriptions) each(std::move(subscription));
    sort_in_flight(session);
    std::uint64_t order = 0;
    const auto emit_all = [&](std::vector<MessageKept>& messages) {
        for (MessageKept& kept : messages) {
            kept.order = ++order;
            each(std::move(kept));
        }
    };
    emit_all(session.in_flight);
    emit_all(session.queued);
    for (const mqtt::PacketId id : session.received) each(broker::ReceivedKept{number, id});
}

}  // namespace

base::Result<MosquittoSummary, std::string> read_mosquitto_db(
    base::Bytes file, const MosquittoTerms& terms,
    const std::function<void(broker::Change&&)>& each) {
    auto records = MosquittoRecords::open(file);
    if (!records) return base::fail(records.error());
    MosquittoSummary summary;
    Collector collector(terms, summary);
    while (const auto record = records->next()) {
        std::visit([&](const auto& one) { collector.take(one); }, *record);
    }
    collector.publish_received();
    collector.emit(each);
    summary.damaged = records->damaged();
    summary.damage = records->damage();
    summary.is_final = records->is_final();
    return summary;
}

}  // namespace storage
