// Connection: SUBSCRIBE and UNSUBSCRIBE.
#include <algorithm>

#include "broker/connection.h"
#include "broker/reason_text.h"
#include "broker/shard.h"
#include "mqtt/topic.h"

namespace broker {

using base::LogType;
using mqtt::ReasonCode;
using mqtt::RetainHandling;

namespace {

// Well formed, with or without "$share/group/" before it.
bool is_well_formed(std::string_view filter) {
    if (mqtt::is_shared(filter)) return mqtt::split_shared(filter).has_value();
    return mqtt::is_valid_topic_filter(filter);
}

// What became of one filter. The first that is not granted is kept for people: the reason codes
// stand beside it.
void note(LongRequest& request, std::string_view filter, ReasonCode reason) {
    request.reasons.push_back(static_cast<std::uint8_t>(reason));
    if (!request.first_refusal.empty() || reason < ReasonCode::no_subscription_existed) return;
    request.first_refusal = fmt::format("{}: {}", quoted(filter), mqtt::describe(reason));
}

}  // namespace

void Connection::handle_subscribe(Bytes body) {
    if (!request_ && !begin_subscribe(body)) return;
    std::size_t budget = LongRequest::slice;
    mqtt::Subscribe rest;
    rest.version = version_;
    rest.entries = body.last(request_->bytes_left);
    if (!request_->is_answered) {
        if (!subscribe_slice(rest, budget)) return interrupt_request();
        send_suback();
        rest.entries = body.last(request_->bytes);
    }
    if (!retained_slice(rest, budget)) return interrupt_request();
    request_.reset();
    session_->pump();
}

bool Connection::begin_subscribe(Bytes body) {
    const auto packet = mqtt::decode_subscribe(body, version_);
    if (!packet) {
        fail(packet.error(), broken(mqtt::PacketType::subscribe));
        return false;
    }
    std::optional<std::string_view> ill_formed;
    packet->for_each([&](const mqtt::SubscribeEntry& entry) {
        if (!ill_formed && !is_well_formed(entry.filter)) ill_formed = entry.filter;
    });
    if (!may_begin(packet->user, ill_formed, packet->count())) return false;
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Received SUBSCRIBE from {}", session_->client_id());
    }
    request_ = std::make_unique<LongRequest>();
    request_->id = packet->id;
    request_->subscription_id = packet->subscription_id;
    request_->bytes = request_->bytes_left = packet->entries.size();
    return true;
}

// Before anything takes effect: false if it is not for anything, and the client has been told.
bool Connection::may_begin(const mqtt::UserProperties& properties,
                           std::optional<std::string_view> ill_formed, std::size_t reasons) {
    if (fails_by_number_of(properties)) return false;
    if (!ill_formed) return can_answer(reasons);
    // Reason 0x8F would be wrong: it is for well-formed filters that a server does not accept;
    // these are malformed [MQTT-4.7.1-1] [MQTT-4.8.2-1].
    fail(ReasonCode::malformed_packet,
         fmt::format("topic filter {} is not well-formed", quoted(*ill_formed)));
    return false;
}

// False if there is more of it than fits in this turn.
bool Connection::subscribe_slice(mqtt::Subscribe& rest, std::size_t& budget) {
    LongRequest& request = *request_;
    for (; budget > 0; --budget) {
        const auto entry = rest.take();
        if (!entry) return true;
        Subscription& subscription = request.granted.emplace_back();
        note(request, entry->filter,
             is_id_in_use(request.id) ? ReasonCode::packet_id_in_use
                                      : subscribe(*entry, request.subscription_id, subscription));
        request.bytes_left = rest.entries.size();
    }
    return rest.entries.empty();
}

void Connection::send_suback() {
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending SUBACK to {}", session_->client_id());
    }
    send_explained(mqtt::Suback{.id = request_->id, .reasons = request_->reasons},
                   wants_reason_strings_ ? request_->first_refusal : std::string_view());
    request_->is_answered = true;
    request_->bytes_left = request_->bytes;
}

// What is retained, after the SUBACK, so that a client knows what the messages answer. False if
// there is more of it than fits in this turn.
bool Connection::retained_slice(mqtt::Subscribe& rest, std::size_t& budget) {
    LongRequest& request = *request_;
    while (request.bytes_left > 0) {
        mqtt::Subscribe next = rest;
        const auto entry = next.take();
        if (!deliver_retained(entry->filter, budget)) return false;
        rest = next;
        request.bytes_left = rest.entries.size();
        ++request.retained_entry;
    }
    return true;
}

// For the entry that is next. False if the turn has no more room for it.
bool Connection::deliver_retained(std::string_view filter, std::size_t& budget) {
    LongRequest& request = *request_;
    const Subscription& subscription = request.granted[request.retained_entry];
    const auto reason = static_cast<ReasonCode>(request.reasons[request.retained_entry]);
    if (mqtt::is_failure(reason)) return true;
    if (subscription.options.retain_handling == mqtt::RetainHandling::do_not_send) return true;
    const std::size_t parts = mqtt::has_wildcard(filter) ? RetainedStore::part_count : 1;
    for (; request.retained_part < parts; ++request.retained_part) {
        if (budget == 0) return false;
        const std::size_t found = shard_.deliver_retained(*session_, with_mount_point(filter),
                                                          subscription, request.retained_part);
        budget -= std::min(budget, found + 1);
    }
    request.retained_part = 0;
    return true;
}

// The packet is not consumed, and handed over again.
void Connection::interrupt_request() {
    is_paused_ = true;
    wire_.pause_reading();
    shard_.continue_later(*this);
    session_->pump();
}

// What SUBACK says about one entry; `subscription` becomes what the index holds for it, with a
// retain_handling of do_not_send if nothing retained is due.
ReasonCode Connection::subscribe(const mqtt::SubscribeEntry& entry, std::uint32_t subscription_id,
                                 Subscription& subscription) {
    const ReasonCode verdict = judge_filter(entry.filter);
    if (verdict != ReasonCode::success) return verdict;
    subscription = {
        .session = session_->id(), .options = entry.options, .subscription_id = subscription_id};
    subscription.options.qos = std::min(entry.options.qos, listener_->qos_max);
    // A bridge below MQTT 5 cannot ask for what keeps it from looping, and relies on it.
    subscription.options.no_local |= is_bridge_;
    subscription.options.retain_as_published |= is_bridge_;
    const bool is_new = shard_.subscribe(*session_, mounted_filter(entry.filter), subscription);
    const bool is_known = !is_new && entry.options.retain_handling == RetainHandling::send_if_new;
    if (mqtt::is_shared(entry.filter) ||
        is_known) {  // Section 4.8.2: nothing retained for a shared one.
        subscription.options.retain_handling = RetainHandling::do_not_send;
    }
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "\t{} (QoS {})", entry.filter,
                           static_cast<int>(subscription.options.qos));
    }
    shard_.log().print(LogType::subscribe, "{} {} {}", session_->client_id(),
                       static_cast<int>(subscription.options.qos), entry.filter);
    return static_cast<ReasonCode>(subscription.options.qos);
}

ReasonCode Connection::judge_filter(std::string_view filter) {
    if (!fits_mount_point(filter)) return ReasonCode::topic_filter_invalid;
    const auto shared = mqtt::split_shared(filter);
    const std::string_view judged = with_mount_point(shared ? shared->filter : filter);
    if (!session_->may(Access::subscribe, judged)) {
        note_denied("SUBSCRIBE", Access::subscribe, judged);
        return ReasonCode::not_authorized;
    }
    if (shared && !has_room_for_shared(filter)) return ReasonCode::quota_exceeded;
    if (shard_.may_subscribe(*session_, mounted_filter(filter))) return ReasonCode::success;
    shard_.refusals().print(Refusal::subscription_limit, session_->client_id(),
                            "Client {}: the subscription to {} is refused, "
                            "max_subscriptions_per_client is reached.",
                            session_->client_id(), filter);
    return ReasonCode::quota_exceeded;
}

// One that is there already only gets other options.
bool Connection::has_room_for_shared(std::string_view filter) {
    const SharedSubscriptions* const shared = session_->shared();
    return !shared || !shared->is_full() || shared->mark_of(mounted_filter(filter)) != 0;
}

std::string_view Connection::mounted_filter(std::string_view filter) {
    const auto shared = mqtt::split_shared(filter);
    if (!shared || listener_->mount_point.empty()) return with_mount_point(filter);
    std::string& mounted = shard_.scratch().topic;
    mounted.assign(filter.substr(0, filter.size() - shared->filter.size()));
    return mounted.append(listener_->mount_point).append(shared->filter);
}

void Connection::handle_unsubscribe(Bytes body) {
    if (!request_ && !begin_unsubscribe(body)) return;
    LongRequest& request = *request_;
    mqtt::Unsubscribe rest;
    rest.filters = body.last(request.bytes_left);
    for (std::size_t budget = LongRequest::slice; budget > 0; --budget) {
        const auto filter = rest.take();
        if (!filter) break;
        note(request, *filter,
             is_id_in_use(request.id) ? ReasonCode::packet_id_in_use : unsubscribe(*filter));
    }
    request.bytes_left = rest.filters.size();
    if (request.bytes_left > 0) return interrupt_request();
    send_unsuback();
    request_.reset();
}

bool Connection::begin_unsubscribe(Bytes body) {
    const auto packet = mqtt::decode_unsubscribe(body, version_);
    if (!packet) {
        fail(packet.error(), broken(mqtt::PacketType::unsubscribe));
        return false;
    }
    std::optional<std::string_view> ill_formed;
    packet->for_each([&](std::string_view filter) {
        if (!ill_formed && !is_well_formed(filter)) ill_formed = filter;
    });
    if (!may_begin(packet->user, ill_formed, is_v5() ? packet->count() : 0)) return false;
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Received UNSUBSCRIBE from {}", session_->client_id());
    }
    request_ = std::make_unique<LongRequest>();
    request_->id = packet->id;
    request_->bytes = request_->bytes_left = packet->filters.size();
    return true;
}

void Connection::send_unsuback() {
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending UNSUBACK to {}", session_->client_id());
    }
    send_explained(mqtt::Unsuback{.id = request_->id, .reasons = request_->reasons},
                   wants_reason_strings_ ? request_->first_refusal : std::string_view());
}

ReasonCode Connection::unsubscribe(std::string_view filter) {
    const bool existed = shard_.unsubscribe(*session_, mounted_filter(filter));
    shard_.log().print(LogType::unsubscribe, "{} {}", session_->client_id(), filter);
    return existed ? ReasonCode::success : ReasonCode::no_subscription_existed;
}

// All packets that wait for an answer share their identifiers (section 2.2.1).
bool Connection::is_id_in_use(mqtt::PacketId id) const {
    return is_v5() && session_->is_received(id);
}

// A SUBACK or UNSUBACK with so many reasons is not too large for the client [MQTT-3.1.2-24].
bool Connection::can_answer(std::size_t reasons) {
    const std::size_t body = 2 + (is_v5() ? 1 : 0) + reasons;  // Identifier, no properties.
    const std::size_t size = 1 + mqtt::variable_int_size(static_cast<std::uint32_t>(body)) + body;
    if (packet_size_max_ == 0 || size <= packet_size_max_) return true;
    fail(ReasonCode::packet_too_large,
         fmt::format("the answer to {} filters would be above the client's Maximum Packet Size",
                     reasons));
    return false;
}

}  // namespace broker
