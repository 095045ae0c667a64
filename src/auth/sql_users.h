// Users in SQL databases: who of them may come in, and what they may do, each listener by its own
// database or by none.
//
// Owned by server/, and outlives the connections. Threads: begin() and is_allowed() by each shard;
// neither waits.
#pragma once

#include <cstdint>

#include "auth/realm_sources.h"
#include "auth/sql_source.h"
#include "auth/user_source.h"

namespace auth {

class SqlUsers : public UserSource {
public:
    // Before the first begin().
    void use(RealmSources<SqlSource> sources);

    bool has_users(std::uint32_t realm) const override { return sources_.of(realm) != nullptr; }
    broker::AuthBegun begin(const broker::Credentials& credentials) override {
        return begin_by_name(sources_.of(credentials.realm), credentials);
    }
    void inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) override;
    const RealmSources<SqlSource>& sources() const { return sources_; }
    // True if each realm has a database, and rules in it.
    bool has_all_rules() const;
    void finish() { sources_.finish(); }

private:
    RealmSources<SqlSource> sources_;
};

// Where a database has rules, they decide; a client without a name has none there. A client of
// which the database has not been asked, since it came in otherwise or before a restart, may do
// nothing until it has been, which takes a moment.
class SqlAuthorizer : public broker::Authorizer {
public:
    SqlAuthorizer(SqlUsers& users, broker::Authorizer& others) : users_(users), others_(others) {}

    bool is_allowed(const broker::AccessRequest& request) override;
    bool allows_everything() const override;
    std::string explain(const broker::AccessRequest& request) override;
    void inquire(const broker::Inquiry& inquiry, const broker::OnRuling& done) override;

private:
    SqlUsers& users_;
    broker::Authorizer& others_;
};

}  // namespace auth
