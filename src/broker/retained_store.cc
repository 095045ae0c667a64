#include "broker/retained_store.h"

#include "base/assert.h"
#include "base/hash.h"
#include "mqtt/topic.h"

namespace broker {
namespace {

// Far enough ahead that a message is in the cache when its count is raised.
constexpr std::size_t prefetch_distance = 12;

MessageRef share(const Message& message) {
    message.add_ref();
    return MessageRef::adopt(&message);
}

void append(std::vector<MessageRef>& out, const Retained& retained) {
    out.push_back(retained.message);
}

void append(std::vector<Retained>& out, const Retained& retained) {
    out.push_back(retained);
}

template <typename Found>
void append_shared(const std::vector<const Retained*>& found, std::int64_t now_wall_ms,
                   std::vector<Found>& live, std::vector<MessageRef>& expired) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (i + prefetch_distance < found.size()) {
            __builtin_prefetch(found[i + prefetch_distance]->message.get(), 1);
        }
        if (found[i]->message->is_expired(now_wall_ms)) {
            expired.push_back(found[i]->message);
        } else {
            append(live, *found[i]);
        }
    }
}

}  // namespace

std::size_t RetainedStore::stripe_of(std::string_view topic) {
    const std::size_t slash = topic.rfind('/');
    const std::string_view parent = slash == std::string_view::npos ? "" : topic.substr(0, slash);
    return base::hash(parent) % stripe_count;
}

void RetainedStore::set_limits(const RetainedLimits& limits) {
    // SIZE_MAX: a limit that is never reached needs no case of its own.
    count_max_.store(limits.count_max == 0 ? SIZE_MAX : limits.count_max);
    bytes_max_.store(limits.bytes_max == 0 ? SIZE_MAX : limits.bytes_max);
}

RetainedStore::Usage& RetainedStore::usage_of(std::string_view topic) {
    return topic.starts_with("$SYS/") ? of_broker_ : of_clients_;
}

RetainedStore::SetResult RetainedStore::account(const Message* before, const Message& message) {
    Usage& usage = usage_of(message.topic());
    const bool limited = &usage == &of_clients_;
    const std::size_t more = message.bytes();
    const std::size_t less = before ? before->bytes() : 0;
    const std::size_t one = before ? 0 : 1;
    // Take first, then look: two shards at once may both be refused the last place, but never both
    // get it. What makes the store smaller is always welcome.
    const std::size_t count = usage.count.fetch_add(one) + one;
    if (one != 0 && limited && count > count_max_.load(std::memory_order_relaxed)) {
        usage.count.fetch_sub(one);
        return {Outcome::over_count, 0};
    }
    const std::size_t bytes = usage.bytes.fetch_add(more - less) + (more - less);
    if (more > less && limited && bytes > bytes_max_.load(std::memory_order_relaxed)) {
        usage.bytes.fetch_sub(more - less);
        usage.count.fetch_sub(one);
        return {Outcome::over_bytes, 0};
    }
    return {before ? Outcome::replaced : Outcome::added, static_cast<std::int64_t>(more - less)};
}

RetainedStore::SetResult RetainedStore::set(const MessageRef& message,
                                            const PublisherRef& publisher) {
    MessageRef before;  // Freed after the lock.
    return stripes_[stripe_of(message->topic())].with([&](TopicTree& tree) {
        const SetResult result = account(tree.find(message->topic()), *message);
        if (!result.is_accepted()) return result;
        before = tree.put({message, publisher});
        if (before) before->supersede();
        return result;
    });
}

std::size_t RetainedStore::take(TopicTree& tree, std::string_view topic) {
    const MessageRef taken = tree.take(topic);
    taken->supersede();
    Usage& usage = usage_of(topic);
    usage.count.fetch_sub(1);
    usage.bytes.fetch_sub(taken->bytes());
    return taken->bytes();
}

std::size_t RetainedStore::clear(std::string_view topic) {
    if (count() == 0) return 0;
    return stripes_[stripe_of(topic)].with(
        [&](TopicTree& tree) -> std::size_t { return tree.find(topic) ? take(tree, topic) : 0; });
}

MessageRef RetainedStore::find(std::string_view topic) const {
    if (count() == 0) return {};
    return stripes_[stripe_of(topic)].read([&](const TopicTree& tree) {
        const Message* const message = tree.find(topic);
        return message ? share(*message) : MessageRef{};
    });
}

// A newer message may have come since its reader let the lock go.
std::size_t RetainedStore::drop(Stripe& stripe, const std::vector<MessageRef>& expired) {
    if (expired.empty()) return 0;
    return stripe.with([&](TopicTree& tree) {
        std::size_t dropped = 0;
        for (const MessageRef& message : expired) {
            if (tree.find(message->topic()) != message.get()) continue;
            take(tree, message->topic());
            ++dropped;
        }
        return dropped;
    });
}

template <typename Found>
void RetainedStore::collect_part(std::size_t part, std::string_view filter,
                                 std::int64_t now_wall_ms, std::vector<Found>& out) {
    ASSERT(part < part_count);
    Stripe& stripe = stripes_[part];
    std::vector<const Retained*> found;
    std::vector<MessageRef> expired;
    stripe.read([&](const TopicTree& tree) {
        if (tree.size() == 0) return;
        tree.collect(filter, found);
        append_shared(found, now_wall_ms, out, expired);
    });
    drop(stripe, expired);
}

template <typename Found>
void RetainedStore::collect(std::string_view filter, std::int64_t now_wall_ms,
                            std::vector<Found>& out) {
    if (count() == 0) return;
    if (!mqtt::has_wildcard(filter)) {
        collect_part(stripe_of(filter), filter, now_wall_ms, out);
        return;
    }
    for (std::size_t part = 0; part < part_count; ++part) {
        collect_part(part, filter, now_wall_ms, out);
    }
}

template void RetainedStore::collect(std::string_view, std::int64_t, std::vector<MessageRef>&);
template void RetainedStore::collect(std::string_view, std::int64_t, std::vector<Retained>&);
template void RetainedStore::collect_part(std::size_t, std::string_view, std::int64_t,
                                          std::vector<MessageRef>&);
template void RetainedStore::collect_part(std::size_t, std::string_view, std::int64_t,
                                          std::vector<Retained>&);

std::size_t RetainedStore::drop_expired(std::int64_t now_wall_ms) {
    Stripe& stripe = stripes_[next_to_drop_.fetch_add(1) % stripe_count];
    std::vector<MessageRef> expired;
    stripe.read([&](const TopicTree& tree) {
        if (tree.expiring() > 0) tree.collect_expired(now_wall_ms, expired);
    });
    return drop(stripe, expired);
}

}  // namespace broker
