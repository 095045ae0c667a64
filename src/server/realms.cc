#include "server/realms.h"

#include <algorithm>

namespace server {
namespace {

constexpr std::uint32_t none = 0;

// The number of the realm with these options that a listener has already.
std::uint32_t find(const Realms& realms, const config::Security& security) {
    const auto found = std::find_if(
        realms.all.begin(), realms.all.end(),
        [&](const Realms::Realm& realm) { return realm.in_use && realm.security == security; });
    if (found == realms.all.end()) return none;
    return static_cast<std::uint32_t>(found - realms.all.begin()) + 1;
}

std::uint32_t number_for(Realms& realms, const RealmWanted& listener, bool share) {
    if (listener.before != none && !realms.all[listener.before - 1].in_use) {
        realms.all[listener.before - 1] = {*listener.security, true};
        return listener.before;
    }
    if (const std::uint32_t shared = find(realms, *listener.security); share && shared != none) {
        return shared;
    }
    realms.all.push_back({*listener.security, true});
    return static_cast<std::uint32_t>(realms.all.size());
}

}  // namespace

Realms renumbered(const Realms& before, std::span<const RealmWanted> listeners, bool share) {
    Realms realms{.all = before.all, .of_listener = std::vector<std::uint32_t>(listeners.size())};
    for (Realms::Realm& realm : realms.all) realm.in_use = false;
    for (const bool is_new : {false, true}) {
        for (std::size_t i = 0; i < listeners.size(); ++i) {
            if ((listeners[i].before == none) != is_new) continue;
            realms.of_listener[i] = number_for(realms, listeners[i], share);
        }
    }
    return realms;
}

}  // namespace server
