// Which of several sources of users outside, databases or services, is asked for a listener: by its
// realm. Listeners with the same options share one.
//
// Complete before the shards run, and not changed any more.
#pragma once

#include <cstdint>
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
    RealmSources(std::vector<std::unique_ptr<Source>> all, std::vector<std::size_t> of_realm)
        : all_(std::move(all)), of_realm_(std::move(of_realm)) {}

    // Null if the realm has none.
    Source* of(std::uint32_t realm) const {
        if (realm >= of_realm_.size() || of_realm_[realm] == none) return nullptr;
        return all_[of_realm_[realm]].get();
    }
    const std::vector<std::unique_ptr<Source>>& all() const { return all_; }
    // Realm 0 among them, which is no listener's.
    std::size_t realms() const { return of_realm_.size(); }
    void finish() const {
        for (const auto& source : all_) source->finish();
    }

private:
    std::vector<std::unique_ptr<Source>> all_;
    std::vector<std::size_t> of_realm_;
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
