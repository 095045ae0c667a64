#include "support/broker_world.h"

#include <algorithm>
#include <utility>

#include "broker/recovery.h"

namespace support {

BrokerWorld::BrokerWorld(std::uint32_t shards, const broker::Options& options, broker::Store* store,
                         const FakeClock& now)
    : clock(now),
      broker_(shards, std::make_shared<const broker::Options>(options), authenticator, authorizer,
              store ? *store : level_memory_) {
    for (std::uint32_t number = 0; number < shards; ++number) {
        nodes_.push_back(std::make_unique<Node>(clock.monotonic_ms()));
        Node& node = *nodes_.back();
        node.shard = std::make_unique<broker::Shard>(
            broker_, number, broker::ShardEnvironment{clock, log, node.timers, *this});
    }
    std::vector<broker::Shard*> all;
    for (auto& node : nodes_) all.push_back(node->shard.get());
    if (store) store->on_commit([this](std::uint32_t number) { wake(number); });
    broker::recover(broker_, all);
}

// Connections before shards, shards before their timers.
BrokerWorld::~BrokerWorld() {
    for (auto& wire : wires_) wire->connection.reset();
    for (auto& node : nodes_) node->shard.reset();
}

FakeWire& BrokerWorld::open(std::uint32_t shard, const broker::ListenerOptions& listener) {
    wires_.push_back(std::make_unique<FakeWire>(pool_, shard, listener));
    attach(*wires_.back(), shard);
    return *wires_.back();
}

void BrokerWorld::attach(FakeWire& wire, std::uint32_t shard) {
    wire.shard = shard;
    wire.connection.reset();
    wire.connection =
        std::make_unique<broker::Connection>(*nodes_[shard]->shard, wire, *wire.listener);
}

void BrokerWorld::send(FakeWire& wire, base::Bytes bytes) {
    wire.unread.insert(wire.unread.end(), bytes.begin(), bytes.end());
}

void BrokerWorld::cut(FakeWire& wire, const std::string& error) {
    if (!wire.is_open()) return;
    wire.connection->closed(error);
    wire.connection.reset();
}

void BrokerWorld::drop(FakeWire& wire, const std::string& error) {
    cut(wire, error);
    settle();
}

void BrokerWorld::settle() {
    int turns = 0;
    while (turn()) {
        if (++turns < turns_max) continue;
        violation_ = "the broker does not come to rest";
        return;
    }
}

bool BrokerWorld::turn() {
    bool active = false;
    for (std::uint32_t number = 0; number < nodes_.size(); ++number) {
        active = turn_of(number) || active;
    }
    for (const auto& node : nodes_) active = active || node->is_woken || !node->inbox.empty();
    return active;
}

bool BrokerWorld::turn_of(std::uint32_t shard) {
    Node& node = *nodes_[shard];
    const auto batches = std::exchange(node.inbox, {});
    for (const auto& [from, batch] : batches) node.shard->receive(from, batch);
    bool active = std::exchange(node.is_woken, false) || !batches.empty();
    for (std::size_t i = 0; i < wires_.size(); ++i) {
        if (wires_[i]->shard == shard) active = feed(*wires_[i]) || active;
    }
    node.timers.fire_due(clock.monotonic_ms());
    active = node.shard->end_of_turn() || active;
    for (auto& wire : wires_) {
        if (wire->shard == shard) active = flush(*wire) || active;
    }
    return active;
}

bool BrokerWorld::flush(FakeWire& wire) {
    const bool was_backed_up = wire.is_backed_up;
    bool active = wire.is_open() && wire.flush();
    if (was_backed_up && !wire.is_backed_up) {
        wire.connection->on_writable();
        active = true;
    }
    return finish(wire) || active;
}

bool BrokerWorld::feed(FakeWire& wire) {
    if (!wire.is_open() || wire.is_paused || wire.unread.empty()) return false;
    const std::size_t consumed = wire.connection->on_bytes(wire.unread);
    wire.unread.erase(wire.unread.begin(),
                      wire.unread.begin() + static_cast<std::ptrdiff_t>(consumed));
    if (!wire.moving_to) return consumed > 0;
    attach(wire, *wire.moving_to);
    wire.moving_to.reset();
    return true;
}

bool BrokerWorld::finish(FakeWire& wire) {
    if (!wire.is_open() || !wire.is_closing || !wire.output().empty()) return false;
    wire.connection->closed({});
    wire.connection.reset();
    return true;
}

bool BrokerWorld::post(std::uint32_t from, std::uint32_t to, broker::RouteBatch& batch) {
    if (nodes_[to]->refuses) return false;
    nodes_[to]->inbox.emplace_back(from, std::move(batch));
    return true;
}

void BrokerWorld::advance(std::chrono::milliseconds duration) {
    const std::uint64_t until = clock.monotonic_ms() + static_cast<std::uint64_t>(duration.count());
    settle();
    while (clock.monotonic_ms() < until) {
        std::uint64_t next = until;
        for (const auto& node : nodes_) {
            next = std::min(next, node->timers.next_deadline_ms().value_or(until));
        }
        clock.advance_to(std::max(next, clock.monotonic_ms()));
        settle();
    }
}

void BrokerWorld::set_options(const broker::Options& options) {
    const auto shared = std::make_shared<const broker::Options>(options);
    for (auto& node : nodes_) node->shard->set_options(shared);
}

std::uint64_t BrokerWorld::count(broker::Counter broker::Counters::*counter) {
    std::uint64_t sum = 0;
    for (auto& node : nodes_) sum += (node->shard->counters().*counter).get();
    return sum;
}

std::string BrokerWorld::violation() const {
    if (!violation_.empty()) return violation_;
    for (const auto& wire : wires_) {
        if (!wire->violation.empty()) return wire->violation;
    }
    return {};
}

}  // namespace support
