#include "auth/acl_table.h"

#include <gtest/gtest.h>

#include "auth/acl_authorizer.h"

namespace auth {
namespace {

using broker::Access;

AclTableRef parsed(std::string_view text) {
    auto table = AclTable::parse(text, "acl");
    EXPECT_TRUE(table) << table.error();
    return table ? *table : AclTableRef();
}

struct Row {
    const char* sentence;
    const char* text;
    const char* client_id;
    const char* user;
    const char* topic;
    const char* want;  // Of read and write: "rw", "r", "w" or "".
};

// What Debian's Mosquitto 2.0.11 decides, but for the rows that begin with "ours".
const Row rows[] = {
    {"ours: an empty file denies", "", "c", "", "a", ""},
    {"no access word: both", "topic a\n", "c", "", "a", "rw"},
    {"read", "topic read a\n", "c", "", "a", "r"},
    {"write", "topic write a\n", "c", "", "a", "w"},
    {"readwrite", "topic readwrite a\n", "c", "", "a", "rw"},
    {"two lines add up", "topic read a\ntopic write a\n", "c", "", "a", "rw"},
    {"deny is asked first, wherever it is", "topic a/#\ntopic deny a/b\n", "c", "", "a/b", ""},
    {"deny by wildcard", "topic a/b\ntopic deny a/+\n", "c", "", "a/b", ""},
    {"deny of another topic", "topic a/#\ntopic deny a/b\n", "c", "", "a/c", "rw"},
    {"another topic", "topic a\n", "c", "", "a/b", ""},
    {"# is for the parent, too", "topic a/#\n", "c", "", "a", "rw"},
    {"# does not reach $ topics", "topic #\n", "c", "", "$SYS/x", ""},
    {"$ topics by name", "topic read $SYS/#\n", "c", "", "$SYS/x", "r"},
    {"case counts", "topic A\n", "c", "", "a", ""},
    {"blanks within a topic", "topic read a b\n", "c", "", "a b", "r"},
    {"blanks around", "  topic   read   a  \r\n", "c", "", "a", "r"},
    {"lines before any user are for those without name", "topic a\n", "c", "ann", "a", ""},
    {"a user's lines", "user ann\ntopic a\n", "c", "ann", "a", "rw"},
    {"another user's lines", "user ann\ntopic a\n", "c", "bob", "a", ""},
    {"a user's lines are not for those without name", "user ann\ntopic a\n", "c", "", "a", ""},
    {"a user twice", "user ann\ntopic a\nuser bob\nuser ann\ntopic b\n", "c", "ann", "a", "rw"},
    {"user names may have blanks", "user ann lee\ntopic a\n", "c", "ann lee", "a", "rw"},
    {"%c", "pattern read d/%c/x\n", "c", "", "d/c/x", "r"},
    {"%c of another", "pattern read d/%c/x\n", "c", "", "d/e/x", ""},
    {"%u", "pattern write d/%u\n", "c", "ann", "d/ann", "w"},
    {"%u without a name", "pattern write d/%u\n", "c", "", "d/", ""},
    {"a pattern is for each user", "user ann\npattern p/%c\n", "c", "bob", "p/c", "rw"},
    {"a pattern without names", "pattern p/+\n", "c", "bob", "p/x", "rw"},
    {"within a level", "pattern p/x%cy\n", "c", "", "p/xcy", "rw"},
    {"deny in patterns", "pattern p/#\npattern deny p/%c/x\n", "c", "", "p/c/x", ""},
    {"own lines come before patterns", "topic p/c\npattern deny p/%c\n", "c", "", "p/c", "rw"},
    {"a topic line has no names", "topic d/%c\n", "c", "", "d/c", ""},
    {"+ in a client id", "pattern d/%c/#\n", "+", "", "d/x/y", ""},
    {"# in a client id", "pattern d/%c\n", "#", "", "d/x/y", ""},
    {"# in a client id, as text", "pattern d/%c\n", "#", "", "d/#", ""},
    {"# in a user name", "pattern d/%u\n", "c", "#", "d/x", ""},
    {"+ in a name: no pattern at all", "pattern d/%c\n", "c", "a+", "d/c", ""},
    {"+ in a name: own lines", "user a+\ntopic d\npattern %c\n", "c", "a+", "d", "rw"},
    {"/ in an id, where it tells clients apart", "pattern d/%c/x\n", "a/b", "", "d/a/b/x", "rw"},
    {"ours: / in an id, where it does not", "pattern d/%c/#\n", "a/b", "", "d/a/b/x", ""},
    {"ours: / in an id beside a user", "pattern %u/%c\n", "b/c", "a", "a/b/c", ""},
    {"/ in a name that is not in the pattern", "pattern d/%c/#\n", "a", "x/y", "d/a/b", "rw"},
    {"/ in an id does not escape deny", "pattern d/#\npattern deny d/%c/#\n", "a/b", "", "d/a/b/x",
     ""},
    {"$ at the front of an id", "pattern read %c/#\n", "$SYS", "", "$SYS/x", ""},
};

TEST(Acl, decides_by_the_lines_of_the_client) {
    for (const Row& row : rows) {
        const AclRights rights(parsed(row.text), row.client_id, row.user);
        std::string got;
        if (rights.judge(Access::receive, row.topic).is_allowed) got += 'r';
        if (rights.judge(Access::publish, row.topic).is_allowed) got += 'w';
        EXPECT_EQ(got, row.want) << row.sentence;
        EXPECT_TRUE(rights.judge(Access::subscribe, row.topic).is_allowed) << row.sentence;
    }
}

struct Wrong {
    const char* line;
    const char* want;
};

TEST(Acl, a_malformed_line_is_named) {
    const Wrong table[] = {
        {"topic", "there is no topic"},
        {"topic read", "there is no topic"},
        {"pattern", "there is no topic"},
        {"topic reed a", "'reed' is none of read, write, readwrite and deny"},
        {"topic read a/#/b", "'a/#/b' is no topic filter"},
        {"pattern a+", "'a+' is no topic filter"},
        {"user", "there is no user name"},
        {"user  ", "there is no user name"},
        {"topics a", "'topics' is none of topic, user and pattern"},
        {"allow a", "'allow' is none of topic, user and pattern"},
    };
    for (const Wrong& row : table) {
        const auto read = AclTable::parse("# rules\n\ntopic a\n" + std::string(row.line), "acl");
        ASSERT_FALSE(read) << row.line;
        EXPECT_EQ(read.error(), "acl:4: Error: " + std::string(row.want) + ".");
    }
}

class Authorizing : public ::testing::Test {
protected:
    bool may(Access access, std::string_view topic, std::uint32_t realm = 1) {
        return acl_.is_allowed(request(access, topic, realm));
    }
    broker::AccessRequest request(Access access, std::string_view topic, std::uint32_t realm) {
        return {.client_id = "c",
                .user_name = "ann",
                .topic = topic,
                .access = access,
                .realm = realm,
                .known = &known_};
    }

    AclAuthorizer acl_;
    std::unique_ptr<broker::KnownRights> known_;
};

TEST_F(Authorizing, without_a_file_everything_is_allowed) {
    EXPECT_TRUE(acl_.allows_everything());
    acl_.use({AclTableRef(), AclTableRef()});
    EXPECT_TRUE(acl_.allows_everything());
    acl_.use({AclTableRef(), parsed("")});
    EXPECT_FALSE(acl_.allows_everything());
    EXPECT_TRUE(may(Access::publish, "a", 1));
    known_.reset();
    EXPECT_FALSE(may(Access::publish, "a", 2));
}

TEST_F(Authorizing, a_new_file_counts_from_the_next_question_on) {
    acl_.use({parsed("user ann\ntopic a\n")});
    EXPECT_TRUE(may(Access::publish, "a"));
    const auto* const before = known_.get();
    EXPECT_FALSE(may(Access::publish, "b"));
    EXPECT_EQ(known_.get(), before);
    acl_.use({parsed("user ann\ntopic b\n")});
    EXPECT_FALSE(may(Access::publish, "a"));
    EXPECT_TRUE(may(Access::publish, "b"));
}

TEST_F(Authorizing, where_the_realm_is_forgotten_all_must_allow) {
    acl_.use(
        {parsed("user ann\ntopic a\ntopic b\n"), AclTableRef(), parsed("user ann\ntopic b\n")});
    EXPECT_FALSE(may(Access::publish, "a", 0));
    EXPECT_TRUE(may(Access::publish, "b", 0));
}

TEST_F(Authorizing, who_need_not_be_here_may_where_nobody_knows_which_rules_are_its_own) {
    const auto may_whoever_it_is = [&](std::string_view topic, std::uint32_t realm) {
        broker::AccessRequest of_old = request(Access::publish, topic, realm);
        of_old.if_unknown = true;
        known_.reset();
        return acl_.is_allowed(of_old);
    };
    acl_.use({parsed("user ann\ntopic a\n"), AclTableRef()});
    EXPECT_TRUE(may_whoever_it_is("b", 0));
    EXPECT_FALSE(may_whoever_it_is("b", 1));
    acl_.use({parsed("user ann\ntopic a\n")});
    EXPECT_FALSE(may_whoever_it_is("b", 0));  // They can only be these.
    EXPECT_TRUE(may_whoever_it_is("a", 0));
}

TEST_F(Authorizing, says_which_line_decides) {
    acl_.use({parsed("user ann\ntopic read a/#\ntopic deny a/b\npattern x/%c\n")});
    EXPECT_EQ(acl_.explain(request(Access::receive, "a/c", 1)), "acl:2: topic read a/#");
    EXPECT_EQ(acl_.explain(request(Access::publish, "a/b", 1)), "acl:3: topic deny a/b");
    EXPECT_EQ(acl_.explain(request(Access::publish, "x/c", 1)), "acl:4: pattern readwrite x/%c");
    EXPECT_EQ(acl_.explain(request(Access::publish, "a/c", 1)), "no rule of acl");
}

}  // namespace
}  // namespace auth
