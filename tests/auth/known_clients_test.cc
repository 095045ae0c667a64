#include "auth/known_clients.h"

#include <gtest/gtest.h>

namespace auth {
namespace {

using Verdict = KnownClients::Verdict;
constexpr KnownClients::Times times{.fresh_ms = 1000, .stale_ms = 5000};

class Rights : public ::testing::Test {
protected:
    static TopicRules rules(const char* topic) {
        TopicRules made;
        EXPECT_TRUE(made.add({.topic = topic}, {"ann", "c", ""}));
        return made;
    }
    bool put(std::string_view client_id, std::uint64_t now_ms, const char* topic = "a") {
        return rights_.put(client_id, {.user_name = "ann", .read_ms = now_ms}, rules(topic), now_ms,
                           times);
    }
    KnownClients::Answer ask(std::uint64_t now_ms, std::string_view topic = "a",
                             std::string_view user = "ann") {
        return rights_.judge({.client_id = "c", .user_name = user, .topic = topic}, now_ms, times);
    }

    KnownClients rights_;
};

TEST_F(Rights, are_those_of_the_client_and_its_user) {
    EXPECT_EQ(ask(0).verdict, Verdict::unknown);
    ASSERT_TRUE(put("c", 0));
    EXPECT_EQ(ask(0).verdict, Verdict::allowed);
    EXPECT_EQ(ask(0, "b").verdict, Verdict::forbidden);
    EXPECT_EQ(ask(0, "a", "bob").verdict, Verdict::unknown);
    EXPECT_TRUE(rights_.find("c", "ann"));
    EXPECT_FALSE(rights_.find("c", "bob"));
    EXPECT_FALSE(rights_.find("d", "ann"));
}

TEST_F(Rights, one_request_is_told_that_they_are_old) {
    ASSERT_TRUE(put("c", 0));
    EXPECT_FALSE(ask(1000).is_stale);
    EXPECT_TRUE(ask(1001).is_stale);
    EXPECT_FALSE(ask(1002).is_stale);
    EXPECT_EQ(ask(1002).verdict, Verdict::allowed);
    rights_.put_rules("c", "ann", rules("b"), 1003);
    EXPECT_EQ(ask(1003, "b").verdict, Verdict::allowed);
    EXPECT_EQ(ask(1003, "a").verdict, Verdict::forbidden);
    EXPECT_FALSE(ask(2003).is_stale);
    rights_.put_rules("c", "bob", rules("a"), 2003);  // Another one's come too late.
    EXPECT_EQ(ask(2003, "a").verdict, Verdict::forbidden);
}

TEST_F(Rights, hold_while_they_cannot_be_read_but_not_for_ever) {
    ASSERT_TRUE(put("c", 0));
    EXPECT_TRUE(ask(2000).is_stale);
    rights_.keep_rules("c", 2000, 500);
    EXPECT_FALSE(ask(2499).is_stale);
    EXPECT_TRUE(ask(2500).is_stale);
    EXPECT_EQ(ask(6000).verdict, Verdict::allowed);
    EXPECT_EQ(ask(6001).verdict, Verdict::forbidden);
}

TEST_F(Rights, of_another_origin_hold_until_they_have_been_read) {
    ASSERT_TRUE(put("c", 0));
    EXPECT_TRUE(ask(2000).is_stale);  // Who was told so reads them no more.
    EXPECT_FALSE(ask(2001).is_stale);
    const broker::AccessRequest request{.client_id = "c", .user_name = "ann", .topic = "a"};
    const auto successor_asks = [&](std::uint64_t now_ms) {
        return rights_.judge(request, now_ms, times, 1);
    };
    const KnownClients::Answer first = successor_asks(2002);
    EXPECT_TRUE(first.is_stale);
    EXPECT_EQ(first.verdict, Verdict::allowed);
    EXPECT_FALSE(successor_asks(2003).is_stale);
    rights_.put_rules("c", "ann", rules("b"), 2004, 1);
    EXPECT_EQ(successor_asks(2005).verdict, Verdict::forbidden);
    EXPECT_FALSE(successor_asks(2005).is_stale);
    rights_.put_rules("c", "ann", rules("a"), 2006);  // The one before was late.
    rights_.keep_rules("c", 2006, 0);
    EXPECT_TRUE(successor_asks(2006).is_stale);
}

TEST(FewRights, make_room_for_others_when_nobody_uses_them) {
    constexpr std::uint64_t day_ms = 86'400'000;
    KnownClients rights(16);
    const auto put = [&](int client, std::uint64_t now_ms) {
        return rights.put("c" + std::to_string(client), {.user_name = "ann"}, {}, now_ms, times);
    };
    int let_in = 0;
    for (int client = 0; client < 1000; ++client) let_in += put(client, 0) ? 1 : 0;
    EXPECT_EQ(let_in, 16);
    EXPECT_EQ(rights.size(), 16U);
    for (int client = 1000; client < 2000; ++client) let_in += put(client, day_ms) ? 1 : 0;
    EXPECT_EQ(let_in, 32);
    EXPECT_EQ(rights.size(), 16U);
}

}  // namespace
}  // namespace auth
