#include "auth/sql_users.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace auth {

void SqlUsers::use(std::vector<std::unique_ptr<SqlSource>> sources,
                   std::vector<std::size_t> source_of_realm) {
    ASSERT(sources_.empty());
    sources_ = std::move(sources);
    source_of_realm_ = std::move(source_of_realm);
}

SqlSource* SqlUsers::source_of(std::uint32_t realm) const {
    if (realm >= source_of_realm_.size() || source_of_realm_[realm] == none) return nullptr;
    return sources_[source_of_realm_[realm]].get();
}

bool SqlUsers::has_all_rules() const {
    // No listener is of realm 0.
    for (std::uint32_t realm = 1; realm < source_of_realm_.size(); ++realm) {
        const SqlSource* const source = source_of(realm);
        if (source == nullptr || !source->has_rules()) return false;
    }
    return source_of_realm_.size() > 1;
}

broker::AuthBegun SqlUsers::begin(const broker::Credentials& credentials) {
    SqlSource* const source = source_of(credentials.realm);
    if (source != nullptr && !credentials.method && credentials.user_name) {
        return source->begin(credentials);
    }
    broker::AuthAnswer answer = broker::AuthAnswer::pass_on();
    if (credentials.method) answer.reason = mqtt::ReasonCode::bad_authentication_method;
    return {std::move(answer), nullptr};
}

void SqlUsers::finish() {
    for (const auto& source : sources_) source->finish();
}

namespace {

bool allows(SqlSource& source, const broker::AccessRequest& request) {
    const SqlRights::Verdict verdict = source.judge(request);
    if (verdict == SqlRights::Verdict::unknown) source.look_up(request);
    return verdict == SqlRights::Verdict::allowed;
}

}  // namespace

bool SqlAuthorizer::is_allowed(const broker::AccessRequest& request) {
    if (request.realm != 0) {
        SqlSource* const source = users_.source_of(request.realm);
        if (source == nullptr || !source->has_rules()) return others_.is_allowed(request);
        return allows(*source, request);
    }
    // After a restart nobody knows by which listener a session came, until its client is back: all
    // have to allow it.
    for (const auto& source : users_.sources()) {
        if (source->has_rules() && !allows(*source, request)) return false;
    }
    return users_.has_all_rules() || others_.is_allowed(request);
}

bool SqlAuthorizer::allows_everything() const {
    const auto& sources = users_.sources();
    return std::none_of(sources.begin(), sources.end(),
                        [](const auto& source) { return source->has_rules(); }) &&
           others_.allows_everything();
}

std::string SqlAuthorizer::explain(const broker::AccessRequest& request) {
    const SqlSource* const source = users_.source_of(request.realm);
    if (source == nullptr || !source->has_rules()) return others_.explain(request);
    return source->explain(request);
}

}  // namespace auth
