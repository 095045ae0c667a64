// SqlSource: what people want to know about a user.
#include <fmt/format.h>

#include "auth/peer_address.h"
#include "auth/sql_source.h"

namespace auth {
namespace {

using broker::Inquiry;
using broker::Ruling;

constexpr const char* too_many_wait = "too many wait for the database";
constexpr const char* has_gone = "a reload has put another database in place of the one asked";

SqlValues values_of(const Inquiry& inquiry) {
    return {.user_name = inquiry.user_name.value_or(""),
            .client_id = inquiry.client_id,
            .peer_host = std::string(host_of(inquiry.peer))};
}

std::string_view word_for(broker::Access access) {
    switch (access) {
        case broker::Access::publish:
            return "publish";
        case broker::Access::subscribe:
            return "subscribe";
        case broker::Access::receive:
            return "receive";
    }
    return "?";
}

}  // namespace

void SqlSource::inquire_user(const Inquiry& inquiry, const OnUserRuling& done) {
    const bool is_asked = database_.ask(
        inquiry.shard,
        [this, inquiry, done](std::size_t worker) {
            return [done, ruling = rule_on_user(worker, inquiry)] { done(ruling); };
        },
        [done] { done({.ruling = {.because = has_gone}}); });
    if (!is_asked) done({.ruling = {.because = too_many_wait}});
}

UserRuling SqlSource::rule_on_user(std::size_t worker, const Inquiry& inquiry) {
    const auto user = read_user(worker, values_of(inquiry));
    const std::string name = fmt::format("database {}", settings_.name);
    if (!user) return {.ruling = {.because = fmt::format("{}: {}", name, user.error())}};
    if (!*user) return {.passes_on = true, .ruling = {.because = name}};
    const std::string who = fmt::format("user '{}' of {}", *inquiry.user_name, name);
    if (!(*user)->is_enabled) {
        return {.ruling = {.because = who + " is not enabled",
                           .remedy = "a row whose column enabled says yes"}};
    }
    const auto& client_id = (*user)->client_id;
    if (client_id && *client_id != inquiry.client_id) {
        return {.ruling = {
                    .because = fmt::format("{} may have the client id '{}' only", who, *client_id),
                    .remedy = fmt::format("the client id '{}'", *client_id)}};
    }
    return {.ruling = {.is_allowed = true,
                       .because = fmt::format("{}{}, with the right password", who,
                                              (*user)->is_super ? ", a superuser" : "")}};
}

void SqlSource::inquire_rights(const Inquiry& inquiry, const broker::OnRuling& done) {
    if (inquiry.user_name.value_or("").empty()) {
        return done({.because = "a client without a user name has no rows in the database",
                     .remedy = "a user name"});
    }
    const bool is_asked = database_.ask(
        inquiry.shard,
        [this, inquiry, done](std::size_t worker) {
            return [done, ruling = rule_on_rights(worker, inquiry)] { done(ruling); };
        },
        [done] { done({.because = has_gone}); });
    if (!is_asked) done({.because = too_many_wait});
}

Ruling SqlSource::rule_on_rights(std::size_t worker, const Inquiry& inquiry) {
    const SqlValues values = values_of(inquiry);
    const std::string name = fmt::format("database {}", settings_.name);
    const auto user = read_user(worker, values);
    if (!user) return {.because = fmt::format("{}: {}", name, user.error())};
    if (!*user || !(*user)->is_enabled) {
        return {.because = fmt::format("{} has no such user that is enabled", name),
                .remedy = "a row of the userquery"};
    }
    if ((*user)->is_super) {
        return {.is_allowed = true, .because = fmt::format("a superuser of {}", name)};
    }
    const auto rules = read_rules(worker, **user, values);
    if (!rules) return {.because = fmt::format("{}: {}", name, rules.error())};
    Ruling ruling{
        .is_allowed = rules->allows(inquiry.access, inquiry.topic),
        .because = fmt::format("{}: {}", name, rules->explain(inquiry.access, inquiry.topic))};
    if (ruling.is_allowed) return ruling;
    const std::string_view word = word_for(inquiry.access);
    ruling.remedy =
        rules->forbids(inquiry.access, inquiry.topic)
            ? std::string("nothing, while the row that denies is there")
            : fmt::format(
                  "a row of the aclquery that allows {} of it; in the tables of nightjar "
                  "sql init: nightjar sql grant '{}' {} '{}'",
                  word, values.user_name,
                  inquiry.access == broker::Access::receive ? "subscribe" : word, inquiry.topic);
    return ruling;
}

}  // namespace auth
