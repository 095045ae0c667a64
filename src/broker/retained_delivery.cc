// Shard: what is retained, for a new subscription.
#include <fmt/format.h>

#include "broker/publisher_rights.h"
#include "broker/reason_text.h"
#include "broker/shard.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

template <typename Found>
void collect(RetainedStore& store, std::size_t part, std::string_view filter,
             std::int64_t now_wall_ms, std::vector<Found>& found) {
    if (mqtt::has_wildcard(filter)) {
        store.collect_part(part, filter, now_wall_ms, found);
    } else {
        store.collect(filter, now_wall_ms, found);
    }
}

// Counts and logs it if not.
bool may_be_sent(Shard& shard, const Session& session, const Retained& retained,
                 PublisherRights& publishers) {
    if (publishers.allow(retained)) return true;
    const Publisher& publisher = *retained.publisher;
    shard.refusals().print_lazily(Refusal::not_authorized, publisher.client_id, [&] {
        return fmt::format(
            "Retained message of {} (user '{}') not sent to {}: topic {} not authorised any more "
            "for who published it ({}).",
            publisher.client_id, publisher.user_name, session.client_id(),
            quoted(retained.message->topic()), publishers.explain(retained));
    });
    return false;
}

}  // namespace

std::size_t Shard::deliver_retained(Session& session, std::string_view filter,
                                    const Subscription& subscription, std::size_t part) {
    DeliveryTerms terms;
    terms.qos = subscription.options.qos;
    terms.retain = true;
    terms.ids.add(subscription.subscription_id);
    const auto deliver = [&](const MessageRef& message) {
        if (wants(Publication::of(message), subscription, session)) {
            session.add_retained(message, terms);
        }
    };
    const bool has_rules = !broker_.authorizer().allows_everything();
    if (options_->check_retain_source && has_rules) {
        std::vector<Retained> found;
        collect(broker_.retained(), part, filter, wall_ms(), found);
        PublisherRights publishers(broker_.authorizer());
        for (const Retained& one : found) {
            if (may_be_sent(*this, session, one, publishers)) deliver(one.message);
        }
        return found.size();
    }
    retained_found_.clear();
    collect(broker_.retained(), part, filter, wall_ms(), retained_found_);
    for (const MessageRef& message : retained_found_) deliver(message);
    const std::size_t found = retained_found_.size();
    retained_found_.clear();
    return found;
}

}  // namespace broker
