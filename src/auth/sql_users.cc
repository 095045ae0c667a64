#include "auth/sql_users.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace auth {

void SqlUsers::use(RealmSources<SqlSource> sources) {
    ASSERT(sources_.all().empty());
    sources_ = std::move(sources);
}

bool SqlUsers::has_all_rules() const {
    // No listener is of realm 0.
    for (std::uint32_t realm = 1; realm < sources_.realms(); ++realm) {
        const SqlSource* const source = sources_.of(realm);
        if (source == nullptr || !source->has_rules()) return false;
    }
    return sources_.realms() > 1;
}

void SqlUsers::inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) {
    SqlSource* const source = sources_.of(inquiry.realm);
    if (source == nullptr) return done({.passes_on = true});
    source->inquire_user(inquiry, done);
}

namespace {

bool allows(SqlSource& source, const broker::AccessRequest& request) {
    const KnownClients::Verdict verdict = source.judge(request);
    if (verdict != KnownClients::Verdict::unknown) return verdict == KnownClients::Verdict::allowed;
    source.look_up(request);
    return request.if_unknown;
}

}  // namespace

bool SqlAuthorizer::is_allowed(const broker::AccessRequest& request) {
    if (request.realm != 0) {
        SqlSource* const source = users_.sources().of(request.realm);
        if (source == nullptr || !source->has_rules()) return others_.is_allowed(request);
        return allows(*source, request);
    }
    // After a restart nobody knows by which listener a session came, until its client is back: all
    // have to allow it, unless who asks would rather have no answer. Realm 0 is among them.
    if (request.if_unknown && users_.sources().realms() > 2) return true;
    for (const auto& source : users_.sources().all()) {
        if (source->has_rules() && !allows(*source, request)) return false;
    }
    return users_.has_all_rules() || others_.is_allowed(request);
}

bool SqlAuthorizer::allows_everything() const {
    const auto& sources = users_.sources().all();
    return std::none_of(sources.begin(), sources.end(),
                        [](const auto& source) { return source->has_rules(); }) &&
           others_.allows_everything();
}

std::string SqlAuthorizer::explain(const broker::AccessRequest& request) {
    const SqlSource* const source = users_.sources().of(request.realm);
    if (source == nullptr || !source->has_rules()) return others_.explain(request);
    return source->explain(request);
}

void SqlAuthorizer::inquire(const broker::Inquiry& inquiry, const broker::OnRuling& done) {
    SqlSource* const source = users_.sources().of(inquiry.realm);
    if (source == nullptr || !source->has_rules()) return others_.inquire(inquiry, done);
    source->inquire_rights(inquiry, done);
}

}  // namespace auth
