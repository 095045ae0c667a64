// The subscription identifiers that one delivery carries [MQTT-3.3.4-3]: almost always none or one,
// so eight bytes, and a vector only for overlapping subscriptions.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace broker {

class SubscriptionIds {
public:
    SubscriptionIds() = default;
    SubscriptionIds(SubscriptionIds&& other) noexcept : word_(other.word_) { other.word_ = 0; }
    SubscriptionIds& operator=(SubscriptionIds&& other) noexcept {
        std::swap(word_, other.word_);
        return *this;
    }
    SubscriptionIds(const SubscriptionIds& other) : word_(other.word_) {
        if (other.many()) word_ = tag(new std::vector<std::uint32_t>(*other.many()));
    }
    SubscriptionIds& operator=(const SubscriptionIds& other) {
        return *this = SubscriptionIds(other);
    }
    ~SubscriptionIds() { delete many(); }

    bool empty() const { return word_ == 0; }
    // `id` is 1 .. 268,435,455; 0 (a subscription without an identifier) is ignored.
    void add(std::uint32_t id) {
        if (id == 0) return;
        if (word_ == 0) {
            word_ = std::uint64_t{id} << 1 | 1;
        } else if (many()) {
            many()->push_back(id);
        } else {
            const auto first = static_cast<std::uint32_t>(word_ >> 1);
            word_ = tag(new std::vector<std::uint32_t>{first, id});
        }
    }
    template <typename Each>
    void for_each(Each&& each) const {
        if (many()) {
            for (const std::uint32_t id : *many()) each(id);
        } else if (word_ != 0) {
            each(static_cast<std::uint32_t>(word_ >> 1));
        }
    }

private:
    // Odd: one identifier, shifted left. Even: a vector's address. 0: none.
    static std::uint64_t tag(std::vector<std::uint32_t>* ids) {
        return std::bit_cast<std::uint64_t>(ids);
    }
    std::vector<std::uint32_t>* many() const {
        return word_ & 1 ? nullptr : std::bit_cast<std::vector<std::uint32_t>*>(word_);
    }
    std::uint64_t word_ = 0;
};

}  // namespace broker
