// Shared subscriptions, section 4.8.2: with all members on one shard, and on three.
#include <algorithm>
#include <map>
#include <utility>

#include "storage/memory_store.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

class Shared : public BrokerTest, public ::testing::WithParamInterface<std::uint32_t> {
protected:
    void SetUp() override { shards = GetParam(); }

    // Three clients that are on shards of their own as far as there are any.
    TestClient& one() { return on(0, "one"); }
    TestClient& two() { return on(1, "two"); }
    TestClient& publisher() {
        TestClient& third = on(2, "publisher");
        if (!std::exchange(is_publisher_here_, true)) third.join();
        return third;
    }
    // Publishes "1", "2", ... with QoS 1.
    void publish(int count, const std::string& topic = "t") {
        for (int i = 0; i < count; ++i) {
            publisher().publish(topic, std::to_string(++published_), {.qos = 1}).expect(puback);
        }
    }
    // Joins the group "g" at "t".
    TestClient& member(TestClient& client, const ConnectTerms& terms = {.version = v5},
                       int qos = 1) {
        return client.join(terms).subscribe("$share/g/t", qos).expect(suback);
    }
    static void expect_all(TestClient& client, const std::vector<std::string>& payloads) {
        for (const std::string& payload : payloads) client.expect_publish("t", payload, 1);
        client.expect_nothing();
    }
    storage::MemoryStore memory;
    std::size_t group_count() { return world().broker().shared_groups().count(); }

private:
    TestClient& on(std::uint32_t shard, const std::string& name) {
        return client(name, id_on(shard % shards, name));
    }
    int published_ = 0;
    bool is_publisher_here_ = false;
};

INSTANTIATE_TEST_SUITE_P(Shards, Shared, ::testing::Values(1, 3));

TEST_P(Shared, each_message_goes_to_one_member_in_turn) {
    member(one());
    member(two(), {.version = v3_1_1});
    publish(100);
    EXPECT_EQ(50U, one().waiting());
    EXPECT_EQ(50U, two().waiting());
    for (int i = 1; i <= 100; i += 2) one().expect_publish("t", std::to_string(i), 1);
    for (int i = 2; i <= 100; i += 2) two().expect_publish("t", std::to_string(i), 1);
}

TEST_P(Shared, members_that_publish_from_every_shard_get_equal_shares) {
    member(one());
    member(two(), {.version = v3_1});
    for (int i = 0; i < 30; ++i) {
        one().publish("t", "from one");
        two().publish("t", "from two");
        publisher().publish("t", "from outside");
    }
    EXPECT_EQ(45U, one().waiting());
    EXPECT_EQ(45U, two().waiting());
}

TEST_P(Shared, each_group_gets_its_copy_and_so_does_each_normal_subscription) {
    member(one()).subscribe("t", 1).expect(suback).subscribe("$share/h/+", 1).expect(suback);
    two().join().subscribe("$share/g/#", 1).expect(suback);
    publish(1);
    EXPECT_EQ(3U, one().waiting());
    EXPECT_EQ(1U, two().waiting());
}

TEST_P(Shared, dollar_topics_are_not_matched_by_leading_wildcards) {
    one().join().subscribe("$share/g/#").expect(suback);
    publisher().publish("$other/x", "1");
    one().expect_nothing().subscribe("$share/g/$other/#").expect(suback);
    publisher().publish("$other/x", "2");
    one().expect_publish("$other/x", "2").expect_nothing();
}

TEST_P(Shared, MQTT_4_8_2_3_each_member_gets_the_quality_it_was_granted) {
    member(one(), {.version = v5}, 0);
    member(two(), {.version = v5}, 2);
    for (const int qos : {1, 1}) publisher().publish("t", "m", {.qos = qos}).expect(puback);
    one().expect_publish("t", "m", 0).expect_nothing();
    two().expect_publish("t", "m", 1).expect_nothing();
}

TEST_P(Shared, MQTT_3_8_3_4_no_local_on_a_shared_subscription_is_a_protocol_error) {
    one().join({.version = v5}).subscribe("$share/g/t", {.no_local = true});
    one().expect(disconnected, ReasonCode::protocol_error).expect_closed();
}

TEST_P(Shared, retained_messages_are_not_sent_on_subscribing) {
    publisher().publish("t", "kept", {.retain = true});
    member(one()).expect_nothing();
    one().subscribe("t").expect(suback).expect_publish("t", "kept").expect_nothing();
}

TEST_P(Shared, the_retain_flag_is_as_the_member_asked) {
    member(one());
    two().join({.version = v5}).subscribe("$share/g/t", {.qos = 1, .retain_as_published = true});
    two().expect(suback);
    publisher().publish("t", "1", {.retain = true}).publish("t", "2", {.retain = true});
    EXPECT_FALSE(one().expect_publish("t", "1").last().retain);
    EXPECT_TRUE(two().expect_publish("t", "2").last().retain);
}

TEST_P(Shared, subscription_identifiers_and_options_are_those_of_the_last_subscribe) {
    member(one()).subscribe("$share/g/t", {.qos = 1, .id = 7}).expect(suback);
    one().subscribe("$share/g/t", {.qos = 0, .id = 8}).expect(suback);
    publish(2);
    one().expect_publish("t", "1", 0);
    EXPECT_EQ(std::vector<std::uint32_t>{8}, one().last().subscription_ids);
    one().expect_publish("t", "2", 0).expect_nothing();
}

TEST_P(Shared, unsubscribing_needs_the_full_name_and_ends_the_group) {
    member(one()).unsubscribe("t").expect(unsuback, ReasonCode::no_subscription_existed);
    one().unsubscribe("$share/x/t").expect(unsuback, ReasonCode::no_subscription_existed);
    EXPECT_EQ(1U, group_count());
    one().unsubscribe("$share/g/t").expect(unsuback, ReasonCode::success);
    EXPECT_EQ(0U, group_count());
    publish(1);
    one().expect_nothing().unsubscribe("$share/g/t");
    one().expect(unsuback, ReasonCode::no_subscription_existed);
}

TEST_P(Shared, groups_end_with_their_sessions) {
    member(one());
    member(two(), persistent());
    EXPECT_EQ(2U, count(&broker::Counters::shared_subscriptions));
    EXPECT_EQ(0U, count(&broker::Counters::subscriptions));
    one().drop();
    EXPECT_EQ(1U, count(&broker::Counters::shared_subscriptions));
    two().drop().connect();
    EXPECT_EQ(0U, count(&broker::Counters::shared_subscriptions));
    EXPECT_EQ(0U, group_count());
}

// Who is connected, and who is not.

TEST_P(Shared, an_absent_member_only_gets_what_nobody_is_there_for) {
    member(one(), persistent(v5)).drop();
    member(two());
    publish(4);
    EXPECT_EQ(4U, two().waiting());
    two().disconnect();
    publish(2);
    expect_all(one().join(persistent(v5)), {"5", "6"});
}

TEST_P(Shared, absent_members_share_what_waits) {
    member(one(), persistent()).drop();
    member(two(), persistent()).drop();
    publish(4);
    EXPECT_EQ(2U, one().join(persistent()).waiting());
    EXPECT_EQ(2U, two().join(persistent()).waiting());
}

TEST_P(Shared, what_a_lost_member_has_not_acknowledged_goes_to_another_in_order) {
    options.inflight_messages_max = 3;
    member(one()).manual_acks();
    publish(6);
    member(two());
    one().drop();
    expect_all(two(), {"1", "2", "3", "4", "5", "6"});
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_P(Shared, MQTT_3_3_1_1_another_member_gets_it_without_dup) {
    member(one()).manual_acks();
    publish(1);
    member(two());
    one().drop();
    EXPECT_FALSE(two().expect_publish("t", "1", 1).last().dup);
}

TEST_P(Shared, a_persistent_member_gives_up_its_messages_too) {
    member(one(), persistent(v5)).manual_acks();
    publish(2);
    one().ack(puback, one().oldest_unacknowledged());
    member(two());
    one().disconnect();
    expect_all(two(), {"2"});
    one().join(persistent(v5)).expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_P(Shared, without_another_member_a_persistent_session_keeps_them) {
    member(one(), persistent(v5)).manual_acks();
    publish(2);
    one().drop();
    one().join(persistent(v5));
    EXPECT_TRUE(one().expect_publish("t", "1", 1).last().dup);
    EXPECT_TRUE(one().expect_publish("t", "2", 1).last().dup);
}

TEST_P(Shared, a_session_that_ends_leaves_them_to_a_member_that_is_away) {
    member(two(), persistent()).drop();
    member(one()).manual_acks();
    publish(2);
    one().drop();
    expect_all(two().join(persistent()), {"1", "2"});
}

TEST_P(Shared, a_session_that_expires_leaves_them_to_the_others) {
    member(one(), persistent(v5)).manual_acks();
    publish(2);
    one().drop();
    member(two()).expect_nothing();
    advance(3601s);
    expect_all(two(), {"1", "2"});
}

TEST_P(Shared, a_takeover_is_a_lost_connection) {
    member(one(), persistent(v5)).manual_acks();
    publish(1);
    member(two());
    one().join(persistent(v5)).expect_nothing();
    expect_all(two(), {"1"});
}

TEST_P(Shared, what_came_by_a_normal_subscription_stays) {
    one().join(persistent(v5)).manual_acks().subscribe("t", 1).expect(suback);
    member(two());
    publish(1);
    expect_all(two(), {"1"});
    one().drop();
    two().expect_nothing();
    EXPECT_TRUE(one().join(persistent(v5)).expect_publish("t", "1", 1).last().dup);
}

TEST_P(Shared, what_has_expired_is_not_handed_over) {
    member(one()).manual_acks();
    publisher().publish("t", "old", {.qos = 1});
    two().join({.version = v5}).publish("t", "short", {.qos = 1, .expiry_s = 10}).expect(puback);
    two().subscribe("$share/g/t", 1).expect(suback);
    advance(11s);
    one().drop();
    two().expect_publish("t", "old", 1).expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::dropped_expired));
}

TEST_P(Shared, unsubscribing_hands_over_the_queue_and_completes_what_was_sent) {
    options.inflight_messages_max = 1;
    member(one()).manual_acks();
    publish(3);
    member(two());
    one().expect_publish("t", "1", 1).unsubscribe("$share/g/t").expect(unsuback);
    expect_all(two(), {"2", "3"});
    one().ack(puback, one().oldest_unacknowledged()).expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_P(Shared, a_new_subscription_does_not_inherit_the_messages_of_the_last_one) {
    member(one(), persistent(v5)).manual_acks();
    publish(1);
    one().unsubscribe("$share/g/t").subscribe("$share/other/t", 1);
    two().join().subscribe("$share/other/t", 1).expect(suback);
    one().drop();
    two().expect_nothing();
    EXPECT_TRUE(one().join(persistent(v5)).expect_publish("t", "1", 1).last().dup);
}

// QoS 2, and refusals.

TEST_P(Shared, MQTT_4_8_2_4_quality_2_in_flight_stays_with_its_session) {
    member(one(), persistent(v5), 2).manual_acks();
    publisher().publish("t", "m", {.qos = 2}).expect(pubrec);
    const PacketId id = one().expect_publish("t", "m", 2).last().id;
    member(two(), {.version = v5}, 2);
    one().drop();
    two().expect_nothing();
    one().join(persistent(v5)).expect_publish("t", "m", 2);
    EXPECT_TRUE(one().last().dup);
    EXPECT_EQ(id, one().last().id);
    one().ack(pubrec, id).expect(pubrel).drop();
    one().join(persistent(v5)).expect(pubrel).expect_nothing();
}

TEST_P(Shared, MQTT_4_8_2_5_quality_2_in_flight_ends_with_its_session) {
    member(one(), {.version = v5}, 2).manual_acks();
    publisher().publish("t", "m", {.qos = 2}).expect(pubrec);
    member(two(), {.version = v5}, 2);
    one().drop();
    two().expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_P(Shared, quality_2_that_was_not_sent_goes_to_another) {
    options.inflight_messages_max = 1;
    member(one(), persistent(v5), 2).manual_acks();
    for (const char* payload : {"sent", "waits"}) {
        publisher().publish("t", payload, {.qos = 2}).expect(pubrec);
        publisher().ack(pubrel, publisher().last_id()).expect(pubcomp);
    }
    member(two(), {.version = v5}, 2);
    one().drop();
    two().expect_publish("t", "waits", 2).expect_nothing();
}

TEST_P(Shared, MQTT_4_8_2_6_what_a_member_refuses_goes_to_nobody) {
    member(one(), {.version = v5}, 2).manual_acks();
    publish(1);
    publisher().publish("t", "m", {.qos = 2}).expect(pubrec);
    member(two(), {.version = v5}, 2);
    const PacketId first = one().expect_publish("t", "1", 1).last().id;
    const PacketId second = one().expect_publish("t", "m", 2).last().id;
    one().ack(puback, first, ReasonCode::unspecified_error);
    one().ack(pubrec, second, ReasonCode::quota_exceeded).drop();
    two().expect_nothing();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_P(Shared, a_member_with_a_full_queue_passes_its_turn_on) {
    options.inflight_messages_max = 1;
    options.queued_messages_max = 1;
    member(one()).manual_acks();
    member(two());
    publish(10);
    EXPECT_EQ(1U, one().waiting());
    EXPECT_EQ(8U, two().waiting());
    EXPECT_EQ(0U, count(&broker::Counters::dropped_queue_full));
    two().drop();
    publish(1);
    EXPECT_EQ(1U, count(&broker::Counters::dropped_queue_full)) << "there is no other";
}

TEST_P(Shared, a_member_that_may_not_receive_passes_its_turn_on) {
    member(one());
    member(two());
    const std::string denied = id_on(0, "one");
    world().authorizer.answer = [&](const broker::AccessRequest& request) {
        return request.access != broker::Access::receive || request.client_id != denied;
    };
    publish(4);
    one().expect_nothing();
    EXPECT_EQ(4U, two().waiting());
    two().drop();
    publish(1);
    one().expect_nothing();
    EXPECT_EQ(1U, count(&broker::Counters::dropped_no_member));
}

// Strategies.

TEST_P(Shared, sticky_stays_with_one_member_until_it_goes) {
    options.shared_strategy = broker::SharedStrategy::sticky;
    member(one());
    member(two());
    publish(3);
    expect_all(one(), {"1", "2", "3"});
    one().disconnect();
    publish(2);
    expect_all(two(), {"4", "5"});
}

TEST_P(Shared, hash_keeps_a_topic_with_its_member) {
    options.shared_strategy = broker::SharedStrategy::hash;
    one().join().subscribe("$share/g/+", 1).expect(suback);
    two().join().subscribe("$share/g/+", 1).expect(suback);
    std::map<std::string, int> owners;
    for (int i = 0; i < 300; ++i) {
        const std::string topic = std::to_string(i % 100);
        publisher().publish(topic, "m");
        TestClient& owner = one().waiting() == 1 ? one() : two();
        owner.expect_publish(topic, "m").expect_nothing();
        const int number = &owner == &one() ? 1 : 2;
        EXPECT_EQ(number, owners.emplace(topic, number).first->second);
    }
    EXPECT_GT(std::count_if(owners.begin(), owners.end(), [](auto& o) { return o.second == 1; }),
              20);
}

// Names, rights, limits.

TEST_P(Shared, the_mount_point_belongs_to_the_filter) {
    broker::ListenerOptions mounted;
    mounted.mount_point = "m/";
    member(one().on(mounted));
    member(two());
    publisher().publish("m/t", "mounted").publish("t", "bare");
    one().expect_publish("t", "mounted").expect_nothing();
    two().expect_publish("t", "bare").expect_nothing();
    one().unsubscribe("$share/g/t").expect(unsuback, ReasonCode::success);
    EXPECT_EQ(1U, group_count());
    one().disconnect();
}

TEST_P(Shared, the_right_to_subscribe_is_asked_for_the_filter) {
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.access != broker::Access::subscribe || request.topic == "t";
    };
    member(one());
    EXPECT_EQ(std::vector<std::uint8_t>{1}, one().last().reasons);
    one().subscribe("$share/g/u").expect(suback, ReasonCode::not_authorized);
}

TEST_P(Shared, a_session_has_4095_of_them_at_most) {
    one().join({.version = v5});
    for (int i = 0; i < 4095; ++i) one().subscribe("$share/g" + std::to_string(i) + "/t", 1);
    for (int i = 0; i < 4095; ++i) one().expect(suback, ReasonCode::granted_qos_1);
    one().subscribe("$share/g/t").expect(suback, ReasonCode::quota_exceeded);
    one().subscribe("$share/g7/t", 2).expect(suback, ReasonCode::granted_qos_2);
    one().unsubscribe("$share/g7/t").expect(unsuback, ReasonCode::success);
    one().subscribe("$share/g/t", 1).expect(suback, ReasonCode::granted_qos_1);
    one().disconnect();
    EXPECT_EQ(0U, group_count());
}

TEST_P(Shared, they_are_there_again_after_a_restart) {
    store = &memory;
    member(one(), persistent(v5));
    member(two(), persistent(v5)).subscribe("$share/h/t", {.qos = 1, .id = 9}).expect(suback);
    two().unsubscribe("$share/g/t").expect(unsuback);
    restart();
    EXPECT_EQ(2U, group_count());
    one().join(persistent(v5));
    two().join(persistent(v5));
    client("p").join().publish("t", "m", {.qos = 1}).expect(puback);
    one().expect_publish("t", "m", 1).expect_nothing();
    two().expect_publish("t", "m", 1).expect_nothing();
    EXPECT_EQ(std::vector<std::uint32_t>{9}, two().last().subscription_ids);
}

// A member that goes while messages for it are on their way.

class SharedOnTheWay : public Shared {
protected:
    // Ten messages for the group wait in front of the shard of one().
    void send_ten() {
        publisher();
        world().refuse_batches(0, true);
        publish(10);
    }
    void let_arrive() {
        world().refuse_batches(0, false);
        world().settle();
    }
};

INSTANTIATE_TEST_SUITE_P(Shards, SharedOnTheWay, ::testing::Values(3));

TEST_P(SharedOnTheWay, they_go_on_to_a_member_that_is_connected) {
    member(one(), persistent(v5));
    send_ten();
    one().drop();
    member(two());
    let_arrive();
    EXPECT_EQ(10U, two().waiting());
    for (int i = 1; i <= 10; ++i) two().expect_publish("t", std::to_string(i), 1);
}

TEST_P(SharedOnTheWay, they_wait_for_the_member_if_there_is_no_other) {
    member(one(), persistent(v5));
    send_ten();
    one().drop();
    let_arrive();
    EXPECT_EQ(10U, one().join(persistent(v5)).waiting());
}

TEST_P(SharedOnTheWay, they_go_on_when_the_session_has_ended) {
    member(two(), persistent(v5)).drop();
    member(one());
    send_ten();
    one().drop();
    let_arrive();
    EXPECT_EQ(10U, two().join(persistent(v5)).waiting());
}

TEST_P(SharedOnTheWay, they_are_counted_when_nobody_is_left) {
    member(one());
    send_ten();
    one().drop();
    let_arrive();
    EXPECT_EQ(10U, count(&broker::Counters::dropped_no_member));
}

}  // namespace
}  // namespace support
