// What a service replied about a login, understood.
//
//     204, or 200 without a body   the client may come in
//     200 with JSON                {"result": "allow" | "deny" | "ignore", "is_superuser": false,
//                                   "acl": as auth/json_acl.h has it, "expire_at": 1700000000}
//     401, 403                     it may not
//     404                          it is none of the service's users
//     all else                     the service is broken
//
// Pure: no I/O, no clock. What is not understood never lets anybody in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/http_connection.h"
#include "auth/topic_rules.h"

namespace auth {

struct HttpAnswer {
    enum class Kind : std::uint8_t { allow, deny, ignore, broken };

    Kind kind = Kind::broken;
    std::optional<TopicRules> rules{};        // Of allow: nothing if the service does not say.
    std::optional<std::int64_t> expires_s{};  // Of allow: since 1970; nothing: never.
    std::string why{};                        // Of broken, for the log.
    bool is_overloaded = false;  // Of broken: says who stands before the service, not it.
};

// `subject` is the client, for rules with its names in them.
HttpAnswer read_http_answer(const HttpReply& reply, const RuleSubject& subject);

}  // namespace auth
