// Connection: SUBSCRIBE and UNSUBSCRIBE.
#include <algorithm>

#include "broker/connection.h"
#include "broker/shard.h"
#include "mqtt/topic.h"

namespace broker {

using base::LogType;
using mqtt::ReasonCode;

namespace {

// Well formed, with or without "$share/group/" before it.
bool is_well_formed(std::string_view filter) {
    if (mqtt::is_shared(filter)) return mqtt::split_shared(filter).has_value();
    return mqtt::is_valid_topic_filter(filter);
}

}  // namespace

void Connection::handle_subscribe(Bytes body) {
    const auto packet = mqtt::decode_subscribe(body, version_);
    if (!packet) return fail(packet.error());
    // Before any entry takes effect. Reason 0x8F would be wrong: it is for well-formed filters that
    // a server does not accept; these are malformed [MQTT-4.7.1-1] [MQTT-4.8.2-1].
    bool well_formed = true;
    packet->for_each([&](const mqtt::SubscribeEntry& entry) {
        well_formed = well_formed && is_well_formed(entry.filter);
    });
    if (!well_formed) return fail(ReasonCode::malformed_packet);
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Received SUBSCRIBE from {}", session_->client_id());
    }
    std::vector<std::uint8_t> reasons;
    reasons.reserve(packet->count());
    std::vector<Subscription> granted(packet->count());
    packet->for_each([&](const mqtt::SubscribeEntry& entry) {
        Subscription& subscription = granted[reasons.size()];
        const ReasonCode reason = subscribe(entry, packet->subscription_id, subscription);
        reasons.push_back(static_cast<std::uint8_t>(reason));
    });
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending SUBACK to {}", session_->client_id());
    }
    mqtt::Writer out = begin_packet();
    mqtt::encode(out, mqtt::Suback{.id = packet->id, .reasons = reasons}, version_);
    finish_packet();
    deliver_retained(*packet, granted, reasons);
}

// After the SUBACK, so that a client knows what the messages answer.
void Connection::deliver_retained(const mqtt::Subscribe& packet,
                                  std::span<const Subscription> granted,
                                  std::span<const std::uint8_t> reasons) {
    std::size_t position = 0;
    packet.for_each([&](const mqtt::SubscribeEntry& entry) {
        const std::size_t at = position++;
        if (mqtt::is_failure(static_cast<ReasonCode>(reasons[at]))) return;
        if (granted[at].options.retain_handling == mqtt::RetainHandling::do_not_send) return;
        shard_.deliver_retained(*session_, with_mount_point(entry.filter), granted[at]);
    });
    session_->pump();
}

// What SUBACK says about one entry; `subscription` becomes what the index holds for it, with a
// retain_handling of do_not_send if nothing retained is due.
ReasonCode Connection::subscribe(const mqtt::SubscribeEntry& entry, std::uint32_t subscription_id,
                                 Subscription& subscription) {
    if (mqtt::is_shared(entry.filter)) return ReasonCode::shared_subscriptions_not_supported;
    if (!fits_mount_point(entry.filter)) return ReasonCode::topic_filter_invalid;
    Authorizer& authorizer = shard_.broker().authorizer();
    if (!authorizer.allows_everything() &&
        !authorizer.is_allowed({.client_id = session_->client_id(),
                                .user_name = user_name(),
                                .topic = entry.filter,
                                .access = Access::subscribe})) {
        return ReasonCode::not_authorized;
    }
    subscription = {
        .session = session_->id(), .options = entry.options, .subscription_id = subscription_id};
    subscription.options.qos = std::min(entry.options.qos, listener_->qos_max);
    const bool is_new = shard_.subscribe(*session_, with_mount_point(entry.filter), subscription);
    if (!is_new && entry.options.retain_handling == mqtt::RetainHandling::send_if_new) {
        subscription.options.retain_handling = mqtt::RetainHandling::do_not_send;
    }
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "\t{} (QoS {})", entry.filter,
                           static_cast<int>(subscription.options.qos));
    }
    shard_.log().print(LogType::subscribe, "{} {} {}", session_->client_id(),
                       static_cast<int>(subscription.options.qos), entry.filter);
    return static_cast<ReasonCode>(subscription.options.qos);
}

void Connection::handle_unsubscribe(Bytes body) {
    const auto packet = mqtt::decode_unsubscribe(body, version_);
    if (!packet) return fail(packet.error());
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Received UNSUBSCRIBE from {}", session_->client_id());
    }
    bool well_formed = true;
    packet->for_each(
        [&](std::string_view filter) { well_formed = well_formed && is_well_formed(filter); });
    if (!well_formed) return fail(ReasonCode::malformed_packet);
    std::vector<std::uint8_t> reasons;
    packet->for_each([&](std::string_view filter) {
        const bool existed = shard_.unsubscribe(*session_, with_mount_point(filter));
        shard_.log().print(LogType::unsubscribe, "{} {}", session_->client_id(), filter);
        reasons.push_back(static_cast<std::uint8_t>(existed ? ReasonCode::success
                                                            : ReasonCode::no_subscription_existed));
    });
    if (shard_.is_debugging()) {
        shard_.log().print(LogType::debug, "Sending UNSUBACK to {}", session_->client_id());
    }
    mqtt::Writer out = begin_packet();
    mqtt::encode(out, mqtt::Unsuback{.id = packet->id, .reasons = reasons}, version_);
    finish_packet();
}

}  // namespace broker
