// A whole broker in memory: shards, their clock, their timers, what they hand each other, and fake
// wires. One thread; nothing moves but in settle(), advance() and turn_of().
//
// A turn here is a turn of a shard's real loop: what other shards sent, what clients sent, timers,
// end_of_turn(), then each wire is flushed and the finished ones are closed.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/timer_wheel.h"
#include "broker/broker.h"
#include "broker/shard.h"
#include "storage/level_memory.h"
#include "support/fake_access.h"
#include "support/fake_clock.h"
#include "support/fake_log.h"
#include "support/fake_wire.h"

namespace support {

class BrokerWorld : private broker::Peers {
public:
    // On a `store` that was used before it is a restart; null = level memory.
    BrokerWorld(std::uint32_t shards, const broker::Options& options,
                broker::Store* store = nullptr, const FakeClock& now = {});
    BrokerWorld(const BrokerWorld&) = delete;
    BrokerWorld& operator=(const BrokerWorld&) = delete;
    ~BrokerWorld() override;

    // A client's connection is accepted by `shard`. `listener` outlives the world.
    FakeWire& open(std::uint32_t shard, const broker::ListenerOptions& listener);
    // Bytes from the client; settle() lets the broker see them.
    static void send(FakeWire& wire, base::Bytes bytes);
    // The client's side of the connection is gone.
    void drop(FakeWire& wire, const std::string& error = {});
    // The same, and nothing else moves.
    static void cut(FakeWire& wire, const std::string& error = {});
    // One turn of one shard: what it hands to others waits for theirs. True if anything moved.
    bool turn_of(std::uint32_t shard);
    // Turns of all shards until nothing happens any more.
    void settle();
    // Moves the clock, stopping at each timer.
    void advance(std::chrono::milliseconds duration);
    void set_options(const broker::Options& options);
    // A shard that refuses what others hand to it, as a full inbox does.
    void refuse_batches(std::uint32_t shard, bool refuse) { nodes_[shard]->refuses = refuse; }

    broker::Shard& shard(std::uint32_t number) { return *nodes_[number]->shard; }
    broker::Shard& shard_of(std::string_view client_id) {
        return shard(broker_.shard_of(client_id));
    }
    std::uint32_t shard_count() const { return broker_.shard_count(); }
    broker::Broker& broker() { return broker_; }
    // A counter, summed over the shards.
    std::uint64_t count(broker::Counter broker::Counters::*counter);

    // What the broker did that it must not, on any wire; empty if nothing.
    std::string violation() const;

    FakeClock clock;
    FakeLog log;
    FakeAuthenticator authenticator;
    FakeAuthorizer authorizer;

private:
    struct Node {
        explicit Node(std::uint64_t now_ms) : timers(now_ms) {}
        base::TimerWheel timers;
        std::vector<std::pair<std::uint32_t, broker::RouteBatch>> inbox;  // With their senders.
        bool refuses = false;
        bool is_woken = false;
        std::unique_ptr<broker::Shard> shard;
    };
    // Turns after which a broker that still has something to do is a broker that never stops.
    static constexpr int turns_max = 1'000'000;

    bool post(std::uint32_t from, std::uint32_t to, broker::RouteBatch& batch) override;
    void wake(std::uint32_t shard) override { nodes_[shard]->is_woken = true; }
    bool turn();
    bool flush(FakeWire& wire);
    bool feed(FakeWire& wire);
    bool finish(FakeWire& wire);
    void attach(FakeWire& wire, std::uint32_t shard);

    storage::LevelMemory level_memory_;
    broker::Broker broker_;
    base::ChunkPool pool_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<std::unique_ptr<FakeWire>> wires_;
    std::string violation_;
};

}  // namespace support
