// Queues that leave memory (queue_memory_limit): what comes back, in which order, and what becomes
// of it when its session, its store or its broker end meanwhile.
#include <deque>

#include "storage/memory_store.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

class StoredQueue : public BrokerTest {
protected:
    StoredQueue() {
        store = &memory;
        options.queue_memory_max = 2000;
        options.queued_messages_max = 0;
    }
    // A session of that name that was subscribed to "t" and is away.
    void leave(const std::string& name, int qos = 1, Version version = v3_1_1) {
        client(name).join(persistent(version)).subscribe("t", qos).expect(suback).drop();
    }
    TestClient& publisher() {
        TestClient& one = client("publisher");
        return one.is_open() ? one : one.join({.version = v5});
    }
    void publish(int first, int last, int qos = 1) {
        for (int i = first; i <= last; ++i) {
            publisher().publish("t", std::to_string(i), {.qos = qos}).ignore_all();
            if (qos == 2) publisher().ack(pubrel, publisher().last_id()).ignore_all();
        }
    }
    void expect(const std::string& name, int first, int last, int qos = 1,
                Where where = Where::here()) {
        for (int i = first; i <= last; ++i) {
            client(name).expect_publish("t", std::to_string(i), qos, where);
        }
    }
    std::uint64_t waiting() { return count(&broker::Counters::queued_messages); }
    std::size_t in_memory() {
        std::size_t sum = 0;
        for (std::uint32_t i = 0; i < shards; ++i) sum += world().shard(i).queue_memory().bytes();
        return sum;
    }
    void expect_no_trace() {
        EXPECT_EQ(0U, waiting());
        EXPECT_EQ(0U, count(&broker::Counters::queued_bytes));
        EXPECT_EQ(0U, in_memory());
    }

    storage::MemoryStore memory;
};

TEST_F(StoredQueue, a_long_queue_leaves_memory_and_comes_back_in_order) {
    for (const int qos : {1, 2}) {
        leave("a", qos);
        publish(1, 1000, qos);
        EXPECT_EQ(1000U, waiting());
        EXPECT_GT(options.queue_memory_max + 200, in_memory());
        client("a").join(persistent());
        expect("a", 1, 1000, qos);
        client("a").expect_nothing().drop();
        expect_no_trace();
        restart();
        EXPECT_EQ(0U, waiting());
    }
}

TEST_F(StoredQueue, new_messages_stand_behind_what_is_read_back) {
    options.inflight_messages_max = 2;
    leave("a");
    publish(1, 600);
    client("a").manual_acks().join(persistent());
    int published = 600;
    for (int i = 1; i <= published; ++i) {
        expect("a", i, i);
        if (i <= 500) publish(published + 1, published + 1);
        ++published -= i <= 500 ? 0 : 1;
        client("a").ack(puback, client("a").last().id);
    }
    client("a").expect_nothing();
    expect_no_trace();
    publish(1, 1);
    expect("a", 1, 1);
}

TEST_F(StoredQueue, a_restart_in_the_middle_loses_and_repeats_nothing_that_was_acknowledged) {
    options.inflight_messages_max = 1;
    leave("a", 2);
    publish(1, 700, 2);
    client("a").manual_acks().join(persistent());
    for (int i = 1; i <= 300; ++i) {
        expect("a", i, i, 2);
        const PacketId id = client("a").last().id;
        client("a").ack(pubrec, id).expect(pubrel).ack(pubcomp, id);
    }
    restart();
    EXPECT_EQ(400U, waiting());
    EXPECT_GT(options.queue_memory_max + 200, in_memory());
    publish(701, 710, 2);
    client("a").join(persistent());
    expect("a", 301, 710, 2);
    client("a").expect_nothing();
    expect_no_trace();
}

TEST_F(StoredQueue, it_outlives_a_disconnect_in_the_middle_and_grows_again) {
    options.inflight_messages_max = 1;
    leave("a");
    publish(1, 700);
    client("a").manual_acks().join(persistent());
    for (int i = 1; i <= 100; ++i) {
        expect("a", i, i);
        client("a").ack(puback, client("a").last().id);
    }
    client("a").drop();
    publish(701, 900);
    EXPECT_EQ(800U, waiting());
    client("a").auto_acks().join(persistent());
    expect("a", 101, 900);
    client("a").expect_nothing();
    expect_no_trace();
}

TEST_F(StoredQueue, a_limit_that_a_reload_sets_makes_long_queues_leave_as_they_grow) {
    options.queue_memory_max = 0;
    leave("a");
    publish(1, 1500);
    const std::size_t before = in_memory();
    options.queue_memory_max = 2000;
    world().set_options(options);
    publish(1501, 1502);
    EXPECT_GT(before / 4, in_memory()) << "but for the head";
    EXPECT_EQ(1502U, waiting());
    client("a").join(persistent());
    expect("a", 1, 1502);
    client("a").expect_nothing();
    expect_no_trace();
}

TEST_F(StoredQueue, sessions_share_content_and_read_it_each_for_itself) {
    shards = 2;
    for (const auto* name : {"a", "b", "c", "d"}) leave(name);
    publish(1, 300);
    for (const auto* name : {"d", "b"}) {
        client(name).join(persistent());
        expect(name, 1, 300);
    }
    restart();
    for (const auto* name : {"a", "c"}) {
        client(name).join(persistent());
        expect(name, 1, 300);
        client(name).expect_nothing();
    }
    expect_no_trace();
}

TEST_F(StoredQueue, what_expires_in_the_store_is_not_sent) {
    leave("a", 1, v5);
    publish(1, 100);
    for (int i = 101; i <= 400; ++i) {
        publisher().publish("t", "late", {.qos = 1, .expiry_s = 10}).expect(puback);
    }
    publish(401, 500);
    advance(11s);
    client("a").join(persistent(v5));
    expect("a", 1, 100);
    expect("a", 401, 500);
    client("a").expect_nothing();
    EXPECT_EQ(300U, count(&broker::Counters::dropped_expired));
    expect_no_trace();
}

TEST_F(StoredQueue, qos_0_keeps_its_place_behind_what_is_stored) {
    options.queue_qos0_messages = true;
    leave("a");
    publish(1, 100);
    for (int i = 101; i <= 110; ++i) publish(i, i, i % 2);
    memory.set_behind(true, 0);
    world().settle();
    const std::uint64_t before = waiting();
    publish(0, 0, 0);
    EXPECT_EQ(1U, count(&broker::Counters::dropped_queue_full));
    EXPECT_EQ(before, waiting());
    memory.set_behind(false, 0);
    restart();
    client("a").join(persistent());
    expect("a", 1, 100);
    for (int i = 101; i <= 110; ++i) expect("a", i, i, i % 2);
    client("a").expect_nothing();
    expect_no_trace();
    restart();
    EXPECT_EQ(0U, waiting());
}

TEST_F(StoredQueue, max_queued_counts_what_is_stored_too) {
    options.queued_messages_max = 50;
    leave("a");
    publish(1, 60);
    EXPECT_EQ(10U, count(&broker::Counters::dropped_queue_full));
    options.queued_messages_max = 0;
    options.queued_bytes_max = 100;
    world().set_options(options);
    publish(51, 60);
    EXPECT_EQ(54U, waiting()) << "1 to 50 have 91 bytes";
    client("a").join(persistent());
    expect("a", 1, 54);
    client("a").expect_nothing();
}

TEST_F(StoredQueue, retained_messages_wait_for_all_of_the_queue) {
    publisher().publish("r", "kept", {.retain = true});
    leave("a");
    publish(1, 400);
    memory.hold_reads();
    client("a").join(persistent());
    int last = 0;
    while (client("a").waiting() > 0) expect("a", last + 1, last + 1), ++last;
    EXPECT_GT(400, last);
    client("a").subscribe("r", 1).expect(suback).expect_nothing();
    memory.answer_reads();
    world().settle();
    expect("a", last + 1, 400);
    client("a").expect_publish("r", "kept").expect_nothing();
}

TEST_F(StoredQueue, nothing_is_read_before_it_is_safe) {
    leave("a");
    publish(1, 50);
    memory.hold_commits();
    publisher().publish("t", "51", {.qos = 1});
    client("a").connect(persistent()).expect_nothing();
    while (memory.pending() > 0) {
        memory.commit(0, 1);
        world().settle();
    }
    client("a").expect(connack);
    expect("a", 1, 51);
    client("a").expect_nothing();
}

TEST_F(StoredQueue, of_a_store_that_has_failed_comes_what_it_has) {
    options.inflight_messages_max = 1;
    client("a").manual_acks().join(persistent()).subscribe("t", 1).expect(suback);
    publish(1, 700);
    memory.hold_commits();
    publish(701, 710);
    memory.fail(0);
    // What it would have to keep it cannot; MQTT 3.1.1 has no way to be told.
    client("old").join().publish("t", "711", {.qos = 1}).ignore_all();
    EXPECT_EQ(1U, count(&broker::Counters::dropped_queue_full)) << "there is no place for it";
    for (int i = 1; i <= 700; ++i) {
        expect("a", i, i);
        client("a").ack(puback, client("a").last().id);
    }
    client("a").expect_nothing();
    EXPECT_TRUE(world().log.contains("Error: 10 queued messages of client a cannot be read"));
    expect_no_trace();
    client("old").publish("t", "712", {.qos = 1}).ignore_all();
    expect("a", 712, 712);
}

using PendingRead = StoredQueue;

TEST_F(PendingRead, an_answer_to_a_session_that_has_ended_goes_nowhere) {
    leave("a");
    publish(1, 100);
    memory.hold_reads();
    client("a").join(persistent()).ignore_all();
    client("a").drop();
    client("a").join().subscribe("t", 1).expect(suback);
    memory.answer_reads();
    world().settle();
    client("a").expect_nothing();
    publish(7, 7);
    expect("a", 7, 7);
    client("a").expect_nothing();
    expect_no_trace();
}

TEST_F(PendingRead, an_answer_comes_to_the_connection_that_has_taken_over) {
    leave("a");
    publish(1, 300);
    memory.hold_reads();
    client("a").join(persistent());
    client("other", "a").join(persistent());
    memory.answer_reads();
    world().settle();
    client("other").ignore_all();
    EXPECT_EQ(0U, waiting());
    publish(301, 301);
    expect("other", 301, 301);
    expect_no_trace();
}

TEST_F(PendingRead, what_comes_meanwhile_is_read_afterwards) {
    leave("a");
    publish(1, 300);
    memory.hold_reads();
    client("a").join(persistent());
    publish(301, 600);
    memory.answer_reads();
    world().settle();
    expect("a", 1, 600);
    client("a").expect_nothing();
    expect_no_trace();
}

TEST_F(PendingRead, a_session_that_expires_leaves_no_trace) {
    leave("a", 1, v5);
    publish(1, 300);
    memory.hold_reads();
    client("a").join(persistent(v5)).ignore_all().drop();
    advance(3601s);
    memory.answer_reads();
    world().settle();
    EXPECT_EQ(1U, count(&broker::Counters::clients_expired));
    expect_no_trace();
}

TEST_F(StoredQueue, a_session_that_will_end_with_its_connection_gets_it_all) {
    leave("a", 1, v5);
    publish(1, 600);
    client("a").join({.version = v5, .clean_start = false});
    expect("a", 1, 600);
    publish(601, 610);
    expect("a", 601, 610);
    client("a").expect_nothing().drop();
    expect_no_trace();
    restart();
    client("a").connect(persistent(v5)).expect(connack);
    EXPECT_FALSE(client("a").last().session_present);
}

TEST_F(StoredQueue, what_cannot_be_read_is_told_and_the_rest_goes_on) {
    leave("a");
    publish(1, 300);
    memory.break_reads("no such sector");
    client("a").join(persistent()).ignore_all();
    EXPECT_TRUE(world().log.contains("queued messages of client a cannot be read from the store"));
    EXPECT_TRUE(world().log.contains("no such sector"));
    EXPECT_EQ(0U, waiting());
    EXPECT_LT(200U, count(&broker::Counters::dropped_unreadable));
    publish(301, 310);
    expect("a", 301, 310);
    expect_no_trace();
}

TEST_F(StoredQueue, what_came_by_a_shared_subscription_and_is_stored_stays_with_its_member) {
    client("a").join(persistent()).subscribe("$share/g/t", 1).expect(suback).drop();
    publish(1, 100);
    client("b").join(persistent()).subscribe("$share/g/t", 1).expect(suback);
    client("a").join(persistent()).ignore_all();
    client("b").expect_nothing();
    EXPECT_EQ(0U, waiting());
}

}  // namespace
}  // namespace support
