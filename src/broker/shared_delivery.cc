// Shard: shared subscriptions, and the ways of their messages.
#include "broker/connection.h"
#include "broker/shard.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

// Members that are asked in turn before a message that none of them takes is dropped.
constexpr std::uint8_t attempts_max = 8;

// "$share/group/filter", which has been judged when it came.
mqtt::SharedFilter parts_of(std::string_view name) {
    name.remove_prefix(name.find('/') + 1);
    const std::size_t end = name.find('/');
    return {name.substr(0, end), name.substr(end + 1)};
}

}  // namespace

bool Shard::subscribe_shared(Session& session, std::string_view name,
                             const Subscription& subscription) {
    SharedSubscriptions& shared = session.shared_or_new();
    if (SharedSubscription* const known = shared.find(shared.mark_of(name))) {
        known->subscription = subscription;
        return false;
    }
    const SharedMark mark = shared.next_mark();
    const auto [group, filter] = parts_of(name);
    shared.add(name, mark,
               {broker_.shared_groups().join(group, filter, {number_, session.id(), mark},
                                             session.is_connected()),
                subscription});
    counters_.shared_subscriptions.add();
    return true;
}

void Shard::leave_group(Session& session, SharedMark mark) {
    const SharedSubscription& one = *session.shared()->find(mark);
    broker_.shared_groups().leave(*one.group, {number_, session.id(), mark});
    counters_.shared_subscriptions.subtract();
}

void Shard::unsubscribe_shared(Session& session, std::string_view name) {
    const SharedMark mark = session.shared()->mark_of(name);
    leave_group(session, mark);
    session.hand_over_queue(mark);
    session.shared()->remove(name);
}

// All at once, so that what the session leaves behind goes to none of its own places.
void Shard::end_shared(Session& session) {
    if (!session.shared()) return;
    session.shared()->for_each(
        [&](SharedMark mark, const SharedSubscription&) { leave_group(session, mark); });
    session.hand_over(Among::everybody);
}

bool Shard::route_shared(Publication& publication) {
    bool matched = false;
    for (const SharedGroupRef& group : shared_groups_.groups_for(publication.topic)) {
        matched = offer(publication, *group, Among::everybody) || matched;
    }
    return matched;
}

bool Shard::offer(Publication& publication, const SharedGroup& group, Among among,
                  std::uint8_t attempt, const SharedTarget* received) {
    for (;; ++attempt) {
        const auto member =
            group.choose(options_->shared_strategy, publication.topic, attempt, among);
        if (!member) return false;
        SharedTarget target{group.id(), *member, attempt, static_cast<std::uint8_t>(number_)};
        if (member->shard != number_) {
            if (received) pass_on(target, *received);
            send_to(member->shard, publication, &target, &group);
            return true;
        }
        // Who is in a group on this shard was put there, and is taken out, by this shard.
        const SharedSubscription& one = *find_shared(target);
        if (take_shared(publication, one, target)) return true;
    }
}

void Shard::pass_on(SharedTarget& target, const SharedTarget& received) {
    target.origin = received.origin;
    target.is_passed_on = true;
    if (records_ && !received.is_passed_on) handovers_.pass_on(target.origin);
}

SharedSubscription* Shard::find_shared(const SharedTarget& target) {
    const auto id = static_cast<std::size_t>(target.member.session);
    Session* const session = id < sessions_by_id_.size() ? sessions_by_id_[id] : nullptr;
    if (!session || !session->shared()) return nullptr;
    SharedSubscription* const one = session->shared()->find(target.member.mark);
    return one && one->group->id() == target.group ? one : nullptr;
}

// False if the member may not have the message, or has too many waiting: another one's turn.
bool Shard::take_shared(Publication& publication, const SharedSubscription& one,
                        const SharedTarget& target) {
    const Subscription& subscription = one.subscription;
    Session& session = *sessions_by_id_[static_cast<std::size_t>(subscription.session)];
    const bool is_last = target.attempt + 1 >= attempts_max;
    if (!wants(publication, subscription, session)) {
        if (is_last) counters_.dropped_no_member.add();
        return is_last;
    }
    if (!is_last && session.would_drop(publication, subscription.options.qos)) return false;
    DeliveryTerms terms;
    terms.qos = subscription.options.qos;
    terms.retain = publication.retain && subscription.options.retain_as_published;
    terms.ids.add(subscription.subscription_id);
    terms.mark = target.member.mark;
    session.deliver(publication, terms);
    return true;
}

void Shard::deliver_received(Publication& publication, const SharedTarget& target) {
    const std::uint64_t before = handovers_.handed_over();
    receive_shared(publication, target);
    const bool went_on = handovers_.handed_over() != before;
    if (records_ && target.is_passed_on && !went_on) handovers_.keep_passed_on(target.origin);
}

// From another shard, which may have chosen a member that has gone meanwhile. One that is away only
// keeps what nobody else is there for.
void Shard::receive_shared(Publication& publication, const SharedTarget& target) {
    const auto next = static_cast<std::uint8_t>(target.attempt + 1);
    const SharedSubscription* const one = find_shared(target);
    if (!one) {
        const SharedGroupRef group = broker_.shared_groups().find(target.group);
        const bool taken = group && offer(publication, *group, Among::everybody, 0, &target);
        if (!taken) counters_.dropped_no_member.add();
        return;
    }
    const auto id = static_cast<std::size_t>(one->subscription.session);
    const bool is_away = !sessions_by_id_[id]->is_connected();
    if (is_away && offer(publication, *one->group, Among::connected, 0, &target)) return;
    if (take_shared(publication, *one, target)) return;
    if (!offer(publication, *one->group, Among::everybody, next, &target)) {
        counters_.dropped_no_member.add();
    }
}

}  // namespace broker
