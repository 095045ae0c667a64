#include "auth/acl_ruling.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace auth {
namespace {

using broker::Access;
using broker::Inquiry;
using broker::Ruling;

constexpr std::string_view file =
    "topic read news/#\n"         // 1
    "user ann\n"                  // 2
    "topic ann/#\n"               // 3
    "topic deny ann/secret\n"     // 4
    "topic write out\n"           // 5
    "topic readwrite both\n"      // 6
    "pattern read dev/%c/#\n"     // 7
    "pattern deny dev/%c/key\n";  // 8

std::string in_words(const Ruling& ruling) {
    std::string text = ruling.is_allowed ? "yes: " : "no: ";
    text += ruling.because;
    return ruling.remedy.empty() ? text : text + "; " + ruling.remedy;
}

std::string ask(std::optional<std::string> user, Access access, const std::string& topic,
                const std::string& client_id = "c") {
    const auto table = AclTable::parse(file, "acl");
    EXPECT_TRUE(table);
    return in_words(ruling_of(
        *table,
        {.client_id = client_id, .user_name = std::move(user), .topic = topic, .access = access}));
}

TEST(AclRuling, names_the_line_that_decides_and_the_one_that_would_allow_it) {
    struct Row {
        const char* sentence;
        std::string got;
        const char* want;
    };
    const Row rows[] = {
        {"without an access word", ask("ann", Access::publish, "ann/x"),
         "yes: acl_file acl:3: topic readwrite ann/#"},
        {"without a wildcard", ask("ann", Access::receive, "both"),
         "yes: acl_file acl:6: topic readwrite both"},
        {"a pattern, as it stands there", ask("bob", Access::receive, "dev/c/x"),
         "yes: acl_file acl:7: pattern read dev/%c/#"},
        {"clients without a name", ask(std::nullopt, Access::receive, "news/1"),
         "yes: acl_file acl:1: topic read news/#"},
        {"which are others than users", ask("ann", Access::receive, "news/1"),
         "no: no line of acl_file acl allows it; the line 'topic read news/1' below the line "
         "'user ann'"},
        {"no line for one without a name", ask(std::nullopt, Access::publish, "news/1"),
         "no: no line of acl_file acl allows it; the line 'topic write news/1' before the first "
         "line 'user'"},
        {"the other direction", ask("ann", Access::receive, "out"),
         "no: no line of acl_file acl allows it; the line 'topic read out' below the line 'user "
         "ann'"},
        {"a line that denies", ask("ann", Access::publish, "ann/secret"),
         "no: acl_file acl:4: topic deny ann/secret; nothing, while line 4 is there"},
        {"a pattern that denies", ask("ann", Access::receive, "dev/c/key"),
         "no: acl_file acl:8: pattern deny dev/%c/key; the line 'topic read dev/c/key' below the "
         "line 'user ann'"},
        {"a client id with a wildcard", ask("ann", Access::receive, "dev/+/x", "+"),
         "no: no line of acl_file acl allows it, and patterns give nothing to names with + or #; "
         "the line 'topic read dev/+/x' below the line 'user ann'"},
        {"SUBSCRIBE", ask("ann", Access::subscribe, "#"),
         "yes: acl_file acl is asked for each message that would be received"},
    };
    for (const Row& row : rows) EXPECT_EQ(row.got, row.want) << row.sentence;
}

// What is promised is true.
TEST(AclRuling, the_line_that_it_names_allows_it) {
    const std::string more =
        std::string(file) + "user ann\ntopic read dev/c/key\ntopic read news/1\n";
    const auto table = AclTable::parse(more, "acl");
    ASSERT_TRUE(table);
    for (const char* topic : {"dev/c/key", "news/1"}) {
        const Inquiry inquiry{
            .client_id = "c", .user_name = "ann", .topic = topic, .access = Access::receive};
        EXPECT_TRUE(ruling_of(*table, inquiry).is_allowed) << topic;
    }
}

}  // namespace
}  // namespace auth
