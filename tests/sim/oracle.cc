#include "sim/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "mqtt/topic.h"

namespace sim {
namespace {

bool is_shared_topic(std::string_view topic) {
    return topic.starts_with("$q/");
}

// "$share/group/filter" matches as "filter" does.
bool matches(std::string_view filter, std::string_view topic) {
    if (mqtt::is_shared(filter)) {
        filter.remove_prefix(filter.find('/') + 1);
        filter.remove_prefix(filter.find('/') + 1);
    }
    return mqtt::matches(filter, topic);
}

}  // namespace

Publication& Oracle::publish(const std::string& publisher, std::string_view topic, int qos,
                             bool retain, bool is_clear) {
    Publication& one = published_.emplace_back();
    one.number = static_cast<std::uint32_t>(published_.size() - 1);
    one.publisher = publisher;
    one.topic = topic;
    one.qos = qos;
    one.retain = retain;
    one.is_clear = is_clear;
    one.sent_at = ++now_;
    return one;
}

void Oracle::repeat(std::uint32_t number) {
    published_[number].repeated_at = ++now_;
}

void Oracle::acknowledge(std::uint32_t number) {
    Publication& one = published_[number];
    if (one.acknowledged_at != 0) return;
    one.acknowledged_at = ++now_;
    ++acknowledged_;
    if (one.is_clear) return;
    if (is_shared_topic(one.topic)) return owe_to_group(one);
    for (auto& [client, session] : sessions_) {
        const bool has_it =
            session.received.contains({number, 1}) || session.received.contains({number, 2});
        if (!has_it && is_owed(session, one)) session.owed.insert(number);
    }
}

// Any member will do.
void Oracle::owe_to_group(const Publication& one) {
    if (came_by_group_.contains(one.number) || may_be_gone(one)) return;
    const bool has_member = std::ranges::any_of(
        sessions_, [&](const auto& entry) { return is_owed(entry.second, one); });
    if (has_member) owed_to_group_.insert(one.number);
}

bool Oracle::is_owed(const Session& session, const Publication& one) const {
    if (!session.is_kept) return false;
    return std::ranges::any_of(session.subscriptions, [&](const auto& entry) {
        const Subscription& known = entry.second;
        const bool is_sure = known.granted_at != 0 && known.granted_at < one.sent_at;
        return is_sure && !known.is_ending && known.gone_at == 0 &&
               std::min(known.qos, one.qos) > 0 && matches(entry.first, one.topic);
    });
}

void Oracle::begin_session(const std::string& client, bool is_kept) {
    sessions_[client] = Session{};
    sessions_[client].is_kept = is_kept;
}

void Oracle::ask_subscription(const std::string& client, const std::string& filter, int qos) {
    if (mqtt::is_shared(filter)) members_.insert(client);
    Subscription& known = sessions_[client].subscriptions[filter];
    if (known.gone_at != 0) known = {.first_asked_at = known.first_asked_at};
    if (known.asked_at == 0) known.asked_at = ++now_;
    if (known.first_asked_at == 0) known.first_asked_at = known.asked_at;
    known.qos = qos;
}

void Oracle::grant_subscription(const std::string& client, const std::string& filter) {
    Subscription& known = sessions_[client].subscriptions[filter];
    if (known.granted_at == 0 || known.is_ending) known.granted_at = ++now_;
    known.is_ending = false;
}

// Which subscription a message came by is not known after a restart: what a member had before one
// ends with its session, and so does QoS 2 that it was sent [MQTT-4.8.2-5], and all of it if there
// is no other member.
void Oracle::leave_group(const std::string& client) {
    const auto is_member = [](const Session& session) {
        return std::ranges::any_of(session.subscriptions, [](const auto& entry) {
            const Subscription& known = entry.second;
            return mqtt::is_shared(entry.first) && known.granted_at != 0 && !known.is_ending &&
                   known.gone_at == 0;
        });
    };
    const bool has_other = std::ranges::any_of(sessions_, [&](const auto& entry) {
        return entry.first != client && is_member(entry.second);
    });
    gone_before_ = std::max(gone_before_, has_other ? started_at_ : now_);
    gone_qos2_before_ = now_;
    std::erase_if(owed_to_group_,
                  [&](std::uint32_t number) { return may_be_gone(published_[number]); });
}

// With a member that has left the group.
bool Oracle::may_be_gone(const Publication& one) const {
    return one.sent_at < (one.qos == 2 ? gone_qos2_before_ : gone_before_);
}

// Also if it has done so before: a crash may have undone that.
void Oracle::end_session(const std::string& client) {
    if (members_.contains(client)) leave_group(client);
    sessions_.erase(client);
}

void Oracle::ask_end(const std::string& client, const std::string& filter) {
    if (mqtt::is_shared(filter)) leave_group(client);
    sessions_[client].subscriptions[filter].is_ending = true;
}

void Oracle::grant_end(const std::string& client, const std::string& filter) {
    sessions_[client].subscriptions[filter].gone_at = ++now_;
}

const Publication* Oracle::find(std::string_view payload) const {
    std::uint32_t number = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), number);
    return number == 0 || number >= published_.size() ? nullptr : &published_[number];
}

void Oracle::receive(const std::string& client, const support::Packet& packet) {
    ++now_;
    if (packet.payload.empty()) return;  // Which of the clears it is cannot be told.
    const Publication* const one = find(packet.payload);
    if (!one || one->topic != packet.topic) {
        return violate(fmt::format("{} got what nobody sent: {}", client, to_text(packet)));
    }
    if (packet.qos > one->qos) {
        return violate(fmt::format("{} got {} with QoS {}", client, describe(*one), packet.qos));
    }
    Session& session = sessions_[client];
    const bool is_subscribed = std::ranges::any_of(session.subscriptions, [&](const auto& entry) {
        const Subscription& known = entry.second;
        return (known.gone_at == 0 || one->sent_at < known.gone_at) && known.qos >= packet.qos &&
               matches(entry.first, one->topic);
    });
    if (!is_subscribed) {
        return violate(fmt::format("{} got {} and has no such subscription with QoS {}", client,
                                   describe(*one), packet.qos));
    }
    if (packet.retain) return receive_retained(client, session, *one);
    receive_live(client, session, *one, packet.qos);
}

// A copy for a new subscription is at least as new as that.
void Oracle::receive_retained(const std::string& client, const Session& session,
                              const Publication& one) {
    std::uint64_t asked_at = now_;
    for (const auto& [filter, known] : session.subscriptions) {
        if (matches(filter, one.topic)) asked_at = std::min(asked_at, known.first_asked_at);
    }
    if (!one.retain || is_replaced(one, asked_at)) {
        violate(fmt::format("{} got {} as if it were retained", client, describe(one)));
    }
}

void Oracle::receive_live(const std::string& client, Session& session, const Publication& one,
                          int qos) {
    if (qos > 0) session.owed.erase(one.number);
    if (!session.received.insert({one.number, qos}).second) {
        if (qos == 2 || one.qos == 0) {
            violate(fmt::format("{} got {} twice with QoS {}", client, describe(one), qos));
        }
        return;
    }
    if (is_shared_topic(one.topic)) {
        if (qos > 0) owed_to_group_.erase(one.number);
        if (qos > 0) came_by_group_.insert(one.number);
        return;
    }
    std::uint32_t& highest = session.highest[{one.publisher, one.topic, qos}];
    // A repeat of what came to the broker before the subscription did may be new to it.
    if (one.number < highest && one.repeated_at < published_[highest].sent_at) {
        violate(fmt::format("{} got {} after {}", client, describe(one), highest));
    }
    highest = std::max(highest, one.number);
}

void Oracle::check_nothing_lost() {
    if (!owed_to_group_.empty()) {
        violate(fmt::format("no member got {}, and {} more",
                            describe(published_[*owed_to_group_.begin()]),
                            owed_to_group_.size() - 1));
    }
    for (const auto& [client, session] : sessions_) {
        if (session.owed.empty()) continue;
        violate(fmt::format("{} never got {}, and {} more", client,
                            describe(published_[*session.owed.begin()]), session.owed.size() - 1));
    }
}

bool Oracle::is_replaced(const Publication& one, std::uint64_t at) const {
    if (one.acknowledged_at == 0) return false;
    return std::ranges::any_of(published_, [&](const Publication& other) {
        return other.retain && other.topic == one.topic && other.sent_at > one.acknowledged_at &&
               other.acknowledged_at != 0 && other.acknowledged_at < at;
    });
}

// What was never acknowledged may have come at any time.
void Oracle::check_retained(const std::string& topic, std::string_view payload) {
    ++now_;
    const Publication* const found = find(payload);
    if (!payload.empty() && (!found || !found->retain || found->topic != topic)) {
        return violate(fmt::format("{} keeps what nobody sent: {}", topic, payload));
    }
    if (found) {
        if (is_replaced(*found, now_)) violate(describe(*found) + " is retained again");
        return;
    }
    bool was_set = false;
    bool may_be_clear = false;
    for (const Publication& one : published_) {
        if (!one.retain || one.topic != topic) continue;
        was_set = was_set || one.acknowledged_at != 0;
        may_be_clear = may_be_clear || (one.is_clear && !is_replaced(one, now_));
    }
    if (was_set && !may_be_clear) violate(fmt::format("nothing is retained of {}", topic));
}

std::string Oracle::describe(const Publication& one) const {
    return fmt::format("{} ({} of {}, QoS {}{}{})", one.number, one.topic, one.publisher, one.qos,
                       one.retain ? ", retained" : "",
                       one.acknowledged_at != 0 ? ", acknowledged" : "");
}

}  // namespace sim
