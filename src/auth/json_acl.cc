#include "auth/json_acl.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace auth {
namespace {

using Json = nlohmann::json;
using Done = base::Result<void, std::string>;

Done refuse(std::string why) {
    return base::fail(std::move(why));
}

struct Action {
    std::string_view name;
    std::uint8_t access;
};
constexpr auto actions = std::to_array<Action>({
    {"all", rule_all},
    {"pub", rule_publish},
    {"publish", rule_publish},
    {"sub", rule_subscribe | rule_receive},
    {"subscribe", rule_subscribe | rule_receive},
});

// 0: it is none.
std::uint8_t access_of(std::string_view action) {
    const auto* const found = std::ranges::find(actions, action, &Action::name);
    return found == actions.end() ? 0 : found->access;
}

// One of a list of rules.
struct Rule {
    std::string permission{};
    std::uint8_t access = 0;
    Json filters = Json::array();
};

// "qos" and "retain" among others: a rule about some messages only would be wider without them.
Done read_member(const std::string& name, const Json& value, Rule& rule) {
    const auto* const text = value.get_ptr<const Json::string_t*>();
    if (name == "permission" && text) {
        rule.permission = *text;
    } else if (name == "action" && text) {
        rule.access = access_of(*text);
    } else if (name == "topic" && text) {
        rule.filters.push_back(*text);
    } else if (name == "topics" && value.is_array()) {
        rule.filters.insert(rule.filters.end(), value.begin(), value.end());
    } else {
        return refuse("a member of a rule is none of permission, action, topic and topics");
    }
    return {};
}

Done add_filters(TopicRules& rules, const Rule& rule, const RuleSubject& subject) {
    for (const Json& filter : rule.filters) {
        if (!filter.is_string()) return refuse("a topic filter is no string");
        const RuleRow row{.topic = filter.get<std::string>(), .permission = rule.permission};
        if (!rules.add(row, subject, rule.access)) return refuse("a topic filter is not one");
    }
    return {};
}

Done add_rule(TopicRules& rules, const Json& object, const RuleSubject& subject) {
    if (!object.is_object()) return refuse("a rule is no object");
    Rule rule;
    for (const auto& [name, value] : object.items()) {
        if (Done read = read_member(name, value, rule); !read) return read;
    }
    if (rule.permission != "allow" && rule.permission != "deny") {
        return refuse("the permission of a rule is neither allow nor deny");
    }
    if (rule.access == 0) {
        return refuse("the action of a rule is none of publish, subscribe and all");
    }
    if (rule.filters.empty()) return refuse("a rule has no topic");
    return add_filters(rules, rule, subject);
}

Done add_list(TopicRules& rules, const std::string& action, const Json& filters,
              const RuleSubject& subject) {
    const std::uint8_t access = access_of(action);
    if (access == 0) return refuse("a member is none of publish, subscribe and all");
    if (!filters.is_array()) return refuse("a member is no list of topic filters");
    return add_filters(rules, {.permission = "allow", .access = access, .filters = filters},
                       subject);
}

}  // namespace

base::Result<TopicRules, std::string> read_acl(const Json& acl, const RuleSubject& subject) {
    if (!acl.is_object() && !acl.is_array()) {
        return base::fail(std::string("it is neither an object nor a list"));
    }
    TopicRules rules;
    for (const auto& [key, value] : acl.items()) {
        const Done added =
            acl.is_array() ? add_rule(rules, value, subject) : add_list(rules, key, value, subject);
        if (!added) return base::fail(added.error());
    }
    return rules;
}

base::Result<TopicRules, std::string> read_acl_claim(const Json& claims, const std::string& name,
                                                     const RuleSubject& subject) {
    const auto claim = claims.find(name);
    if (claim == claims.end()) return base::fail(fmt::format("it has no claim '{}'", name));
    auto rules = read_acl(*claim, subject);
    if (!rules) return base::fail(fmt::format("its claim '{}': {}", name, rules.error()));
    return rules;
}

}  // namespace auth
