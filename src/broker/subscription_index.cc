#include "broker/subscription_index.h"

#include <vector>

namespace broker {

// Two subscriptions or more. A long list has an index from session to position, so that a filter
// with 100,000 subscribers is not searched for each that leaves.
class SubscriptionIndex::Subscribers::List {
public:
    std::span<const Subscription> all() const { return all_; }
    std::size_t size() const { return all_.size(); }

    const Subscription* find(SessionId session) const {
        const std::size_t at = position(session);
        return at == all_.size() ? nullptr : &all_[at];
    }
    bool replace(const Subscription& subscription) {
        const std::size_t at = position(subscription.session);
        if (at == all_.size()) return false;
        all_[at] = subscription;
        return true;
    }
    void add(const Subscription& subscription) {
        all_.push_back(subscription);
        if (positions_.size() > 0) {
            index(all_.size() - 1);
        } else if (all_.size() > scanned_max) {
            for (std::size_t at = 0; at < all_.size(); ++at) index(at);
        }
    }
    // The last one takes its place.
    bool remove(SessionId session) {
        const std::size_t at = position(session);
        if (at == all_.size()) return false;
        const std::size_t last = all_.size() - 1;
        if (positions_.size() > 0) {
            positions_.erase(hash(session), number(at));
            if (at != last) positions_.renumber(hash(all_[last].session), number(last), number(at));
        }
        all_[at] = all_[last];
        all_.pop_back();
        if (all_.capacity() > 4 * scanned_max && all_.size() * 4 < all_.capacity()) {
            all_.shrink_to_fit();
        }
        return true;
    }

private:
    // 192 bytes: read faster than hashed.
    static constexpr std::size_t scanned_max = 16;

    // Ids are ours, so nobody can choose them to collide.
    static std::uint64_t hash(SessionId session) {
        return static_cast<std::uint32_t>(session) * 0x9E3779B97F4A7C15ULL;
    }
    static std::uint32_t number(std::size_t at) { return static_cast<std::uint32_t>(at); }

    void index(std::size_t at) { positions_.insert(hash(all_[at].session), number(at)); }
    std::size_t position(SessionId session) const {
        if (positions_.size() > 0) {
            const std::uint32_t at = positions_.find(
                hash(session), [&](std::uint32_t i) { return all_[i].session == session; });
            return at == HashIndex::none ? all_.size() : at;
        }
        std::size_t at = 0;
        while (at < all_.size() && all_[at].session != session) ++at;
        return at;
    }

    std::vector<Subscription> all_;
    HashIndex positions_;  // Empty while the list is short, and until it is empty once it is not.
};

SubscriptionIndex::Subscribers::Subscribers() = default;
SubscriptionIndex::Subscribers::Subscribers(Subscribers&& other) noexcept = default;
SubscriptionIndex::Subscribers& SubscriptionIndex::Subscribers::operator=(
    Subscribers&& other) noexcept = default;
SubscriptionIndex::Subscribers::~Subscribers() = default;

std::span<const Subscription> SubscriptionIndex::Subscribers::all() const {
    if (list_) return list_->all();
    return {&one_, has_one_ ? 1U : 0U};
}

const Subscription* SubscriptionIndex::Subscribers::find(SessionId session) const {
    if (list_) return list_->find(session);
    return has_one_ && one_.session == session ? &one_ : nullptr;
}

bool SubscriptionIndex::Subscribers::replace(const Subscription& subscription) {
    if (list_) return list_->replace(subscription);
    if (!has_one_ || one_.session != subscription.session) return false;
    one_ = subscription;
    return true;
}

void SubscriptionIndex::Subscribers::add(const Subscription& subscription) {
    if (!list_ && !has_one_) {
        one_ = subscription;
        has_one_ = true;
        return;
    }
    if (!list_) {
        list_ = std::make_unique<List>();
        list_->add(one_);
        has_one_ = false;
    }
    list_->add(subscription);
}

bool SubscriptionIndex::Subscribers::remove(SessionId session) {
    if (list_) {
        if (!list_->remove(session)) return false;
        if (list_->size() == 1) {
            one_ = list_->all()[0];
            has_one_ = true;
            list_.reset();
        }
        return true;
    }
    if (!has_one_ || one_.session != session) return false;
    has_one_ = false;
    return true;
}

SubscriptionIndex::AddResult SubscriptionIndex::add(std::string_view filter,
                                                    const Subscription& subscription) {
    const auto [subscribers, is_first] = filters_.insert(filter);
    if (!is_first && subscribers.replace(subscription)) return {false, false};
    subscribers.add(subscription);
    ++size_;
    return {true, is_first};
}

SubscriptionIndex::RemoveResult SubscriptionIndex::remove(std::string_view filter,
                                                          SessionId session) {
    Subscribers* const subscribers = filters_.find(filter);
    if (!subscribers || !subscribers->remove(session)) return {false, false};
    --size_;
    const bool was_last = subscribers->empty();
    if (was_last) filters_.erase(filter);
    return {true, was_last};
}

const Subscription* SubscriptionIndex::find(std::string_view filter, SessionId session) const {
    const Subscribers* const subscribers = filters_.find(filter);
    return subscribers ? subscribers->find(session) : nullptr;
}

}  // namespace broker
