#include "auth/sql_users.h"

#include <algorithm>

namespace auth {

void SqlUsers::inquire(const broker::Inquiry& inquiry, const OnUserRuling& done) {
    SqlSource* const source = sources().of(inquiry.realm);
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

// Each realm has a database, and rules in it.
bool have_all_rules(const RealmSources<SqlSource>& sources) {
    // No listener is of realm 0.
    for (std::uint32_t realm = 1; realm < sources.realms(); ++realm) {
        const SqlSource* const source = sources.of(realm);
        if (source == nullptr || !source->has_rules()) return false;
    }
    return sources.realms() > 1;
}

}  // namespace

bool SqlAuthorizer::is_allowed(const broker::AccessRequest& request) {
    return with_sources([&](const Sources& sources) { return is_allowed(sources, request); });
}

bool SqlAuthorizer::is_allowed(const Sources& sources, const broker::AccessRequest& request) {
    if (request.realm != 0) {
        SqlSource* const source = sources.of(request.realm);
        if (source == nullptr || !source->has_rules()) return others_.is_allowed(request);
        return allows(*source, request);
    }
    // After a restart nobody knows by which listener a session came, until its client is back: all
    // have to allow it, unless who asks would rather have no answer. Realm 0 is among them.
    if (request.if_unknown && sources.realms() > 2) return true;
    for (SqlSource* const source : sources.all()) {
        if (source->has_rules() && !allows(*source, request)) return false;
    }
    return have_all_rules(sources) || others_.is_allowed(request);
}

bool SqlAuthorizer::allows_everything() const {
    return with_sources([&](const Sources& sources) {
        return std::ranges::none_of(sources.all(), &SqlSource::has_rules) &&
               others_.allows_everything();
    });
}

// What has no rules in a database is the others' to judge. If databases take their place meanwhile,
// theirs may be gone: then it is judged again.
template <typename Judge>
bool SqlAuthorizer::with_sources(const Judge& judge) const {
    for (;;) {
        const Sources& sources = users_.sources();
        const bool is_allowed = judge(sources);
        if (&users_.sources() == &sources) return is_allowed;
    }
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
