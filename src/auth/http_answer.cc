#include "auth/http_answer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "auth/json_acl.h"

namespace auth {
namespace {

using nlohmann::json;
using Kind = HttpAnswer::Kind;

HttpAnswer broken(std::string why) {
    return {.kind = Kind::broken, .why = std::move(why)};
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Nothing: it is not there.
const json* find(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<Kind> read_result(const json& object) {
    const json* const result = find(object, "result");
    if (result == nullptr) return std::nullopt;
    if (*result == "allow") return Kind::allow;
    if (*result == "deny") return Kind::deny;
    if (*result == "ignore") return Kind::ignore;
    return std::nullopt;
}

// What comes with "allow".
HttpAnswer read_terms(const json& object, const RuleSubject& subject) {
    HttpAnswer answer{.kind = Kind::allow};
    if (const json* const acl = find(object, "acl")) {
        auto rules = read_acl(*acl, subject);
        if (!rules) return broken("'acl': " + rules.error());
        answer.rules = std::move(*rules);
    }
    if (const json* const is_super = find(object, "is_superuser")) {
        if (!is_super->is_boolean()) return broken("'is_superuser' is neither true nor false");
        if (is_super->get<bool>()) answer.rules = TopicRules::everything();
    }
    if (const json* const expires = find(object, "expire_at")) {
        // What does not fit an int64_t is no time, either.
        const auto* const seconds = expires->get_ptr<const json::number_unsigned_t*>();
        if (seconds == nullptr || *seconds > INT64_MAX) return broken("'expire_at' is no time");
        answer.expires_s = static_cast<std::int64_t>(*seconds);
    }
    return answer;
}

HttpAnswer read_body(const std::string& body, const RuleSubject& subject) {
    const json object = json::parse(body, nullptr, false);
    if (!object.is_object()) return broken("the reply is no JSON object");
    const auto kind = read_result(object);
    if (!kind) return broken("'result' is none of allow, deny and ignore");
    if (*kind == Kind::allow) return read_terms(object, subject);
    return {.kind = *kind};
}

}  // namespace

HttpAnswer read_http_answer(const HttpReply& reply, const RuleSubject& subject) {
    switch (reply.status) {
        case 200:
            if (!is_blank(reply.body)) return read_body(reply.body, subject);
            return {.kind = Kind::allow};
        case 204:
            return {.kind = Kind::allow};
        case 401:
        case 403:
            return {.kind = Kind::deny};
        case 404:
            return {.kind = Kind::ignore};
        default:
            break;
    }
    HttpAnswer answer = broken(fmt::format("it replied with status {}", reply.status));
    answer.is_overloaded = reply.status == 502 || reply.status == 503 || reply.status == 504;
    return answer;
}

}  // namespace auth
