// durability_topic: what is kept, and what an acknowledgement waits for, by the message's topic.
#include "storage/memory_store.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

using broker::Durability;
using broker::DurabilityLevels;

TEST(DurabilityLevels, TheLastRuleThatMatchesCounts) {
    DurabilityLevels levels(Durability::process);
    levels.add(Durability::disk, "alarm/#");
    levels.add(Durability::memory, "+/temperature");
    levels.add(Durability::disk, "cellar/temperature");
    struct Row {
        const char* sentence;
        const char* topic;
        Durability want;
    };
    constexpr Row rows[] = {
        {"no rule: the general level", "door/open", Durability::process},
        {"a filter that ends in #", "alarm/a/b", Durability::disk},
        {"# matches the level above it", "alarm", Durability::disk},
        {"of two rules the later one", "alarm/temperature", Durability::memory},
        {"a later rule is stronger, whatever its level", "cellar/temperature", Durability::disk},
        {"a wildcard does not match $", "$x/temperature", Durability::process},
    };
    for (const Row& row : rows) EXPECT_EQ(row.want, levels.of(row.topic)) << row.sentence;
}

TEST(DurabilityLevels, NothingAsksForASyncUnlessALevelIsDisk) {
    DurabilityLevels process(Durability::process);
    process.add(Durability::memory, "a");
    EXPECT_FALSE(process.needs_sync(Durability::disk)) << "restored from a store";
    EXPECT_EQ(Durability::process, process.highest());
    DurabilityLevels one(Durability::memory);
    one.add(Durability::disk, "a");
    EXPECT_TRUE(one.needs_sync(one.highest())) << "sessions and subscriptions";
    EXPECT_TRUE(one.needs_sync(one.of("a")));
    EXPECT_FALSE(one.needs_sync(Durability::process));
}

class ByTopic : public BrokerTest {
protected:
    ByTopic() {
        store = &memory;
        options.durability = DurabilityLevels(Durability::disk);
        options.durability.add(Durability::memory, "quick/#");
    }
    void leave(const std::string& name, int qos) {
        client(name).join(persistent()).subscribe("#", qos).expect(suback).drop();
    }

    storage::MemoryStore memory;
};

TEST_F(ByTopic, an_acknowledgement_of_level_memory_waits_for_nothing) {
    leave("a", 2);
    client("p").join(persistent());
    memory.hold_commits();
    client("p").publish("quick/1", "q", {.qos = 1}).expect(puback);
    client("p").publish("quick/2", "q", {.qos = 2, .id = 7}).expect(pubrec);
    client("p").ack(pubrel, 7).expect(pubcomp);
    client("p").publish("quick/3", "q", {.qos = 1, .retain = true}).expect(puback);
    EXPECT_EQ(0U, memory.pending());
    client("p").publish("kept/1", "k", {.qos = 1}).expect_nothing();
    memory.commit(0);
    world().settle();
    client("p").expect(puback);
}

TEST_F(ByTopic, messages_of_level_memory_are_delivered_and_end_with_the_broker) {
    leave("a", 1);
    leave("b", 1);
    client("p").join();
    client("p").publish("quick/1", "q", {.qos = 1}).expect(puback);
    client("p").publish("kept/1", "k", {.qos = 1}).expect(puback);
    client("a").join(persistent()).expect_publish("quick/1", "q", 1);
    client("a").expect_publish("kept/1", "k", 1);
    restart();
    client("b").join(persistent()).expect_publish("kept/1", "k", 1).expect_nothing();
    client("a").join(persistent()).expect_nothing();
}

TEST_F(ByTopic, exchanges_with_a_subscriber_of_level_memory_leave_nothing_in_the_store) {
    client("a").join(persistent()).manual_acks().subscribe("#", 2).expect(suback);
    client("p").join();
    const std::size_t before = memory.recorded();
    memory.hold_commits();
    client("p").publish("quick/1", "1", {.qos = 1}).publish("quick/2", "2", {.qos = 2, .id = 9});
    client("p").expect(puback).expect(pubrec).ack(pubrel, 9).expect(pubcomp);
    client("a").expect_publish("quick/1", "1", 1).ack(puback, client("a").last().id);
    client("a").expect_publish("quick/2", "2", 2);
    const PacketId id = client("a").last().id;
    client("a").ack(pubrec, id).expect(pubrel).ack(pubcomp, id).expect_nothing();
    EXPECT_EQ(before, memory.recorded());
}

TEST_F(ByTopic, retained_messages_and_wills_of_level_memory_are_not_kept) {
    client("p").join();
    client("p").publish("quick/r", "q", {.qos = 1, .retain = true}).expect(puback);
    client("p").publish("kept/r", "k", {.qos = 1, .retain = true}).expect(puback);
    for (const std::string topic : {"quick/will", "kept/will"}) {
        const WillTerms will{.topic = topic, .payload = "w", .qos = 1, .delay_s = 10};
        client(topic).join({.version = v5, .will = will, .session_expiry_s = 100}).drop();
    }
    restart();
    client("b").join().subscribe("#", 1).expect(suback).expect_publish("kept/r", "k", 1);
    advance(11s);
    client("b").expect_publish("kept/will", "w", 1).expect_nothing();
}

TEST_F(ByTopic, a_retained_message_of_another_level_leaves_the_store) {
    client("p").join();
    client("p").publish("kept/1", "old", {.qos = 1, .retain = true}).expect(puback);
    client("p").publish("kept/2", "old", {.qos = 1, .retain = true}).expect(puback);
    options.durability.add(Durability::memory, "kept/#");
    world().set_options(options);
    client("p").publish("kept/1", "new", {.qos = 1, .retain = true}).expect(puback);
    client("p").publish("kept/2", "", {.qos = 1, .retain = true}).expect(puback);
    client("b").join().subscribe("kept/#").expect(suback).expect_publish("kept/1", "new");
    client("b").expect_nothing();
    restart();
    client("b").join().subscribe("kept/#").expect(suback).expect_nothing();
}

TEST_F(ByTopic, the_level_goes_along_to_other_shards) {
    shards = 2;
    const std::string there = id_on(1, "a");
    client("a", there).join(persistent()).subscribe("#", 1).expect(suback).drop();
    client("p", id_on(0, "p")).join();
    memory.hold_commits();
    const std::string large(5000, 'x');  // Referenced, not copied.
    client("p").publish("quick/1", "q", {.qos = 1}).expect(puback);
    client("p").publish("quick/2", large, {.qos = 1}).expect(puback);
    client("p").publish("kept/1", "k", {.qos = 1}).expect_nothing();
    memory.commit(1);
    world().settle();
    client("p").expect(puback);
    memory.lose_pending();
    restart();
    client("a", there).join(persistent()).expect_publish("kept/1", "k", 1).expect_nothing();
}

TEST_F(ByTopic, one_topic_above_the_general_level_has_its_sessions_kept) {
    options.durability = DurabilityLevels(Durability::memory);
    options.durability.add(Durability::process, "kept/#");
    leave("a", 1);
    client("p").join();
    client("p").publish("other", "o", {.qos = 1}).expect(puback);
    client("p").publish("kept/1", "k", {.qos = 1}).expect(puback);
    restart();
    client("a").join(persistent()).expect_publish("kept/1", "k", 1).expect_nothing();
}

TEST_F(ByTopic, what_was_kept_goes_on_as_it_was_when_its_level_has_changed) {
    leave("a", 1);
    client("p").join().publish("kept/1", "k", {.qos = 1}).expect(puback);
    options.durability.add(Durability::memory, "kept/#");
    restart();
    client("a").join(persistent()).expect_publish("kept/1", "k", 1).drop();
    restart();
    client("a").join(persistent()).expect_nothing();
}

}  // namespace
}  // namespace support
