// A broker whose disk is full or broken: what is refused, what goes on, and what $SYS says.
#include "broker/sys_topics.h"
#include "storage/durable_store.h"
#include "storage/memory_engine.h"
#include "support/broker_fixture.h"

namespace support {
namespace {

using storage::EngineError;

// Waits for what becomes of each batch: the broker of the fixture is one thread.
class WaitingStore : public broker::Store {
public:
    WaitingStore() {
        auto made = std::make_unique<storage::MemoryEngine>();
        engine = made.get();
        auto opened = storage::DurableStore::open(std::move(made), "there", log_, {.shards = 2});
        ASSERT(opened.has_value());
        store_ = std::move(*opened);
    }
    bool records() const override { return true; }
    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch& batch) override {
        const auto number = store_->append(shard, batch);
        while (figures().waiting_bytes != 0 && !figures().is_out_of_space) {
            std::this_thread::yield();
        }
        return number;
    }
    broker::CommitNumber committed(std::uint32_t shard) const override {
        return store_->committed(shard);
    }
    bool has_failed() const override { return store_->has_failed(); }
    bool is_out_of_space() const override { return store_->is_out_of_space(); }
    broker::StoreFigures figures() const override { return store_->figures(); }
    void restore(const std::function<void(const broker::Change&)>& each) override {
        store_->restore(each);
    }

    storage::MemoryEngine* engine = nullptr;

private:
    FakeLog log_;
    std::unique_ptr<storage::DurableStore> store_;
};

class BrokenDisk : public BrokerTest {
protected:
    BrokenDisk() {
        store = &waiting;
        options.durability.add(broker::Durability::memory, "quick/#");
    }
    // The disk breaks with the next message that is to be kept.
    void break_disk() {
        world();  // It has begun well.
        engine.break_by(EngineError::Kind::lost);
        client("first").join({.version = v5}).publish("kept/1", "lost", {.qos = 1, .retain = true});
        client("first").expect_nothing();
        EXPECT_TRUE(waiting.has_failed());
    }
    std::string said(const std::string& topic) {
        const auto message = world().broker().retained().find("$SYS/broker/" + topic);
        return message ? std::string(base::as_text(message->payload())) : "nothing";
    }

    WaitingStore waiting;
    storage::MemoryEngine& engine = *waiting.engine;
};

TEST_F(BrokenDisk, what_cannot_be_kept_is_refused_with_0x97) {
    client("a").join(persistent(v5)).subscribe("kept/#", 1).expect(suback);
    break_disk();
    client("p").join({.version = v5}).publish("kept/2", "no", {.qos = 1}).expect(puback);
    EXPECT_EQ(ReasonCode::quota_exceeded, client("p").last().reason);
    client("p").publish("kept/3", "no", {.qos = 2}).expect(pubrec);
    EXPECT_EQ(ReasonCode::quota_exceeded, client("p").last().reason);
    client("p").publish("other", "no", {.qos = 1, .retain = true}).expect(puback);
    EXPECT_EQ(ReasonCode::quota_exceeded, client("p").last().reason);
    EXPECT_FALSE(world().broker().retained().find("other"));
    client("a").expect_publish("kept/1", "lost", 1).expect_nothing();
}

TEST_F(BrokenDisk, what_need_not_be_kept_goes_on) {
    client("a").join({.version = v5}).subscribe("#", 1).expect(suback);
    break_disk();
    client("a").expect_publish("kept/1", "lost", 1);
    client("p").join({.version = v5}).publish("zero", "0").publish("one", "1", {.qos = 1});
    client("p").expect(puback).publish("quick/1", "2", {.qos = 1, .retain = true}).expect(puback);
    EXPECT_EQ(ReasonCode::success, client("p").last().reason);
    client("a").expect_publish("zero", "0").expect_publish("one", "1", 1);
    client("a").expect_publish("quick/1", "2", 1);
}

TEST_F(BrokenDisk, an_older_client_is_not_told_and_not_acknowledged) {
    break_disk();
    client("p").join().publish("kept/2", "x", {.qos = 1, .retain = true}).expect_nothing();
}

TEST_F(BrokenDisk, another_shard_that_would_get_it_counts_as_one_that_keeps_it) {
    shards = 2;
    client("a", id_on(1, "a")).join({.version = v5}).subscribe("far/#", 1).expect(suback);
    client("first", id_on(0, "f"));
    break_disk();
    client("p", id_on(0, "p")).join({.version = v5}).publish("far/1", "x", {.qos = 1});
    client("p").expect(puback);
    EXPECT_EQ(ReasonCode::quota_exceeded, client("p").last().reason);
    client("a").expect_nothing();
}

// What was taken before that was known waits: its sender would have to be told twice otherwise.
TEST_F(BrokenDisk, without_space_nothing_is_taken_until_there_is_some) {
    client("a").join({.version = v5}).subscribe("zero", 0).expect(suback);
    engine.break_by(EngineError::Kind::no_space);
    const PublishTerms kept{.qos = 1, .retain = true};
    client("first").join({.version = v5}).publish("kept/1", "waits", kept).expect_nothing();
    client("p").join({.version = v5}).publish("kept/2", "no", kept).expect(puback);
    EXPECT_EQ(ReasonCode::quota_exceeded, client("p").last().reason);
    client("old").join().publish("kept/3", "waits", kept).expect_nothing();
    client("p").publish("zero", "0");
    client("a").expect_publish("zero", "0");
    engine.break_by(std::nullopt);
    while (waiting.figures().waiting_bytes != 0) std::this_thread::yield();
    world().settle();
    client("first").expect(puback);
    client("old").expect(puback);
    client("p").publish("kept/4", "yes", kept).expect(puback);
    EXPECT_EQ(ReasonCode::no_matching_subscribers, client("p").last().reason);
    EXPECT_FALSE(world().broker().retained().find("kept/2"));
}

TEST_F(BrokenDisk, sys_says_how_the_store_does) {
    broker::SysTopics sys(world().shard(0), {&world().shard(0).counters()});
    EXPECT_EQ("ok", said("store/state"));
    client("p").join().publish("kept/1", "x", {.qos = 1, .retain = true}).expect(puback);
    sys.publish_all();
    EXPECT_EQ("1", said("store/groups"));
    EXPECT_EQ("1", said("store/records"));
    EXPECT_EQ("0", said("store/bytes/waiting"));
    engine.break_by(EngineError::Kind::no_space);
    client("p").publish("kept/2", "x", {.qos = 1, .retain = true});
    client("p").expect_nothing();
    sys.publish_all();
    EXPECT_EQ("no space", said("store/state"));
    EXPECT_NE("0", said("store/bytes/waiting"));
    engine.break_by(EngineError::Kind::lost);
    while (!waiting.has_failed()) std::this_thread::yield();
    sys.publish_all();
    EXPECT_EQ("failed", said("store/state"));
}

TEST_F(BrokenDisk, without_a_store_sys_says_nothing_of_one) {
    store = nullptr;
    broker::SysTopics sys(world().shard(0), {&world().shard(0).counters()});
    EXPECT_EQ("nothing", said("store/state"));
}

}  // namespace
}  // namespace support
