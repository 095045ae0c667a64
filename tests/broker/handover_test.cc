// Acknowledgements of messages that another shard has to store.
#include "broker/handover_fixture.h"

namespace support {
namespace {

using Handover = HandoverTest;

TEST_F(Handover, a_puback_waits_for_the_shard_that_stores_the_message) {
    leave(1, "t", 1);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "m", {.qos = 1}).expect_nothing();
    commit(0);
    on(0, "pub").expect_nothing();
    commit(1);
    on(0, "pub").expect(puback).expect_nothing();
}

TEST_F(Handover, a_puback_waits_for_all_of_them) {
    leave(1, "t", 1);
    leave(2, "t", 1);
    leave(0, "t", 1);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "m", {.qos = 1}).expect_nothing();
    for (const std::uint32_t shard : {2U, 0U}) {
        commit(shard);
        on(0, "pub").expect_nothing();
    }
    commit(1);
    on(0, "pub").expect(puback);
}

TEST_F(Handover, a_pubrec_waits_as_well) {
    leave(2, "t", 2);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "m", {.qos = 2, .id = 7}).expect_nothing();
    commit(2);
    on(0, "pub").expect(pubrec, ReasonCode::success);
}

TEST_F(Handover, who_stores_nothing_is_not_waited_for) {
    on(1, "short").join({.version = v5}).subscribe("t", 1).expect(suback);
    leave(2, "t", 0);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "m", {.qos = 1}).expect(puback);
    on(1, "short").expect_publish("t", "m", 1);
    EXPECT_EQ(0U, memory.pending());
}

TEST_F(Handover, qos_0_makes_nobody_wait) {
    leave(1, "t", 1);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "m").ping().expect(pingresp);
}

TEST_F(Handover, publishers_get_their_answers_in_order) {
    leave(1, "t", 1);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "1", {.qos = 1, .id = 1}).expect_nothing();
    on(0, "pub").publish("nobody", "2", {.qos = 1, .id = 2}).expect_nothing();
    on(0, "pub").publish("t", "3", {.qos = 1, .id = 3}).expect_nothing();
    memory.commit(1, 1);
    world().settle();
    on(0, "pub").expect(puback).expect_nothing();
    EXPECT_EQ(1, on(0, "pub").last().id);
    commit(1);
    on(0, "pub").expect(puback).expect(puback).expect_nothing();
    EXPECT_EQ(3, on(0, "pub").last().id);
}

TEST_F(Handover, two_shards_that_wait_for_each_other_come_to_an_end) {
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
        leave(shard, "t", 1);
        on(shard, "pub").join({.version = v5});
    }
    memory.hold_commits();
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t shard = 0; shard < shards; ++shard) {
            on(shard, "pub").publish("t", "m", {.qos = 1});
        }
        world().settle();
    }
    while (memory.pending() > 0) {
        for (std::uint32_t shard = 0; shard < shards; ++shard) commit(shard);
    }
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
        on(shard, "pub").expect(puback).expect(puback).expect(puback).expect_nothing();
    }
}

TEST_F(Handover, a_shard_that_takes_no_batches_delays_the_answer_only) {
    leave(1, "t", 1);
    on(0, "pub").join({.version = v5});
    world().refuse_batches(1, true);
    on(0, "pub").publish("t", "m", {.qos = 1}).expect_nothing();
    world().refuse_batches(1, false);
    world().settle();
    on(0, "pub").expect(puback);
}

TEST_F(Handover, what_is_passed_on_to_a_third_shard_is_waited_for) {
    on(1, "member").join(persistent(v5)).subscribe("$share/g/t", 1).expect(suback);
    on(0, "pub").join({.version = v5});
    on(2, "late").join(persistent(v5));
    memory.hold_commits();
    // Another member comes, and the first one goes, while the message is on its way.
    world().refuse_batches(1, true);
    on(0, "pub").publish("t", "m", {.qos = 1}).expect_nothing();
    on(2, "late").subscribe("$share/g/t", 1).expect_nothing();
    on(1, "member").unsubscribe("$share/g/t").expect_nothing();
    commit(1);
    commit(2);
    world().refuse_batches(1, false);
    world().settle();
    on(1, "member").expect(unsuback);
    on(2, "late").expect(suback);
    commit(1);
    on(0, "pub").expect_nothing();
    commit(2);
    on(0, "pub").expect(puback);
}

TEST_F(Handover, what_was_acknowledged_is_there_after_a_restart) {
    leave(1, "t", 1);
    on(0, "pub").join({.version = v5});
    memory.hold_commits();
    on(0, "pub").publish("t", "1", {.qos = 1}).expect_nothing();
    commit(1);
    on(0, "pub").expect(puback).publish("t", "2", {.qos = 1}).expect_nothing();
    memory.lose_pending();
    restart();
    on(1, "away").join(persistent(v5)).expect_publish("t", "1", 1).expect_nothing();
}

}  // namespace
}  // namespace support
