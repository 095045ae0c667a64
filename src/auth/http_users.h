// Users whom services are asked for over HTTP, each listener by its own or by none.
//
// Owned by server/, and outlives the connections. Threads: begin() by each shard; it does not wait.
#pragma once

#include <cstdint>
#include <utility>

#include "auth/http_source.h"
#include "auth/realm_sources.h"
#include "auth/user_source.h"

namespace auth {

class HttpUsers : public UserSource {
public:
    // Before the first begin().
    void use(RealmSources<HttpSource> sources) { sources_ = std::move(sources); }

    bool has_users(std::uint32_t realm) const override { return sources_.of(realm) != nullptr; }
    broker::AuthBegun begin(const broker::Credentials& credentials) override {
        return begin_by_name(sources_.of(credentials.realm), credentials);
    }
    const RealmSources<HttpSource>& sources() const { return sources_; }
    void finish() { sources_.finish(); }

private:
    RealmSources<HttpSource> sources_;
};

}  // namespace auth
