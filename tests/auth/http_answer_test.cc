#include "auth/http_answer.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

using Kind = HttpAnswer::Kind;
constexpr RuleSubject ann{"ann", "dev1", "10.1.2.3"};

struct Row {
    const char* sentence;
    int status;
    const char* body;
    Kind want;
    const char* why = "";
};

TEST(HttpAnswer, is_what_the_service_says) {
    const Row table[] = {
        {"204", 204, "", Kind::allow},
        {"204 with a body that nobody reads", 204, "no", Kind::allow},
        {"200 without a body", 200, "", Kind::allow},
        {"200 with blanks", 200, " \r\n", Kind::allow},
        {"allow", 200, R"({"result": "allow"})", Kind::allow},
        {"deny", 200, R"({"result": "deny"})", Kind::deny},
        {"deny of a superuser", 200, R"({"result": "deny", "is_superuser": true})", Kind::deny},
        {"ignore", 200, R"({"result": "ignore"})", Kind::ignore},
        {"null is not there", 200, R"({"result": "allow", "is_superuser": null, "acl": null})",
         Kind::allow},
        {"what is not asked for", 200, R"({"result": "allow", "client_attrs": {"a": "b"}})",
         Kind::allow},
        {"401", 401, R"({"result": "allow"})", Kind::deny},
        {"403", 403, "", Kind::deny},
        {"404", 404, "<html>", Kind::ignore},
        {"500", 500, "", Kind::broken, "it replied with status 500"},
        {"a redirect", 302, "", Kind::broken, "it replied with status 302"},
        {"another success", 201, R"({"result": "allow"})", Kind::broken, "status 201"},
        {"another refusal", 400, "", Kind::broken, "status 400"},
        {"no status", 0, "", Kind::broken, "status 0"},
        {"no JSON", 200, "ok", Kind::broken, "no JSON object"},
        {"JSON cut short", 200, R"({"result": "allow")", Kind::broken, "no JSON object"},
        {"a list", 200, R"(["allow"])", Kind::broken, "no JSON object"},
        {"no result", 200, "{}", Kind::broken, "'result' is none of"},
        {"a result of another kind", 200, R"({"result": true})", Kind::broken, "'result'"},
        {"another result", 200, R"({"result": "ALLOW"})", Kind::broken, "'result'"},
        {"a superuser by text", 200, R"({"result": "allow", "is_superuser": "true"})", Kind::broken,
         "'is_superuser'"},
        {"rules that are no list", 200, R"({"result": "allow", "acl": 1})", Kind::broken,
         "'acl': it is neither an object nor a list"},
        {"a rule for some messages only", 200,
         R"({"result": "allow",
             "acl": [{"permission": "allow", "action": "all", "topic": "a", "qos": [0]}]})",
         Kind::broken, "a member of a rule is none of"},
        {"no time", 200, R"({"result": "allow", "expire_at": "2030"})", Kind::broken,
         "'expire_at'"},
        {"a time before all", 200, R"({"result": "allow", "expire_at": -1})", Kind::broken,
         "'expire_at'"},
        {"a time after all", 200, R"({"result": "allow", "expire_at": 18446744073709551615})",
         Kind::broken, "'expire_at'"},
        {"a rule that is none", 200, R"({"result": "allow", "acl": ["a/#"]})", Kind::broken,
         "a rule is no object"},
    };
    for (const Row& row : table) {
        const HttpAnswer answer = read_http_answer({row.status, row.body}, ann);
        EXPECT_EQ(answer.kind, row.want) << row.sentence;
        EXPECT_NE(answer.why.find(row.why), std::string::npos) << row.sentence << answer.why;
        EXPECT_FALSE(answer.rules) << row.sentence;
    }
}

TEST(HttpAnswer, may_end) {
    EXPECT_FALSE(read_http_answer({200, R"({"result": "allow"})"}, ann).expires_s);
    EXPECT_EQ(
        read_http_answer({200, R"({"result": "allow", "expire_at": 1700000000})"}, ann).expires_s,
        1'700'000'000);
}

TEST(HttpAnswer, tells_who_is_overloaded_from_what_a_client_may_cause) {
    for (const int status : {502, 503, 504}) {
        EXPECT_TRUE(read_http_answer({status, ""}, ann).is_overloaded) << status;
    }
    for (const int status : {0, 200, 400, 429, 500}) {
        EXPECT_FALSE(read_http_answer({status, "x"}, ann).is_overloaded) << status;
    }
}

struct RuleTest {
    const char* sentence;
    const char* acl;  // And what it has of the answer.
    broker::Access access;
    const char* topic;
    bool want;
};

TEST(HttpAnswer, has_rules) {
    using enum broker::Access;
    const RuleTest table[] = {
        {"allows", R"([{"permission": "allow", "action": "publish", "topic": "a/#"}])", publish,
         "a/b", true},
        {"one action only", R"([{"permission": "allow", "action": "publish", "topic": "a/#"}])",
         subscribe, "a/b", false},
        {"subscribe is receive, too",
         R"([{"permission": "allow", "action": "subscribe", "topic": "a/+"}])", receive, "a/b",
         true},
        {"denies before it allows",
         R"([{"permission": "allow", "action": "all", "topic": "#"},
             {"permission": "deny", "action": "all", "topic": "a/b"}])",
         publish, "a/b", false},
        {"an empty list allows nothing", "[]", publish, "a", false},
        {"a superuser needs none", R"([], "is_superuser": true)", publish, "a", true},
        {"no superuser", R"([], "is_superuser": false)", publish, "a", false},
        {"literally", R"([{"permission": "allow", "action": "subscribe", "topic": "eq a/#"}])",
         subscribe, "a/b", false},
        {"names", R"([{"permission": "allow", "action": "all", "topic": "${username}/%c"}])",
         publish, "ann/dev1", true},
    };
    for (const RuleTest& row : table) {
        const std::string body = R"({"result": "allow", "acl": )" + std::string(row.acl) + "}";
        const HttpAnswer answer = read_http_answer({200, body}, ann);
        ASSERT_TRUE(answer.rules) << row.sentence << answer.why;
        EXPECT_EQ(answer.rules->allows(row.access, row.topic), row.want) << row.sentence;
    }
}

}  // namespace
}  // namespace auth
