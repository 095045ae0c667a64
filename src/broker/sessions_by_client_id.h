// The sessions of a shard, by their client ids. A session is its own key, so that a client id is
// kept once.
//
// Owned by a Shard; thread: its own.
#pragma once

#include <memory>
#include <string_view>
#include <unordered_set>

#include "base/hash.h"
#include "broker/session.h"

namespace broker {

struct ByClientId {
    using is_transparent = void;
    static std::string_view key(std::string_view client_id) { return client_id; }
    static std::string_view key(const std::unique_ptr<Session>& session) {
        return session->client_id();
    }
    std::size_t operator()(const auto& one) const { return base::hash(key(one)); }
    bool operator()(const auto& one, const auto& other) const { return key(one) == key(other); }
};

using SessionsByClientId = std::unordered_set<std::unique_ptr<Session>, ByClientId, ByClientId>;

}  // namespace broker
