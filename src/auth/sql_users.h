// Users in SQL databases: who of them may come in, and what they may do, each listener by its own
// database or by none.
//
// Owned by server/, and outlives the connections. Threads: begin() and is_allowed() by each shard;
// neither waits, nor takes a lock to find the database; use() and finish() by one.
#pragma once

#include <cstdint>

#include "auth/realm_sources.h"
#include "auth/sql_source.h"
#include "auth/user_source.h"

namespace auth {

class SqlUsers : public UserSource {
public:
    // In place of what was there before, which is returned; see SourcesInUse.
    RetiredSources<SqlSource> use(NewSources<SqlSource> wanted) {
        return sources_.use(std::move(wanted));
    }

    bool has_users(std::uint32_t realm) const override { return sources().of(realm) != nullptr; }
    broker::AuthBegun begin(const broker::Credentials& credentials) override {
        return begin_by_name(sources().of(credentials.realm), credentials);
    }
    void inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) override;
    const RealmSources<SqlSource>& sources() const { return sources_.get(); }
    void finish() { sources_.finish(); }

private:
    SourcesInUse<SqlSource> sources_;
};

// Where a database has rules, they decide; a client without a name has none there. A client of
// which no database has been asked, since it came in otherwise or before a restart, may do nothing
// until it has been, which takes a moment. After a reload that put one database in the place of
// another, the rules of that one hold for the clients that it knew until theirs have been read.
class SqlAuthorizer : public broker::Authorizer {
public:
    SqlAuthorizer(SqlUsers& users, broker::Authorizer& others) : users_(users), others_(others) {}

    bool is_allowed(const broker::AccessRequest& request) override;
    bool allows_everything() const override;
    std::string explain(const broker::AccessRequest& request) override;
    void inquire(const broker::Inquiry& inquiry, const broker::OnRuling& done) override;

private:
    using Sources = RealmSources<SqlSource>;

    template <typename Judge>
    bool with_sources(const Judge& judge) const;
    bool is_allowed(const Sources& sources, const broker::AccessRequest& request);

    SqlUsers& users_;
    broker::Authorizer& others_;
};

}  // namespace auth
