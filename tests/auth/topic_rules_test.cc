#include "auth/topic_rules.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

using broker::Access;
constexpr RuleSubject ann{"ann", "dev1", "10.1.2.3"};

TopicRules rules_of(const std::vector<RuleRow>& rows, const RuleSubject& subject = ann) {
    TopicRules rules;
    for (const RuleRow& row : rows) {
        const auto added = rules.add(row, subject);
        EXPECT_TRUE(added) << row.topic << ": " << added.error();
    }
    return rules;
}

struct Row {
    const char* sentence;
    std::vector<RuleRow> rows;
    Access access;
    const char* topic;
    bool want;
};

TEST(TopicRules, decide_by_their_rows) {
    using enum Access;
    const Row table[] = {
        {"no row", {}, publish, "a", false},
        {"the topic", {{.topic = "a"}}, publish, "a", true},
        {"another", {{.topic = "a"}}, publish, "b", false},
        {"+", {{.topic = "a/+"}}, receive, "a/b", true},
        {"+ is one level", {{.topic = "a/+"}}, receive, "a/b/c", false},
        {"# and its parent", {{.topic = "a/#"}}, publish, "a", true},
        {"# leaves $ out", {{.topic = "#"}}, receive, "$SYS/x", false},
        {"deny wins, first",
         {{.topic = "a", .permission = "deny"}, {.topic = "#"}},
         publish,
         "a",
         false},
        {"deny wins, last",
         {{.topic = "#"}, {.topic = "a", .permission = "DENY"}},
         publish,
         "a",
         false},
        {"deny of another action",
         {{.topic = "#"}, {.topic = "a", .permission = "deny", .action = "subscribe"}},
         publish,
         "a",
         true},
        {"publish only", {{.topic = "a", .action = "publish"}}, receive, "a", false},
        {"subscribe is to receive", {{.topic = "a", .action = "subscribe"}}, receive, "a", true},
        {"read and write as a number", {{.topic = "a", .action = "3"}}, subscribe, "a", false},
        {"%u", {{.topic = "u/%u/x"}}, publish, "u/ann/x", true},
        {"%c in a level", {{.topic = "x-%c/#"}}, publish, "x-dev1/a", true},
        {"${username}", {{.topic = "${username}/${clientid}"}}, publish, "ann/dev1", true},
        {"a filter within", {{.topic = "a/#"}}, subscribe, "a/+/b", true},
        {"a filter beyond", {{.topic = "a/+"}}, subscribe, "a/#", false},
        {"a wider filter", {{.topic = "a/b"}}, subscribe, "a/+", false},
        {"# does not cover $SYS", {{.topic = "#"}}, subscribe, "$SYS/#", false},
        {"eq, itself", {{.topic = "eq a/#"}}, subscribe, "a/#", true},
        {"eq, not what it matches", {{.topic = "eq a/#"}}, subscribe, "a/b", false},
        {"a row of this user", {{.topic = "a", .user_name = "ann"}}, publish, "a", true},
        {"of another user", {{.topic = "a", .user_name = "bob"}}, publish, "a", false},
        {"of everybody", {{.topic = "a", .user_name = "$all"}}, publish, "a", true},
        {"of another client", {{.topic = "a", .client_id = "dev2"}}, publish, "a", false},
        {"of this network", {{.topic = "a", .ip_address = "10.0.0.0/8"}}, publish, "a", true},
        {"of another network", {{.topic = "a", .ip_address = "11.0.0.0/8"}}, publish, "a", false},
    };
    for (const Row& row : table) {
        EXPECT_EQ(rules_of(row.rows).allows(row.access, row.topic), row.want) << row.sentence;
    }
    EXPECT_TRUE(TopicRules::everything().allows(publish, "$SYS/x"));
}

TEST(TopicRules, names_never_widen_a_rule) {
    for (const char* name : {"+", "#", "a/b", "a+", "", "x/#"}) {
        const TopicRules rules = rules_of({{.topic = "dev/%u"}, {.topic = "%u"}}, {name, "c", ""});
        EXPECT_EQ(rules.size(), 0U) << name;
        const TopicRules by_client = rules_of({{.topic = "dev/%c"}}, {"u", name, ""});
        EXPECT_EQ(by_client.size(), 0U) << name;
        const TopicRules denied =
            rules_of({{.topic = "#"}, {.topic = "dev/%u", .permission = "deny"}}, {name, "c", ""});
        EXPECT_EQ(denied.size(), 2U) << name;
    }
    // What begins with "$" is the broker's.
    EXPECT_EQ(rules_of({{.topic = "%u/#"}, {.topic = "%c/#"}}, {"$SYS", "$SYS", ""}).size(), 0U);
    EXPECT_EQ(rules_of({{.topic = "dev/%u/#"}}, {"$SYS", "c", ""}).size(), 1U);
    // What a name brings is not a place for the next name.
    EXPECT_TRUE(
        rules_of({{.topic = "%u/x"}}, {"%c", "secret", ""}).allows(Access::publish, "%c/x"));
}

TEST(TopicRules, a_row_that_cannot_be_kept_to_is_refused) {
    const std::pair<RuleRow, const char*> rows[] = {
        {{.topic = "a", .permission = "maybe"}, "'maybe' is neither allow nor deny"},
        {{.topic = "a", .action = "fly"}, "'fly' is none of"},
        {{.topic = "a", .qos = "0"}, "some QoS or retain only"},
        {{.topic = "a", .retain = "1"}, "some QoS or retain only"},
        {{.topic = ""}, "'' is no topic filter"},
        {{.topic = "a#"}, "'a#' is no topic filter"},
        {{.topic = "a+/b"}, "'a+/b' is no topic filter"},
    };
    for (const auto& [row, want] : rows) {
        TopicRules rules;
        const auto added = rules.add(row, ann);
        ASSERT_FALSE(added) << want;
        EXPECT_NE(added.error().find(want), std::string::npos) << added.error();
        EXPECT_FALSE(rules.allows(Access::publish, "a"));
        EXPECT_EQ(rules.size(), std::string_view(want).starts_with("'maybe'") ? 1U : 0U);
    }
    // What may have been meant to forbid does, and does all of it.
    TopicRules odd = rules_of({{.topic = "#"}});
    EXPECT_FALSE(odd.add({.topic = "a", .permission = "dney"}, ann));
    EXPECT_FALSE(odd.add({.topic = "b", .permission = "deny", .action = "fly"}, ann));
    EXPECT_FALSE(odd.allows(Access::publish, "a") || odd.allows(Access::receive, "b"));
    EXPECT_TRUE(odd.allows(Access::publish, "c"));
    // One that forbids holds for every QoS.
    TopicRules rules;
    EXPECT_TRUE(rules.add({.topic = "a", .permission = "deny", .qos = "0"}, ann));
}

TEST(TopicRules, are_limited_in_number) {
    TopicRules rules;
    for (std::size_t i = 0; i < TopicRules::rules_max; ++i) {
        ASSERT_TRUE(rules.add({.topic = "a"}, ann));
    }
    EXPECT_FALSE(rules.add({.topic = "a"}, ann));
}

TEST(TopicRules, explain_what_decides) {
    const TopicRules rules = rules_of({{.topic = "a/#"}, {.topic = "a/b", .permission = "deny"}});
    EXPECT_EQ(rules.explain(Access::publish, "a/b"), "deny a/b");
    EXPECT_EQ(rules.explain(Access::publish, "a/c"), "allow a/#");
    EXPECT_EQ(rules.explain(Access::publish, "b"), "none of 2 rows");
}

TEST(TopicRules, addresses_and_networks) {
    const std::tuple<const char*, const char*, bool> rows[] = {
        {"10.1.2.3", "10.1.2.3", true},        {"10.1.2.3", "10.1.2.4", false},
        {"10.1.2.3", "10.1.2.0/24", true},     {"10.1.3.3", "10.1.2.0/24", false},
        {"10.1.2.3", "0.0.0.0/0", true},       {"10.1.2.3", "10.1.2.0/33", false},
        {"10.1.2.3", "10.1.2.0/x", false},     {"10.1.2.3", "::/0", false},
        {"fd00::1", "fd00::/8", true},         {"fe00::1", "fd00::/8", false},
        {"nobody", "nobody", false},           {"", "", false},
        {"10.1.130.1", "10.1.128.0/17", true}, {"10.1.127.1", "10.1.128.0/17", false},
    };
    for (const auto& [address, network, want] : rows) {
        EXPECT_EQ(is_in_network(address, network), want) << address << " " << network;
    }
}

}  // namespace
}  // namespace auth
