// A whole broker on the real store: what its clients find after it ended and began again.
#include "storage/durable_store.h"
#include "storage/rocks/folder.h"
#include "storage/rocks_engine.h"
#include "support/broker_fixture.h"
#include "support/fake_log.h"

namespace support {
namespace {

// Is closed and opened again at each restore, and waits for each commit: the broker of the fixture
// is one thread.
class ReopenedStore : public broker::Store {
public:
    bool records() const override { return true; }
    broker::CommitNumber append(std::uint32_t shard, broker::ChangeBatch& batch) override {
        const auto number = store_->append(shard, batch);
        while (store_->committed(shard) < number) std::this_thread::yield();
        return number;
    }
    broker::CommitNumber committed(std::uint32_t shard) const override {
        return store_->committed(shard);
    }
    void restore(const std::function<void(const broker::Change&)>& each) override {
        store_.reset();
        auto engine = storage::open_rocks_engine(folder_.store());
        ASSERT(engine.has_value());
        auto opened =
            storage::DurableStore::open(std::move(*engine), folder_.store(), log_, {.shards = 3});
        ASSERT(opened.has_value());
        store_ = std::move(*opened);
        store_->set_restored_bytes_max(restored_bytes_max());
        store_->restore(each);
        EXPECT_EQ("", store_->restore_error());
    }
    bool reads_queues() const override { return true; }
    void read_queue(std::uint32_t shard, const broker::QueueRequest& request) override {
        store_->read_queue(shard, request);
        while (slices_[shard].empty()) {
            std::this_thread::yield();
            slices_[shard] = store_->take_slices(shard);
        }
        wake(shard);
    }
    std::vector<broker::QueueSlice> take_slices(std::uint32_t shard) override {
        return std::exchange(slices_[shard], {});
    }
    const FakeLog& log() const { return log_; }

private:
    storage::Folder folder_;
    FakeLog log_;
    std::unique_ptr<storage::DurableStore> store_;
    std::map<std::uint32_t, std::vector<broker::QueueSlice>> slices_;  // By shard.
};

class RocksBroker : public BrokerTest {
protected:
    RocksBroker() { store = &reopened; }
    void leave(const std::string& name, int qos, Version version = v3_1_1) {
        client(name).join(persistent(version)).subscribe("t", qos).expect(suback).drop();
    }
    TestClient& publisher() {
        TestClient& one = client("publisher");
        return one.is_open() ? one : one.join({.version = v5});
    }
    void TearDown() override {
        BrokerTest::TearDown();
        EXPECT_FALSE(reopened.log().contains("Error")) << "nothing is ever set aside";
    }

    ReopenedStore reopened;
};

TEST_F(RocksBroker, queued_messages_come_in_their_order_with_what_belongs_to_them) {
    leave("a", 2, v5);
    leave("b", 1);
    for (int i = 0; i < 30; ++i) {
        publisher()
            .publish("t", std::to_string(i), {.qos = 1 + i % 2, .content_type = "number"})
            .expect(i % 2 == 0 ? puback : pubrec);
    }
    restart();
    restart();
    for (const std::string name : {"a", "b"}) {
        const bool is_v5 = name == "a";
        client(name).join(persistent(is_v5 ? v5 : v3_1_1));
        for (int i = 0; i < 30; ++i) {
            client(name).expect_publish("t", std::to_string(i), is_v5 ? 1 + i % 2 : 1);
        }
        client(name).expect_nothing();
    }
    restart();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
}

TEST_F(RocksBroker, a_queue_that_has_left_memory_comes_back_before_and_after_a_restart) {
    options.queue_memory_max = 5000;
    options.queued_messages_max = 0;
    leave("a", 2);
    leave("b", 1);
    for (int i = 0; i < 700; ++i) {
        publisher().publish("t", std::to_string(i), {.qos = 2}).ignore_all();
        publisher().ack(pubrel, publisher().last_id()).ignore_all();
    }
    const auto drain = [this](const std::string& name, int qos) {
        client(name).join(persistent());
        for (int i = 0; i < 700; ++i) client(name).expect_publish("t", std::to_string(i), qos);
        client(name).expect_nothing();
    };
    drain("a", 2);
    restart();
    drain("b", 1);
    restart();
    EXPECT_EQ(0U, count(&broker::Counters::queued_messages));
    EXPECT_EQ(0U, count(&broker::Counters::queued_bytes));
}

TEST_F(RocksBroker, what_was_in_flight_is_sent_again_with_its_identifier) {
    options.inflight_messages_max = 2;
    client("a").join(persistent()).manual_acks().subscribe("t", 2).expect(suback);
    publisher().publish("t", "1", {.qos = 2}).publish("t", "2", {.qos = 1});
    publisher().publish("t", "3", {.qos = 1});
    client("a").expect_publish("t", "1", 2);
    const PacketId first = client("a").last().id;
    client("a").expect_publish("t", "2", 1);
    const PacketId second = client("a").last().id;
    client("a").ack(pubrec, first).expect(pubrel);
    restart();
    client("a").manual_acks().connect(persistent()).expect(connack).expect(pubrel);
    EXPECT_EQ(first, client("a").last().id);
    client("a").expect_publish("t", "2", 1);
    EXPECT_EQ(second, client("a").last().id);
    client("a").ack(pubcomp, first).expect_publish("t", "3", 1).expect_nothing();
}

TEST_F(RocksBroker, an_identifier_that_was_not_released_is_a_repeat) {
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

TEST_F(RocksBroker, retained_messages_subscriptions_and_delayed_wills_come_back) {
    const WillTerms will{.topic = "t", .payload = "gone", .qos = 1, .delay_s = 100};
    client("watcher").join(persistent()).subscribe("t", 1).expect(suback);
    client("watcher").subscribe("u").expect(suback).unsubscribe("u").expect(unsuback).drop();
    client("a").join({.version = v5, .will = will, .session_expiry_s = 3600}).drop();
    publisher().publish("r/kept", "1", {.retain = true}).publish("r/kept", "2", {.retain = true});
    publisher().publish("r/gone", "x", {.retain = true}).publish("r/gone", "", {.retain = true});
    restart(60s);
    client("watcher").join(persistent()).expect_nothing();
    publisher().publish("u", "no").publish("t", "yes", {.qos = 1});
    client("watcher").expect_publish("t", "yes", 1);
    advance(41s);
    client("watcher").expect_publish("t", "gone", 1).expect_nothing();
    client("b").join().subscribe("r/#").expect(suback).expect_publish("r/kept", "2");
    client("b").expect_nothing();
}

TEST_F(RocksBroker, a_session_may_belong_to_another_shard_than_before) {
    for (int i = 0; i < 20; ++i) leave("c" + std::to_string(i), 1);
    publisher().publish("t", "all", {.qos = 1}).expect(puback);
    shards = 3;
    restart();
    for (int i = 0; i < 20; ++i) {
        client("c" + std::to_string(i)).join(persistent()).expect_publish("t", "all", 1);
    }
}

}  // namespace
}  // namespace support
