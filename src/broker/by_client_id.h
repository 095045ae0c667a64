// Hashes and compares sessions by their client ids, so that a set of them is searched by an id and
// keeps it once.
//
// Without state. Thread: any.
#pragma once

#include <memory>
#include <string_view>

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

}  // namespace broker
