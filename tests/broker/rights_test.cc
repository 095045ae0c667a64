// When a client's rights are asked, by which names, and about which topics.
#include <fmt/format.h>

#include <set>

#include "support/broker_fixture.h"

namespace support {
namespace {

using broker::Access;
using broker::AccessRequest;

class Rights : public BrokerTest {
protected:
    // What is asked, as "publish ann tenant/x"; everything is allowed.
    void note_questions() {
        world().authorizer.answer = [this](const AccessRequest& request) {
            const char* const access = request.access == Access::publish     ? "publish"
                                       : request.access == Access::subscribe ? "subscribe"
                                                                             : "receive";
            asked_.insert(fmt::format("{} {} {} of {}", access, request.user_name, request.topic,
                                      request.realm));
            return true;
        };
    }
    // `user` may not receive any more.
    void revoke(const std::string& user) {
        world().authorizer.answer = [user](const AccessRequest& request) {
            return request.access != Access::receive || request.user_name != user;
        };
    }
    std::uint64_t not_received() { return count(&broker::Counters::dropped_not_authorized); }

    std::set<std::string> asked_;
};

ConnectTerms as(std::string_view user, ConnectTerms terms = {}) {
    terms.user_name = user;
    return terms;
}

TEST_F(Rights, every_topic_is_judged_below_the_mount_point) {
    broker::ListenerOptions mounted{.mount_point = "tenant/", .realm = 2};
    note_questions();
    ConnectTerms terms = as("ann");
    terms.will = WillTerms{.topic = "w", .payload = "bye"};
    client("a").on(mounted).join(terms).subscribe("x/#").expect(suback);
    client("a").subscribe("$share/g/y").expect(suback).publish("x/1", "1");
    client("a").expect_publish("x/1", "1").drop();
    const std::set<std::string> want = {
        "publish ann tenant/w of 2", "subscribe ann tenant/x/# of 2", "subscribe ann tenant/y of 2",
        "publish ann tenant/x/1 of 2", "receive ann tenant/x/1 of 2"};
    EXPECT_EQ(asked_, want);
}

TEST_F(Rights, what_waits_is_judged_again_when_it_is_sent) {
    client("sub").join(as("ann", persistent())).subscribe("#", 1).expect(suback).drop();
    client("pub").join().publish("x", "1", {.qos = 1}).expect(puback);
    revoke("ann");
    client("sub").join(as("ann", persistent())).expect_nothing();
    EXPECT_EQ(not_received(), 1U);
    EXPECT_EQ(count(&broker::Counters::queued_messages), 0U);
}

TEST_F(Rights, who_is_away_is_judged_by_the_name_of_its_last_connection) {
    client("sub").join(as("ann", persistent())).subscribe("#", 1).expect(suback).drop();
    revoke("ann");
    client("pub").join().publish("x", "1", {.qos = 1}).expect(puback);
    EXPECT_EQ(not_received(), 1U);
    world().authorizer.answer = {};
    client("sub").join(as("ann", persistent())).expect_nothing();
}

TEST_F(Rights, a_session_that_changes_its_user_has_the_new_ones_rights) {
    client("sub").join(as("ann", persistent())).subscribe("#", 1).expect(suback).drop();
    revoke("ann");
    client("sub").join(as("bob", persistent()));
    client("pub").join().publish("x", "1", {.qos = 1}).expect(puback);
    client("sub").expect_publish("x", "1", 1);
}

TEST_F(Rights, a_revoked_right_ends_a_subscription_that_there_is) {
    client("sub").join(as("ann")).subscribe("#").expect(suback);
    client("pub").join().publish("x", "1");
    client("sub").expect_publish("x", "1");
    revoke("ann");
    client("pub").publish("x", "2", {.retain = true});
    client("sub").expect_nothing().subscribe("x").expect(suback).expect_nothing();
    EXPECT_EQ(not_received(), 2U);
}

TEST_F(Rights, a_refusal_says_who_where_and_by_which_rule_and_is_counted) {
    world().authorizer.answer = [](const AccessRequest&) { return false; };
    client("a").join(as("ann")).publish("secret", "1").subscribe("other").expect(suback);
    client("a").publish("secret", "2");
    EXPECT_EQ(world().log.count("Denied PUBLISH from a (user 'ann', "), 1U);
    EXPECT_TRUE(world().log.contains("topic 'secret' (rule about ann)."));
    EXPECT_FALSE(world().log.contains("Denied SUBSCRIBE"));  // One line a minute for a client.
    const auto cause = static_cast<std::size_t>(broker::Refusal::not_authorized);
    EXPECT_EQ(world().shard(0).counters().refused.at(cause).get(), 3U);
}

class RetainSource : public Rights {
protected:
    void retain_as(std::string_view user, const std::string& topic) {
        client("pub").join(as(user)).publish(topic, "1", {.qos = 1, .retain = true}).expect(puback);
        client("pub").disconnect();
    }
    // `user` may not publish any more.
    void silence(const std::string& user) {
        world().authorizer.answer = [user](const AccessRequest& request) {
            EXPECT_TRUE(request.access != Access::publish || request.if_unknown);
            return request.access != Access::publish || request.user_name != user;
        };
    }
};

TEST_F(RetainSource, has_to_have_the_right_when_its_message_is_delivered) {
    retain_as("ann", "a/1");
    retain_as("bob", "a/2");
    retain_as("ann", "b");
    silence("ann");
    client("sub").join().subscribe("a/+").expect(suback).expect_publish("a/2", "1");
    client("sub").subscribe("b").expect(suback).expect_nothing();
    EXPECT_TRUE(
        world().log.contains("Retained message of pub (user 'ann') not sent to sub: topic "));
    world().authorizer.answer = {};
    client("sub").subscribe("b").expect(suback).expect_publish("b", "1");
}

TEST_F(RetainSource, is_who_published_last) {
    retain_as("ann", "a");
    retain_as("bob", "a");
    silence("ann");
    client("sub").join().subscribe("a").expect(suback).expect_publish("a", "1");
    silence("bob");
    client("sub").subscribe("a").expect(suback).expect_nothing();
}

TEST_F(RetainSource, is_not_asked_with_check_retain_source_false) {
    options.check_retain_source = false;
    retain_as("ann", "a");
    silence("ann");
    client("sub").join().subscribe("a").expect(suback).expect_publish("a", "1");
}

TEST_F(RetainSource, of_a_will_is_who_left_it) {
    ConnectTerms terms = as("ann");
    terms.will = WillTerms{.topic = "w", .payload = "bye", .retain = true};
    client("a").join(terms).drop();
    client("sub").join().subscribe("w").expect(suback).expect_publish("w", "bye");
    silence("ann");
    client("sub").subscribe("w").expect(suback).expect_nothing();
}

// What a login brings: one topic, or its filter, and all of it.
class OneTopic : public broker::GrantedRights {
public:
    explicit OneTopic(std::string topic) : topic_(std::move(topic)) {}
    bool allows(Access, std::string_view topic) const override { return topic == topic_; }
    std::string explain(Access, std::string_view) const override { return "only " + topic_; }

private:
    const std::string topic_;
};

class GrantedTopic : public Rights {
protected:
    // Whoever comes from now on.
    void grant(const std::string& topic) {
        world().authenticator.accepted.granted =
            broker::GrantedRightsRef::adopt(new OneTopic(topic));
    }
    void grant_nothing() { world().authenticator.accepted.granted = {}; }
};

TEST_F(GrantedTopic, is_all_that_its_client_may_use) {
    note_questions();
    grant("mine");
    client("a").join(as("ann", {.version = v5})).subscribe("mine").expect(suback);
    client("a").publish("mine", "1", {.qos = 1}).expect_publish("mine", "1").expect(puback);
    client("a").publish("other", "1", {.qos = 1}).expect(puback, ReasonCode::not_authorized);
    client("a").subscribe("#").expect(suback, ReasonCode::not_authorized);
    EXPECT_TRUE(world().log.contains("topic 'other' (only mine)."));
    EXPECT_TRUE(asked_.empty());
    grant_nothing();
    client("b").join(as("bob")).publish("other", "1", {.qos = 1}).expect(puback);
    EXPECT_TRUE(asked_.contains("publish bob other of 0"));
}

TEST_F(GrantedTopic, is_of_one_login_and_the_next_has_its_own) {
    grant("mine");
    client("a").join(as("ann", persistent())).subscribe("mine", 1).expect(suback).drop();
    client("b").join().publish("mine", "1", {.qos = 1}).expect(puback, ReasonCode::success);
    grant("else");
    client("a").join(as("ann", persistent())).expect_nothing();
    EXPECT_EQ(not_received(), 1U);
    grant_nothing();
    client("a").join(as("ann", persistent()));
    client("a").publish("mine", "2", {.qos = 1}).expect_publish("mine", "2", 1).expect(puback);
}

TEST_F(GrantedTopic, counts_for_a_will_at_connect_and_when_it_is_due) {
    grant("will");
    client("b").join({.version = v5}).subscribe("will").expect(suback);
    ConnectTerms terms{.version = v5, .session_expiry_s = 60};
    terms.will = WillTerms{.topic = "other", .payload = "bye"};
    client("a").connect(terms).expect(connack, ReasonCode::not_authorized).expect_closed();
    terms.will = WillTerms{.topic = "will", .payload = "bye", .delay_s = 5};
    client("a").join(terms).drop();
    revoke("");  // Of whom nobody asks.
    advance(6s);
    client("b").expect_publish("will", "bye");
}

TEST_F(GrantedTopic, is_not_asked_about_again_for_what_was_retained) {
    grant("mine");
    client("a").join(as("ann")).publish("mine", "1", {.qos = 1, .retain = true}).expect(puback);
    grant_nothing();
    world().authorizer.answer = [](const AccessRequest& request) {
        return request.access != Access::publish;
    };
    client("sub").join().subscribe("mine").expect(suback).expect_publish("mine", "1");
}

TEST_F(Rights, a_connect_that_is_refused_is_told_by_its_names) {
    world().authenticator.answer = [](const broker::Credentials&) {
        return ReasonCode::not_authorized;
    };
    client("a").connect(as("ann", {.version = v5})).expect(connack, ReasonCode::not_authorized);
    EXPECT_TRUE(world().log.contains("refused: not authorised (client 'a', user 'ann')."));
    client("b").connect(as("bob", {.version = v5})).expect(connack, ReasonCode::not_authorized);
    EXPECT_FALSE(world().log.contains("client 'b'"));  // The address had its line.
}

TEST_F(Rights, so_is_one_whose_answer_came_late) {
    world().authenticator.is_late = true;
    client("a").connect(as("ann", {.version = v5})).expect_nothing();
    world().authenticator.answer_late(
        broker::AuthAnswer::refuse(ReasonCode::not_authorized, "wrong"));
    world().settle();
    client("a").expect(connack, ReasonCode::not_authorized);
    EXPECT_TRUE(world().log.contains("refused: wrong (client 'a', user 'ann')."));
    client("b").connect(as("bob", {.version = v5})).expect_nothing();
    advance(std::chrono::seconds(60));
    EXPECT_TRUE(
        world().log.contains("no answer of the authentication in 30 s (client 'b', user "
                             "'bob')."));
}

TEST_F(Rights, a_will_that_is_refused_is_told_with_the_rule_to_the_log_alone) {
    world().authorizer.answer = [](const AccessRequest&) { return false; };
    ConnectTerms terms = as("ann", {.version = v5});
    terms.will = WillTerms{.topic = "w", .payload = "bye"};
    client("a").connect(terms).expect(connack, ReasonCode::not_authorized);
    EXPECT_TRUE(
        world().log.contains("refused: will topic 'w' not authorised: rule about ann "
                             "(client 'a', user 'ann')."));
    EXPECT_EQ(client("a").last().reason_string, "will topic 'w' not authorised");
}

TEST_F(Rights, nobody_publishes_in_the_name_of_the_broker) {
    client("a").join({.version = v5}).publish("$SYS/x", "1", {.qos = 1});
    client("a").expect(puback, ReasonCode::not_authorized);
    EXPECT_TRUE(world().log.contains("topic '$SYS/x' ($SYS is the broker's own)."));
}

// What an authorizer keeps of a client: which user that was.
struct Kept : broker::KnownRights {
    std::string user;
};

TEST_F(Rights, what_the_authorizer_keeps_of_a_client_stays_until_its_user_changes) {
    int gathered = 0;
    world().authorizer.answer = [&](const AccessRequest& request) {
        if (!request.known) return true;
        if (!*request.known) {
            auto kept = std::make_unique<Kept>();
            kept->user = request.user_name;
            *request.known = std::move(kept);
            ++gathered;
        }
        return static_cast<const Kept&>(**request.known).user == request.user_name;
    };
    client("a").join(as("ann", persistent())).publish("x", "1").publish("x", "2").drop();
    client("a").join(as("ann", persistent())).publish("x", "3").drop();
    EXPECT_EQ(gathered, 1);
    client("a").join(as("bob", persistent())).publish("x", "4", {.qos = 1}).expect(puback);
    EXPECT_EQ(gathered, 2);
}

}  // namespace
}  // namespace support
