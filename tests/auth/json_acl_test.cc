#include "auth/json_acl.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace auth {
namespace {

using broker::Access;

constexpr RuleSubject ann{.user_name = "ann", .client_id = "dev"};

base::Result<TopicRules, std::string> read(std::string_view acl, const RuleSubject& subject = ann) {
    const auto claims = nlohmann::json::parse(R"({"acl":)" + std::string(acl) + "}");
    return read_acl_claim(claims, "acl", subject);
}

// What of publish, subscribe and receive is allowed; of a filter with wildcards, subscribe.
std::string allowed(const TopicRules& rules, std::string_view topic) {
    const bool is_topic = topic.find_first_of("+#") == std::string_view::npos;
    std::string text;
    if (is_topic && rules.allows(Access::publish, topic)) text += "p";
    if (rules.allows(Access::subscribe, topic)) text += "s";
    if (is_topic && rules.allows(Access::receive, topic)) text += "r";
    return text;
}

TEST(JwtAcl, says_what_its_bearer_may_do) {
    struct Row {
        const char* sentence;
        std::string_view acl;
        std::string_view topic;
        std::string_view want;
    };
    const Row rows[] = {
        {"a list to publish", R"({"publish":["a/+"]})", "a/b", "p"},
        {"no more than it says", R"({"publish":["a/+"]})", "a/b/c", ""},
        {"a list to subscribe", R"({"subscribe":["a/#"]})", "a/b", "sr"},
        {"a filter within another", R"({"sub":["a/#"]})", "a/+/c", "s"},
        {"a filter that is wider", R"({"sub":["a/+"]})", "a/#", ""},
        {"both", R"({"pub":["a"],"sub":["a"]})", "a", "psr"},
        {"all", R"({"all":["a"]})", "a", "psr"},
        {"no rule, no right", R"({})", "a", ""},
        {"an empty list", R"([])", "a", ""},
        {"everything is not $SYS", R"({"all":["#"]})", "$SYS/x", ""},
        {"names", R"({"pub":["%u/%c"]})", "ann/dev", "p"},
        {"names of others", R"({"pub":["%u/%c"]})", "bob/dev", ""},
        {"names in words", R"({"pub":["${username}/${clientid}"]})", "ann/dev", "p"},
        {"a rule", R"([{"permission":"allow","action":"publish","topic":"a/#"}])", "a/b", "p"},
        {"topics", R"([{"permission":"allow","action":"sub","topics":["x","a"]}])", "a", "sr"},
        {"that very filter", R"([{"permission":"allow","action":"all","topic":"eq a/#"}])", "a/b",
         ""},
        {"a ban wins, wherever it stands",
         R"([{"permission":"allow","action":"all","topic":"#"},
             {"permission":"deny","action":"publish","topic":"a"}])",
         "a", "sr"},
    };
    for (const Row& row : rows) {
        const auto rules = read(row.acl);
        ASSERT_TRUE(rules) << row.sentence << ": " << rules.error();
        EXPECT_EQ(allowed(*rules, row.topic), row.want) << row.sentence;
    }
}

TEST(JwtAcl, names_never_widen_a_rule) {
    for (const char* name : {"+", "#", "a/b", "a+", "", "$SYS"}) {
        const auto by_client = read(R"({"all":["%c/#"]})", {.user_name = "ann", .client_id = name});
        ASSERT_TRUE(by_client);
        EXPECT_EQ(by_client->size(), 0U) << name;
        const auto by_user = read(R"({"all":["%u/#"]})", {.user_name = name, .client_id = "dev"});
        ASSERT_TRUE(by_user);
        EXPECT_EQ(by_user->size(), 0U) << name;
    }
}

TEST(JwtAcl, what_is_not_understood_makes_it_wrong) {
    constexpr std::string_view member =
        "a member of a rule is none of permission, action, topic and topics";
    const std::pair<std::string_view, std::string_view> rows[] = {
        {"null", "it is neither an object nor a list"},
        {R"("a/#")", "it is neither an object nor a list"},
        {R"({"read":["a"]})", "a member is none of publish, subscribe and all"},
        {R"({"pub":"a"})", "a member is no list of topic filters"},
        {R"({"pub":[1]})", "a topic filter is no string"},
        {R"({"pub":["a","b#"]})", "a topic filter is not one"},
        {R"({"pub":[""]})", "a topic filter is not one"},
        {R"(["a"])", "a rule is no object"},
        {R"([{"permission":"allow","action":"all","topic":"a","qos":[0]}])", member},
        {R"([{"permission":"allow","action":"all","topic":1}])", member},
        {R"([{"permission":"allow","action":"all","topics":"a"}])", member},
        {R"([{"permission":"allow","action":"all"}])", "a rule has no topic"},
        {R"([{"permission":"allow","action":"read","topic":"a"}])",
         "the action of a rule is none of publish, subscribe and all"},
        {R"([{"permission":"allow","topic":"a"}])",
         "the action of a rule is none of publish, subscribe and all"},
        {R"([{"action":"all","topic":"a"}])", "the permission of a rule is neither allow nor deny"},
    };
    for (const auto& [acl, why] : rows) {
        const auto rules = read(acl);
        ASSERT_FALSE(rules) << acl;
        EXPECT_EQ(rules.error(), "its claim 'acl': " + std::string(why)) << acl;
    }
}

}  // namespace
}  // namespace auth
