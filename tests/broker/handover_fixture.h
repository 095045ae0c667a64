// Three shards on one store in memory, and clients that belong to each.
#pragma once

#include <string>

#include "storage/memory_store.h"
#include "support/broker_fixture.h"

namespace support {

class HandoverTest : public BrokerTest {
protected:
    HandoverTest() {
        store = &memory;
        shards = 3;
    }

    TestClient& on(std::uint32_t shard, const std::string& name) {
        return client(id_on(shard, name));
    }
    // A session on that shard that was subscribed and is away.
    void leave(std::uint32_t shard, const std::string& filter, int qos) {
        on(shard, "away").join(persistent(v5)).subscribe(filter, qos).expect(suback).drop();
    }
    void commit(std::uint32_t shard) {
        memory.commit(shard);
        world().settle();
    }

    storage::MemoryStore memory;
};

}  // namespace support
