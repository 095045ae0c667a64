// Which listeners share their users and rights. The broker asks authenticators and authorizers by
// the number of a realm, and sessions remember it.
//
// Without per_listener_settings all listeners are one realm, with it each has its own. A number is
// never given to others: a listener that has other options after a reload keeps its realm, so that
// they count for its clients at once. Realms without listeners stay, for the sessions of their
// clients.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/listener.h"

namespace server {

struct Realms {
    struct Realm {
        config::Security security;
        bool in_use = true;  // There is a listener of it.
    };

    std::vector<Realm> all;                  // By number, less 1.
    std::vector<std::uint32_t> of_listener;  // In the order of who asked.
};

struct RealmWanted {
    const config::Security* security = nullptr;
    std::uint32_t before = 0;  // The listener's realm until now; 0: there was no such listener.
};

// What `before`, which may be empty, becomes for these listeners; `share`: per_listener_settings is
// off.
Realms renumbered(const Realms& before, std::span<const RealmWanted> listeners, bool share);

}  // namespace server
