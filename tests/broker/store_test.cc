// What outlives the broker, and what a client is told before it does: restarts on one store.
#include "storage/memory_store.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

class StoreTest : public BrokerTest {
protected:
    StoreTest() { store = &memory; }

    // A session of that name that was subscribed to "t" and is away.
    void leave(const std::string& name, int qos, Version version = v3_1_1) {
        client(name).join(persistent(version)).subscribe("t", qos).expect(suback).drop();
    }
    TestClient& publisher() {
        TestClient& one = client("publisher");
        return one.is_open() ? one : one.join();
    }
    void commit_all() {
        for (std::uint32_t shard = 0; shard < shards; ++shard) memory.commit(shard);
        world().settle();
    }

    storage::MemoryStore memory;
};

using Restart = StoreTest;
using Gate = StoreTest;
using Recorded = StoreTest;

TEST_F(Restart, a_session_and_its_subscriptions_are_there_again) {
    client("a").join(persistent()).subscribe("x/+", 1).expect(suback).subscribe("y").expect(suback);
    client("a").unsubscribe("y").expect(unsuback);
    restart();
    client("a").connect(persistent()).expect(connack);
    EXPECT_TRUE(client("a").last().session_present);
    publisher().publish("y", "no").publish("x/1", "yes", {.qos = 1}).expect(puback);
    client("a").expect_publish("x/1", "yes", 1).expect_nothing();
}

TEST_F(Restart, a_session_that_ended_with_its_connection_is_gone) {
    client("a").join({.version = v5}).subscribe("t", 1).expect(suback);
    client("b").join(persistent(v5)).subscribe("t", 1).expect(suback);
    client("b").disconnect(ReasonCode::success, 0);
    restart();
    for (const std::string name : {"a", "b"}) {
        client(name).connect(persistent(v5)).expect(connack);
        EXPECT_FALSE(client(name).last().session_present) << name;
    }
}

TEST_F(Restart, subscription_options_and_identifiers_come_back) {
    client("a")
        .join(persistent(v5))
        .subscribe("t", SubscribeTerms{.qos = 1, .retain_as_published = true, .id = 77});
    restart();
    client("a").join(persistent(v5));
    publisher().publish("t", "r", {.qos = 1, .retain = true}).expect(puback);
    client("a").expect_publish("t", "r", 1);
    EXPECT_TRUE(client("a").last().retain);
    EXPECT_EQ(std::vector<std::uint32_t>{77}, client("a").last().subscription_ids);
}

TEST_F(Restart, queued_messages_come_in_their_order_with_what_belongs_to_them) {
    leave("a", 2, v5);
    client("publisher").join({.version = v5});
    for (int i = 0; i < 30; ++i) {
        publisher()
            .publish("t", std::to_string(i), {.qos = 1 + i % 2, .content_type = "number"})
            .expect(i % 2 == 0 ? puback : pubrec);
    }
    restart();
    EXPECT_EQ(30U, count(&broker::Counters::queued_messages));
    client("a").join(persistent(v5));
    for (int i = 0; i < 30; ++i) {
        client("a").expect_publish("t", std::to_string(i), 1 + i % 2);
        EXPECT_EQ("number", client("a").last().content_type);
        EXPECT_FALSE(client("a").last().dup);
    }
    client("a").expect_nothing();
    restart();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(Restart, MQTT311_4_4_0_1_what_was_in_flight_is_sent_again_with_dup_before_what_waited) {
    options.inflight_messages_max = 2;
    client("a").join(persistent()).manual_acks().subscribe("t", 1).expect(suback);
    for (const auto* text : {"1", "2", "3", "4"}) publisher().publish("t", text, {.qos = 1});
    client("a").expect_publish("t", "1", 1).ack(puback, client("a").last().id);
    client("a").expect_publish("t", "2", 1);
    const PacketId second = client("a").last().id;
    client("a").expect_publish("t", "3", 1).expect_nothing();
    restart();
    client("a").manual_acks().connect(persistent()).expect(connack);
    client("a").expect_publish("t", "2", 1);
    EXPECT_TRUE(client("a").last().dup);
    EXPECT_EQ(second, client("a").last().id);
    client("a").expect_publish("t", "3", 1);
    EXPECT_TRUE(client("a").last().dup);
    client("a").expect_nothing().ack(puback, second).expect_publish("t", "4", 1);
    EXPECT_FALSE(client("a").last().dup);
}

TEST_F(Restart, after_pubrec_only_pubrel_is_sent_again) {
    client("a").join(persistent()).manual_acks().subscribe("t", 2).expect(suback);
    publisher().publish("t", "once", {.qos = 2}).expect(pubrec);
    client("a").expect_publish("t", "once", 2);
    const PacketId id = client("a").last().id;
    client("a").ack(pubrec, id).expect(pubrel);
    restart();
    client("a").manual_acks().connect(persistent()).expect(connack).expect(pubrel);
    EXPECT_EQ(id, client("a").last().id);
    client("a").ack(pubcomp, id).expect_nothing();
    restart();
    client("a").join(persistent()).expect_nothing();
}

TEST_F(Restart, MQTT311_4_3_3_2_an_identifier_that_was_not_released_is_a_repeat) {
    leave("b", 2);
    client("a").join(persistent()).publish("t", "once", {.qos = 2, .id = 9}).expect(pubrec);
    restart();
    client("a").join(persistent()).publish("t", "once", {.qos = 2, .dup = true, .id = 9});
    client("a").expect(pubrec).ack(pubrel, 9).expect(pubcomp);
    restart();
    client("a").join(persistent()).publish("t", "new", {.qos = 2, .id = 9}).expect(pubrec);
    client("b").join(persistent()).expect_publish("t", "once", 2).expect_publish("t", "new", 2);
    client("b").expect_nothing();
}

TEST_F(Restart, retained_messages_come_back_unless_cleared_or_expired) {
    publisher().publish("r/kept", "1", {.retain = true}).publish("r/kept", "2", {.retain = true});
    publisher().publish("r/gone", "x", {.retain = true}).publish("r/gone", "", {.retain = true});
    client("v5").join({.version = v5}).publish("r/late", "x", {.retain = true, .expiry_s = 10});
    restart(11s);
    EXPECT_EQ(1U, world().broker().retained().count());
    client("a").join().subscribe("r/#").expect(suback).expect_publish("r/kept", "2");
    EXPECT_TRUE(client("a").last().retain);
    client("a").expect_nothing();
}

TEST_F(Restart, a_session_expires_by_the_time_that_the_broker_was_away) {
    client("short").join({.version = v5, .session_expiry_s = 100}).drop();
    client("long").join({.version = v5, .session_expiry_s = 200}).drop();
    client("there").join({.version = v5, .session_expiry_s = 100});
    advance(50s);
    restart(60s);
    advance(1s);
    EXPECT_EQ(nullptr, world().shard(0).find_session("short"));
    EXPECT_NE(nullptr, world().shard(0).find_session("long"));
    EXPECT_NE(nullptr, world().shard(0).find_session("there")) << "was connected until the end";
    advance(88s);
    EXPECT_NE(nullptr, world().shard(0).find_session("long"));
    restart();  // For "there" the time did not begin anew.
    advance(2s);
    EXPECT_EQ(nullptr, world().shard(0).find_session("long"));
    EXPECT_NE(nullptr, world().shard(0).find_session("there"));
    advance(10s);
    EXPECT_EQ(nullptr, world().shard(0).find_session("there"));
}

TEST_F(Restart, a_delayed_will_is_published_when_it_is_due) {
    const WillTerms will{.topic = "t", .payload = "gone", .qos = 1, .delay_s = 100};
    leave("watcher", 1);
    client("a").join({.version = v5, .will = will, .session_expiry_s = 3600}).drop();
    client("back").join({.version = v5, .will = will, .session_expiry_s = 3600}).drop();
    client("back").join({.version = v5, .clean_start = false, .session_expiry_s = 3600});
    restart(60s);
    client("watcher").join(persistent()).expect_nothing();
    advance(39s);
    client("watcher").expect_nothing();
    advance(2s);
    client("watcher").expect_publish("t", "gone", 1).expect_nothing();
    restart(100s);
    advance(1s);
    client("watcher").join(persistent()).expect_nothing();
}

TEST_F(Restart, a_delayed_will_needs_the_right_of_the_user_who_left_it) {
    const WillTerms will{.topic = "t", .payload = "gone", .qos = 1, .delay_s = 10};
    leave("watcher", 1);
    for (const char* name : {"ann", "bob"}) {
        client(name)
            .join({.version = v5, .will = will, .user_name = name, .session_expiry_s = 3600})
            .drop();
    }
    restart();
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        return request.access != broker::Access::publish || request.user_name == "ann";
    };
    advance(11s);
    client("watcher").join(persistent()).expect_publish("t", "gone", 1).expect_nothing();
}

TEST_F(Restart, what_is_retained_needs_the_right_of_the_user_who_published_it) {
    for (const char* name : {"ann", "bob"}) {
        const PublishTerms terms{.qos = 1, .retain = true};
        client(name).join({.user_name = name}).publish(name, "1", terms).expect(puback);
    }
    restart();
    world().authorizer.answer = [](const broker::AccessRequest& request) {
        const bool is_ann = request.user_name == "ann" && request.client_id == "ann";
        return request.access != broker::Access::publish || is_ann;
    };
    client("watcher").join().subscribe("+").expect(suback).expect_publish("ann", "1");
    client("watcher").expect_nothing();
}

TEST_F(Restart, a_session_may_belong_to_another_shard_than_before) {
    for (int i = 0; i < 20; ++i) leave("c" + std::to_string(i), 1);
    shards = 3;
    restart();
    publisher().publish("t", "all", {.qos = 1});
    for (int i = 0; i < 20; ++i) {
        client("c" + std::to_string(i)).join(persistent()).expect_publish("t", "all", 1);
    }
}

TEST_F(Restart, what_was_not_committed_is_as_if_it_had_not_happened) {
    leave("a", 1);
    memory.hold_commits();
    publisher().publish("t", "lost", {.qos = 1}).expect_nothing();
    memory.lose_pending();
    restart();
    publisher().publish("t", "again", {.qos = 1}).expect(puback);
    client("a").join(persistent()).expect_publish("t", "again", 1).expect_nothing();
}

// A store whose records contradict each other.
class DamagedStore : public storage::LevelMemory {
public:
    void restore(const std::function<void(const broker::Change&)>& each) override {
        using broker::SessionNumber;
        const auto puback_due = broker::OutgoingState::wait_puback;
        each(broker::SessionKept{.session = SessionNumber{1}, .client_id = "a", .expiry_s = 60});
        each(broker::SessionKept{.session = SessionNumber{2}, .client_id = "a", .expiry_s = 60});
        each(broker::SubscriptionKept{.session = SessionNumber{3}, .filter = "t", .options = {}});
        each(broker::MessageKept{.session = SessionNumber{1}, .order = 1});
        for (std::uint64_t order = 2; order <= 3; ++order) {
            each(broker::MessageKept{
                .session = SessionNumber{1},
                .order = order,
                .message = broker::Message::make({.topic = "t", .payload = {}, .properties = {}}),
                .qos = mqtt::Qos::at_least_once,
                .state = puback_due,
                .packet_id = 7});
        }
    }
};

TEST_F(Restart, records_that_do_not_fit_together_are_left_out_and_the_broker_starts) {
    DamagedStore damaged;
    store = &damaged;
    EXPECT_TRUE(world().log.contains("4 records of the store do not fit together"));
    client("a").join(persistent()).expect_publish("t", "", 1);
    EXPECT_EQ(7, client("a").last().id);
    client("a").expect_nothing();
}

TEST_F(Gate, a_client_is_not_told_that_its_session_is_gone_before_that_is_safe) {
    leave("a", 1);
    memory.hold_commits();
    client("a").connect().expect_nothing().drop();
    client("a").connect().expect_nothing();
    client("b").connect().expect(connack);
    commit_all();
    client("a").expect(connack);
    client("a").drop();
    client("a").connect().expect(connack);
}

TEST_F(Gate, a_puback_waits_for_the_commit) {
    leave("a", 1);
    publisher();
    memory.hold_commits();
    publisher().publish("t", "m", {.qos = 1}).expect_nothing();
    EXPECT_EQ(1U, memory.pending());
    commit_all();
    publisher().expect(puback);
}

TEST_F(Gate, connack_suback_and_unsuback_of_a_persistent_session_wait) {
    memory.hold_commits();
    TestClient& a = client("a").connect(persistent()).expect_nothing();
    commit_all();
    a.expect(connack).subscribe("t", 1).expect_nothing();
    commit_all();
    a.expect(suback).unsubscribe("t").expect_nothing();
    commit_all();
    a.expect(unsuback);
}

TEST_F(Gate, a_second_clear_of_a_retained_message_is_as_safe_as_the_first) {
    publisher().publish("r", "1", {.qos = 1, .retain = true}).expect(puback);
    client("a").join();
    memory.hold_commits();
    publisher().publish("r", "", {.qos = 1, .retain = true}).expect_nothing();
    client("a").publish("r", "", {.qos = 1, .retain = true}).expect_nothing();
    commit_all();
    publisher().expect(puback);
    client("a").expect(puback).expect_nothing();
}

TEST_F(Gate, both_steps_of_qos_2_wait_on_both_sides) {
    leave("a", 2);
    client("a").join(persistent()).manual_acks();
    client("p").join(persistent());
    memory.hold_commits();
    client("p").publish("t", "m", {.qos = 2, .id = 1}).expect_nothing();
    client("a").expect_nothing();
    commit_all();
    client("p").expect(pubrec).ack(pubrel, 1).expect_nothing();
    client("a").expect_publish("t", "m", 2).ack(pubrec, client("a").last().id).expect_nothing();
    commit_all();
    client("p").expect(pubcomp);
    client("a").expect(pubrel);
}

TEST_F(Gate, a_qos_1_message_does_not_wait_but_its_puback_does) {
    client("a").join(persistent()).subscribe("t", 1).expect(suback);
    publisher();
    memory.hold_commits();
    publisher().publish("t", "m", {.qos = 1}).expect_nothing();
    client("a").expect_publish("t", "m", 1);
    commit_all();
    publisher().expect(puback);
}

TEST_F(Gate, turns_are_released_one_by_one_and_in_order) {
    leave("a", 1);
    publisher();
    memory.hold_commits();
    for (int i = 0; i < 3; ++i) publisher().publish("t", "m", {.qos = 1});
    publisher().ping().expect_nothing();
    for (int i = 0; i < 2; ++i) {
        memory.commit(0, 1);
        world().settle();
        publisher().expect(puback).expect_nothing();
    }
    memory.commit(0, 1);
    world().settle();
    publisher().expect(puback).expect(pingresp).expect_nothing();
}

TEST_F(Gate, a_client_that_leaves_is_still_answered_and_one_that_broke_is_forgotten) {
    leave("a", 1);
    publisher();
    client("broken").join();
    memory.hold_commits();
    publisher().publish("t", "1", {.qos = 1}).disconnect().expect_nothing();
    EXPECT_TRUE(publisher().is_open());
    client("broken").publish("t", "2", {.qos = 1}).drop();
    commit_all();
    client("publisher").expect(puback).expect_closed();
}

TEST_F(Gate, more_than_a_pump_takes_at_once_goes_on_after_the_commit) {
    options.queued_messages_max = 0;
    options.inflight_messages_max = 0;
    leave("a", 2);
    const std::string large(20'000, 'x');
    for (int i = 0; i < 40; ++i) publisher().publish("t", large, {.qos = 1});
    memory.hold_commits();
    client("a").connect(persistent()).manual_acks().expect_nothing();
    for (int i = 0; i < 10; ++i) commit_all();
    client("a").expect(connack);
    EXPECT_EQ(40U, client("a").waiting());
}

TEST_F(Gate, what_promises_nothing_is_not_held) {
    leave("a", 1);
    client("b").join().subscribe("t").expect(suback);
    memory.hold_commits();
    publisher().publish("t", "m", {.qos = 1}).expect_nothing();
    client("b").expect_publish("t", "m").ping().expect(pingresp);
    client("c").join().publish("nobody", "m", {.qos = 1}).expect(puback);
}

TEST_F(Gate, a_store_that_is_behind_makes_those_wait_who_send_what_it_would_keep) {
    leave("a", 1);
    client("b").join().subscribe("t").expect(suback).subscribe("u").expect(suback);
    publisher();
    memory.set_behind(true, 0);
    client("b").ping().expect(pingresp);
    publisher().publish("t", "1", {.qos = 1}).expect_nothing();
    client("b").expect_nothing();
    client("retains").join().publish("u", "2", {.retain = true}).ping().expect_nothing();
    client("subscribes").join().subscribe("t").expect_nothing();
    client("c").join().publish("u", "0").ping().expect(pingresp);
    client("b").expect_publish("u", "0").expect_nothing();
    memory.set_behind(false, 0);
    world().settle();
    publisher().expect(puback);
    client("retains").expect(pingresp);
    client("subscribes").expect(suback);
}

TEST_F(Recorded, qos_0_and_clean_sessions_leave_nothing) {
    client("a").join().subscribe("t", 2).expect(suback);
    publisher().publish("t", "0").publish("t", "1", {.qos = 1}).expect(puback);
    publisher().publish("t", "2", {.qos = 2, .id = 5}).expect(pubrec).ack(pubrel, 5);
    client("a").unsubscribe("t").disconnect();
    EXPECT_EQ(0U, memory.recorded());
    leave("b", 1);
    const std::size_t before = memory.recorded();
    publisher().publish("t", "0");
    EXPECT_EQ(before, memory.recorded());
}

TEST_F(Recorded, a_message_acknowledged_in_its_turn_leaves_no_record) {
    publisher();
    client("a").join(persistent()).manual_acks().subscribe("t", 1).expect(suback);
    const std::size_t before = memory.recorded();
    memory.hold_commits();
    // Both are read in one turn: the message goes out and is acknowledged before the turn ends.
    const std::vector<std::uint8_t> message{0x32, 6, 0, 1, 't', 0, 1, 'm'};
    const std::vector<std::uint8_t> acknowledgement{0x40, 2, 0, 1};
    BrokerWorld::send(publisher().wire(), message);
    BrokerWorld::send(client("a").wire(), acknowledgement);
    world().settle();
    publisher().expect(puback);
    EXPECT_EQ(before, memory.recorded());
}

TEST_F(Recorded, what_is_not_acknowledged_in_its_turn_is_recorded_until_it_is) {
    client("a").join(persistent()).subscribe("t", 1).expect(suback);
    const std::size_t before = memory.recorded();
    publisher().publish("t", "m", {.qos = 1}).expect(puback);
    EXPECT_EQ(before + 2, memory.recorded());
    restart();
    client("a").join(persistent()).expect_nothing();
}

}  // namespace
}  // namespace support
