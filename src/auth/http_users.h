// Users whom services are asked for over HTTP, each listener by its own or by none.
//
// Owned by server/, and outlives the connections. Threads: begin() by each shard, which does not
// wait; use() and finish() by one.
#pragma once

#include <cstdint>
#include <utility>

#include "auth/http_source.h"
#include "auth/realm_sources.h"
#include "auth/user_source.h"

namespace auth {

class HttpUsers : public UserSource {
public:
    // In place of what was there before, which is returned; see SourcesInUse.
    RetiredSources<HttpSource> use(NewSources<HttpSource> wanted) {
        return sources_.use(std::move(wanted));
    }

    bool has_users(std::uint32_t realm) const override { return sources().of(realm) != nullptr; }
    broker::AuthBegun begin(const broker::Credentials& credentials) override {
        return begin_by_name(sources().of(credentials.realm), credentials);
    }
    const RealmSources<HttpSource>& sources() const { return sources_.get(); }
    void finish() { sources_.finish(); }

private:
    SourcesInUse<HttpSource> sources_;
};

}  // namespace auth
