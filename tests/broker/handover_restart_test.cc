// Messages on their way from one shard to another when the broker ends: what was recorded with them
// is true, so they must not be lost, and come once.
#include "broker/handover_fixture.h"

namespace support {
namespace {

class HandoverRestart : public HandoverTest {
protected:
    // The others' changes since hold_commits() are lost.
    void end_with_only(std::uint32_t shard) {
        memory.commit(shard);
        memory.lose_pending();
        restart();
    }
    std::size_t kept_handovers() {
        std::size_t count = 0;
        memory.restore([&](const broker::Change& change) {
            if (std::holds_alternative<broker::HandoverKept>(change)) ++count;
        });
        return count;
    }
};

TEST_F(HandoverRestart, a_qos_2_message_is_not_lost_when_only_its_sender_s_shard_is_safe) {
    leave(1, "t", 2);
    leave(2, "t", 2);
    on(0, "pub").join(persistent(v5));
    memory.hold_commits();
    on(0, "pub").publish("t", "m", {.qos = 2, .id = 7}).expect_nothing();
    commit(0);
    commit(2);
    on(0, "pub").expect_nothing();
    end_with_only(0);
    on(0, "pub").join(persistent(v5)).publish("t", "m", {.qos = 2, .dup = true, .id = 7});
    on(0, "pub").expect(pubrec, ReasonCode::success);
    on(1, "away").join(persistent(v5)).expect_publish("t", "m", 2).expect_nothing();
    on(2, "away").join(persistent(v5)).expect_publish("t", "m", 2).expect_nothing();
}

TEST_F(HandoverRestart, what_nobody_has_recorded_is_sent_again_and_comes_once) {
    leave(1, "t", 2);
    on(0, "pub").join(persistent(v5));
    memory.hold_commits();
    on(0, "pub").publish("t", "m", {.qos = 2, .id = 7}).expect_nothing();
    memory.lose_pending();
    restart();
    on(0, "pub").join(persistent(v5)).publish("t", "m", {.qos = 2, .dup = true, .id = 7});
    on(0, "pub").expect(pubrec, ReasonCode::success);
    on(1, "away").join(persistent(v5)).expect_publish("t", "m", 2).expect_nothing();
}

TEST_F(HandoverRestart, missed_messages_come_in_their_order_behind_what_came_before) {
    leave(1, "t", 2);
    on(0, "pub").join(persistent(v5));
    memory.hold_commits();
    on(0, "pub").publish("t", "1", {.qos = 2, .id = 1}).expect_nothing();
    commit(0);
    commit(1);
    on(0, "pub").expect(pubrec);
    on(0, "pub").publish("t", "2", {.qos = 2, .id = 2}).expect_nothing();
    on(0, "pub").publish("t", "3", {.qos = 2, .id = 3}).expect_nothing();
    end_with_only(0);
    on(1, "away").join(persistent(v5));
    for (const std::string payload : {"1", "2", "3"}) {
        on(1, "away").expect_publish("t", payload, 2);
    }
    on(1, "away").expect_nothing();
}

TEST_F(HandoverRestart, another_number_of_threads_makes_no_difference) {
    leave(1, "t", 2);
    leave(2, "t", 2);
    const std::string pub = id_on(0, "pub");
    const std::string missing = id_on(1, "away");
    const std::string present = id_on(2, "away");
    for (const std::uint32_t now : {1U, 5U}) {
        shards = 3;
        restart();
        client(pub).join(persistent(v5));
        memory.hold_commits();
        client(pub).publish("t", "m", {.qos = 2, .id = 7}).expect_nothing();
        memory.commit(0);
        memory.commit(2);
        memory.lose_pending();
        shards = now;
        restart();
        for (const std::string& name : {missing, present}) {
            client(name).join(persistent(v5)).expect_publish("t", "m", 2).expect_nothing();
            client(name).drop();
        }
        client(pub).join(persistent(v5)).ack(pubrel, 7).expect(pubcomp).drop();
    }
}

TEST_F(HandoverRestart, what_has_arrived_leaves_the_store_with_the_next_change) {
    leave(1, "t", 2);
    on(0, "pub").join(persistent(v5)).publish("t", "m", {.qos = 2, .id = 7}).expect(pubrec);
    EXPECT_EQ(1U, kept_handovers());
    on(0, "pub").ack(pubrel, 7).expect(pubcomp);
    EXPECT_EQ(0U, kept_handovers());
}

TEST_F(HandoverRestart, what_arrived_before_the_end_does_not_come_again) {
    leave(1, "t", 2);
    on(0, "pub").join(persistent(v5)).publish("t", "m", {.qos = 2, .id = 7}).expect(pubrec);
    restart();
    EXPECT_EQ(0U, kept_handovers());
    on(1, "away").join(persistent(v5)).expect_publish("t", "m", 2).expect_nothing();
    restart();
    on(1, "away").join(persistent(v5)).expect_nothing();
}

TEST_F(HandoverRestart, a_member_s_messages_are_not_lost_when_its_session_ends) {
    on(0, "member").join(persistent(v5)).subscribe("$share/g/t", 1).expect(suback).drop();
    on(2, "pub").join({.version = v5}).publish("t", "m", {.qos = 1}).expect(puback);
    on(1, "other").join(persistent(v5)).subscribe("$share/g/t", 1).expect(suback).drop();
    memory.hold_commits();
    on(0, "member").connect({.version = v5}).expect_nothing();
    end_with_only(0);
    on(1, "other").join(persistent(v5)).expect_publish("t", "m", 1).expect_nothing();
}

TEST_F(HandoverRestart, a_will_is_not_lost_on_its_way) {
    leave(1, "t", 1);
    ConnectTerms terms = persistent(v5);
    terms.will = WillTerms{.topic = "t", .payload = "gone", .qos = 1, .delay_s = 5};
    on(0, "dies").join(terms).drop();
    world().settle();
    memory.hold_commits();
    advance(6s);
    end_with_only(0);
    on(1, "away").join(persistent(v5)).expect_publish("t", "gone", 1).expect_nothing();
}

TEST_F(HandoverRestart, what_is_passed_on_is_kept_by_who_passes_it_on) {
    on(1, "member").join(persistent(v5)).subscribe("$share/g/t", 2).expect(suback);
    on(0, "pub").join(persistent(v5));
    on(2, "late").join(persistent(v5));
    // Another member comes, and the first one goes, while the message is on its way.
    world().refuse_batches(1, true);
    on(0, "pub").publish("t", "m", {.qos = 2, .id = 7}).expect_nothing();
    on(2, "late").subscribe("$share/g/t", 2).expect(suback);
    on(1, "member").unsubscribe("$share/g/t");
    memory.hold_commits();
    world().refuse_batches(1, false);
    world().settle();
    end_with_only(1);
    on(2, "late").join(persistent(v5)).expect_publish("t", "m", 2).expect_nothing();
}

TEST_F(HandoverRestart, who_keeps_no_session_has_nothing_recorded_on_the_way) {
    leave(1, "t", 2);
    on(0, "pub").join({.version = v5}).publish("t", "m", {.qos = 2, .id = 7}).expect(pubrec);
    on(2, "one").join(persistent(v5)).publish("t", "m", {.qos = 1, .id = 7}).expect(puback);
    EXPECT_EQ(0U, kept_handovers());
}

}  // namespace
}  // namespace support
