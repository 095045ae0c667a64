// durability_topic on the real store, on a disk that loses power: in one broker, topics of level
// disk outlive it and topics of level process only outlive the broker.
#include "storage/durable_store.h"
#include "storage/rocks/folder.h"
#include "storage/rocks/simulated_disk.h"
#include "storage/rocks_engine.h"
#include "support/broker_fixture.h"
#include "support/fake_log.h"

namespace support {
namespace {

using broker::Durability;

// Waits for each commit. The next restore finds what a loss of power leaves, or all.
class CutStore : public broker::Store {
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
        if (loses_power) disk_.cut();
        store_.reset();
        if (loses_power) disk_.lose_unsynced(nullptr);
        auto engine = storage::open_rocks_engine(folder_.store(), {.env = disk_.env()});
        ASSERT(engine.has_value());
        auto opened = storage::DurableStore::open(std::move(*engine), folder_.store(), log_, {});
        ASSERT(opened.has_value());
        store_ = std::move(*opened);
        store_->restore(each);
        EXPECT_EQ("", store_->restore_error());
    }
    std::size_t syncs() const { return disk_.syncs(); }

    bool loses_power = false;

private:
    storage::Folder folder_;
    storage::SimulatedDisk disk_;
    FakeLog log_;
    std::unique_ptr<storage::DurableStore> store_;
};

class PowerByTopic : public BrokerTest {
protected:
    PowerByTopic() {
        store = &cut_store;
        options.durability = broker::DurabilityLevels(Durability::process);
        options.durability.add(Durability::disk, "safe/#");
        options.durability.add(Durability::memory, "quick/#");
    }
    void publish_all() {
        client("a").join(persistent()).subscribe("#", 1).expect(suback).drop();
        client("p").join();
        for (const std::string topic : {"safe/1", "process/1", "quick/1"}) {
            client("p").publish(topic, "m", {.qos = 1, .retain = true}).expect(puback);
        }
    }

    CutStore cut_store;
};

TEST_F(PowerByTopic, a_loss_of_power_leaves_level_disk) {
    publish_all();
    cut_store.loses_power = true;
    restart();
    client("a").join(persistent()).expect_publish("safe/1", "m", 1).expect_nothing();
    client("b").join().subscribe("#").expect(suback).expect_publish("safe/1", "m");
    client("b").expect_nothing();
}

TEST_F(PowerByTopic, the_end_of_the_broker_leaves_level_process_as_well) {
    publish_all();
    restart();
    client("a").join(persistent()).expect_publish("safe/1", "m", 1);
    client("a").expect_publish("process/1", "m", 1).expect_nothing();
}

TEST_F(PowerByTopic, only_level_disk_asks_for_a_sync) {
    publish_all();
    const std::size_t before = cut_store.syncs();
    for (const std::string topic : {"process/1", "quick/1"}) {
        client("p").publish(topic, "m", {.qos = 1}).expect(puback);
    }
    EXPECT_EQ(before, cut_store.syncs());
    client("p").publish("safe/1", "m", {.qos = 1}).expect(puback);
    EXPECT_EQ(before + 1, cut_store.syncs());
}

}  // namespace
}  // namespace support
