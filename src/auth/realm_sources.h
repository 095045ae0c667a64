// Which of several sources of users outside, databases or services, is asked for a listener: by its
// realm. Listeners with the same options share one.
//
//     RealmSources   the table: never changed, a reload puts another one in its place
//     SourcesInUse   the table that counts, and the sources that it names
//
// Owned by who asks. Threads: every shard reads the table, without a lock; use(), all() of the
// owner and finish() are for one thread. A shard that has taken up a table may go on with it to the
// end of its task: who takes a table out of use has to see every shard through a task before it
// destroys what use() has returned.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "broker/authenticator.h"

namespace auth {

template <typename Source>
class RealmSources {
public:
    static constexpr std::size_t none = SIZE_MAX;

    RealmSources() = default;
    // `of_realm` has for the realms 0, 1, ... a number of a source, or none.
    RealmSources(std::vector<Source*> all, std::vector<std::size_t> of_realm)
        : all_(std::move(all)), of_realm_(std::move(of_realm)) {}

    // none, if the realm has none.
    std::size_t index_of(std::uint32_t realm) const {
        return realm < of_realm_.size() ? of_realm_[realm] : none;
    }
    // Null if the realm has none.
    Source* of(std::uint32_t realm) const {
        const std::size_t index = index_of(realm);
        return index == none ? nullptr : all_[index];
    }
    const std::vector<Source*>& all() const { return all_; }
    // Realm 0 among them, which is no listener's.
    std::size_t realms() const { return of_realm_.size(); }
    bool operator==(const RealmSources&) const = default;

private:
    std::vector<Source*> all_;
    std::vector<std::size_t> of_realm_;
};

// A table that is to be used, and those of its sources that are new.
template <typename Source>
struct NewSources {
    RealmSources<Source> table{};
    std::vector<std::unique_ptr<Source>> fresh{};
};

// What is not used any more.
template <typename Source>
struct RetiredSources {
    std::unique_ptr<const RealmSources<Source>> table{};
    std::vector<std::unique_ptr<Source>> sources{};

    bool is_empty() const { return !table; }
};

template <typename Source>
class SourcesInUse {
public:
    SourcesInUse() = default;
    SourcesInUse(const SourcesInUse&) = delete;
    SourcesInUse& operator=(const SourcesInUse&) = delete;
    ~SourcesInUse() = default;

    const RealmSources<Source>& get() const { return *now_.load(std::memory_order_acquire); }

    // Nothing is returned where nothing has changed.
    RetiredSources<Source> use(NewSources<Source> wanted) {
        RetiredSources<Source> retired;
        if (wanted.table == get()) return retired;
        retired.table = std::exchange(
            table_, std::make_unique<const RealmSources<Source>>(std::move(wanted.table)));
        now_.store(table_.get(), std::memory_order_release);
        for (auto& source : wanted.fresh) owned_.push_back(std::move(source));
        const auto is_named = [&](const std::unique_ptr<Source>& source) {
            return std::ranges::find(table_->all(), source.get()) != table_->all().end();
        };
        const auto unused = std::stable_partition(owned_.begin(), owned_.end(), is_named);
        std::move(unused, owned_.end(), std::back_inserter(retired.sources));
        owned_.erase(unused, owned_.end());
        return retired;
    }
    void finish() const {
        for (const auto& source : owned_) source->finish();
    }

private:
    const RealmSources<Source> nothing_{};
    std::vector<std::unique_ptr<Source>> owned_;
    std::unique_ptr<const RealmSources<Source>> table_;  // Null before the first use().
    std::atomic<const RealmSources<Source>*> now_{&nothing_};
};

// Asks the source who gives a name and no method; others are none of its users.
template <typename Source>
broker::AuthBegun begin_by_name(Source* source, const broker::Credentials& credentials) {
    if (source != nullptr && !credentials.method && credentials.user_name) {
        return source->begin(credentials);
    }
    broker::AuthAnswer answer = broker::AuthAnswer::pass_on();
    if (credentials.method) answer.reason = mqtt::ReasonCode::bad_authentication_method;
    return {std::move(answer), nullptr};
}

}  // namespace auth
