#include "support/broker_fixture.h"

namespace support {

void BrokerTest::TearDown() {
    if (world_) {
        EXPECT_EQ("", world_->violation());
    }
}

BrokerWorld& BrokerTest::world() {
    if (!world_) world_ = std::make_unique<BrokerWorld>(shards, options, store);
    return *world_;
}

void BrokerTest::restart(std::chrono::milliseconds away) {
    FakeClock clock = world().clock;
    EXPECT_EQ("", world_->violation());
    clients_.clear();
    world_.reset();
    clock.advance_to(clock.monotonic_ms() + static_cast<std::uint64_t>(away.count()));
    world_ = std::make_unique<BrokerWorld>(shards, options, store, clock);
}

TestClient& BrokerTest::client(const std::string& name) {
    return client(name, name);
}

TestClient& BrokerTest::client(const std::string& name, const std::string& client_id) {
    auto& slot = clients_[name];
    if (!slot) slot = std::make_unique<TestClient>(world(), client_id, listener);
    return *slot;
}

std::string BrokerTest::id_on(std::uint32_t shard, const std::string& prefix) {
    for (int i = 0;; ++i) {
        std::string id = prefix + std::to_string(i);
        if (world().broker().shard_of(id) == shard) return id;
    }
}

}  // namespace support
