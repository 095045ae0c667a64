#include "server/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "broker/reason_text.h"
#include "mqtt/topic.h"

namespace server {
namespace {

using admin::Question;
using broker::Inquiry;
using broker::Ruling;

bool is_named(const Door& door, const std::string& name) {
    if (!door.configured.unix_path.empty()) return door.configured.unix_path == name;
    return fmt::to_string(door.options.port) == name;
}

std::string describe(const Door& door, const Question& question, std::size_t doors) {
    if (!question.listener.empty() || doors == 1) return door.place();
    return fmt::format("{}, the first of {} listeners", door.place(), doors);
}

// Of the rights, the topic is below the mount point.
Inquiry inquiry_of(const Question& question, const Door& door) {
    const broker::ListenerOptions& options = door.options;
    const auto shared = question.access == broker::Access::subscribe
                            ? mqtt::split_shared(question.topic)
                            : std::nullopt;
    Inquiry inquiry{.client_id = question.client_id,
                    .user_name = question.user,
                    .peer = question.address + ":0",
                    .topic = options.mount_point,
                    .access = question.access,
                    .realm = options.realm,
                    .listener_allows_anonymous = options.allow_anonymous};
    inquiry.topic += shared ? shared->filter : std::string_view(question.topic);
    if (options.use_user_name_as_client_id && question.user) inquiry.client_id = *question.user;
    return inquiry;
}

// What is judged before anybody is asked for the user; nothing: that is next.
std::optional<Ruling> judge_names(const Inquiry& inquiry, const Door& door,
                                  const config::Config& config) {
    const broker::ListenerOptions& options = door.options;
    const std::string& prefix = config.clientid_prefixes;
    if (options.use_user_name_as_client_id && inquiry.user_name.value_or("").empty()) {
        return Ruling{.because = "use_username_as_clientid is true, and there is no user name",
                      .remedy = "a user name"};
    }
    if (!options.use_user_name_as_client_id && !inquiry.client_id.starts_with(prefix)) {
        return Ruling{.because = fmt::format("clientid_prefixes: the client id '{}' does not begin "
                                             "with '{}'",
                                             inquiry.client_id, prefix),
                      .remedy = "a client id that does"};
    }
    if (options.takes_proven_user) {
        constexpr const char* where = "the listener takes the user from a certificate or key";
        if (!inquiry.user_name) {
            return Ruling{.because = fmt::format("{}, and there is none", where),
                          .remedy = "one that names a user"};
        }
        return Ruling{
            .is_allowed = true,
            .because = fmt::format("{}: with one that says '{}'", where, *inquiry.user_name)};
    }
    if (inquiry.user_name && !config.authentication_unavailable_because.empty()) {
        return Ruling{.because = config.authentication_unavailable_because};
    }
    return std::nullopt;
}

// Where a login may bring rights of its own, which nobody can tell before it has come.
std::string_view bringer(const Access& access, std::uint32_t realm) {
    const config::Security& security = access.realms().all[realm - 1].security;
    if (!security.jwt.acl_claim.empty()) return "its token";
    return security.http.is_on() ? "its service's answer" : "";
}

void ask_rights(const Inquiry& inquiry, const Judges& judges, const broker::OnRuling& done) {
    Access& access = judges.access;
    const bool is_ours =
        inquiry.access == broker::Access::publish && inquiry.topic.starts_with("$SYS/");
    if (is_ours) return done({.because = std::string(broker::of_the_broker)});
    const std::string_view from = bringer(access, inquiry.realm);
    if (from.empty()) return access.authorizer().inquire(inquiry, done);
    judges.ask_own(inquiry, [&access, inquiry, from, done](std::optional<Ruling> own) {
        if (own) return done(std::move(*own));
        access.authorizer().inquire(inquiry, [from, done](Ruling ruling) {
            ruling.because +=
                fmt::format(", unless {} says what it may do: ask while the client is there", from);
            done(std::move(ruling));
        });
    });
}

}  // namespace

void explain(const Question& question, std::span<Door* const> doors, const Judges& judges,
             const admin::OnExplanation& done) {
    const auto found = std::ranges::find_if(doors, [&](const Door* door) {
        return question.listener.empty() || is_named(*door, question.listener);
    });
    if (found == doors.end()) {
        return done(
            base::fail(fmt::format("Error: there is no listener {}: nightjar ctl status "
                                   "says which there are.",
                                   question.listener)));
    }
    const Inquiry inquiry = inquiry_of(question, **found);
    admin::Explanation explanation{.listener = describe(**found, question, doors.size()),
                                   .client_id = inquiry.client_id};
    const auto with_login = [judges, inquiry, explanation, done](const Ruling& login) {
        admin::Explanation known = explanation;
        known.login = login;
        ask_rights(inquiry, judges, [known = std::move(known), done](const Ruling& rights) {
            admin::Explanation whole = known;
            whole.rights = rights;
            done(std::move(whole));
        });
    };
    if (const auto judged = judge_names(inquiry, **found, judges.config))
        return with_login(*judged);
    judges.access.inquire_login(inquiry, with_login);
}

}  // namespace server
