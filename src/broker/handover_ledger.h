// What shards tell each other of messages handed over: how far the receiver has made them safe.
// The acknowledgement of a message waits for every shard that had to store it.
//
// Messages from one shard to another are counted on both sides, in their order. A receiver may pass
// a message for a shared subscription on, because the member chosen has gone; then it is not the
// receiver that makes it safe, and the publisher's shard waits until none of its messages is on
// such a way.
//
// Owned by Broker. Threads: all shards'. Used only with a store that records.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace broker {

class HandoverLedger {
public:
    explicit HandoverLedger(std::uint32_t shards)
        : shard_count_(shards), safe_(std::size_t{shards} * shards), origins_(shards) {}

    // Of all messages that `from` has handed to `to`, how many are safe.
    std::uint64_t safe(std::uint32_t from, std::uint32_t to) const {
        return safe_[index(from, to)].load(std::memory_order_acquire);
    }
    // By `to`, ascending.
    void set_safe(std::uint32_t from, std::uint32_t to, std::uint64_t count) {
        safe_[index(from, to)].store(count, std::memory_order_release);
    }

    // A message of `origin`'s clients goes to a third shard. Before set_safe() says that it is no
    // longer the receiver's.
    void pass_on(std::uint32_t origin) {
        origins_[origin].passed_on.fetch_add(1, std::memory_order_acq_rel);
    }
    // So many of those are safe where they came to.
    void settle(std::uint32_t origin, std::uint64_t count) {
        origins_[origin].settled.fetch_add(count, std::memory_order_acq_rel);
    }
    // None is on its way. After safe(), by the origin.
    bool is_settled(std::uint32_t origin) const {
        const Origin& one = origins_[origin];
        // In this order: what is passed on meanwhile can only make it false.
        const std::uint64_t settled = one.settled.load(std::memory_order_acquire);
        return settled == one.passed_on.load(std::memory_order_acquire);
    }

private:
    struct Origin {
        std::atomic<std::uint64_t> passed_on{0};
        std::atomic<std::uint64_t> settled{0};
    };
    std::size_t index(std::uint32_t from, std::uint32_t to) const {
        return std::size_t{from} * shard_count_ + to;
    }

    std::uint32_t shard_count_;
    std::vector<std::atomic<std::uint64_t>> safe_;  // By sender, then receiver.
    std::vector<Origin> origins_;
};

}  // namespace broker
