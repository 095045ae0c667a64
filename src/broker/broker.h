// What all shards share: who wants which topic, what is retained, who may do what. Everything in it
// is safe from every shard's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/guarded.h"
#include "base/hash.h"
#include "broker/authenticator.h"
#include "broker/counters.h"
#include "broker/handover_ledger.h"
#include "broker/interest.h"
#include "broker/message_sink.h"
#include "broker/options.h"
#include "broker/retained_store.h"
#include "broker/shared_groups.h"
#include "broker/store.h"

namespace broker {

class Broker {
public:
    Broker(std::uint32_t shards, std::shared_ptr<const Options> options,
           Authenticator& authenticator, Authorizer& authorizer, Store& store)
        : shard_count_(shards),
          options_(std::move(options)),
          authenticator_(authenticator),
          authorizer_(authorizer),
          store_(store),
          retained_({options_->retained_messages_max, options_->retained_bytes_max}),
          handovers_(store.records() ? shards : 0) {}

    std::uint32_t shard_count() const { return shard_count_; }
    // The shard that a client id belongs to: by way of 256 partitions, which are what will move
    // between machines.
    std::uint32_t shard_of(std::string_view client_id) const {
        return shard_of(client_id, layout());
    }
    // In another process, which a store tells of.
    static std::uint32_t shard_of(std::string_view client_id, const LayoutKept& layout) {
        const std::uint64_t hash = base::hash_with_seed(client_id, layout.partition_seed);
        return static_cast<std::uint32_t>(hash % partitions) % layout.shards;
    }
    LayoutKept layout() const { return {shard_count_, partition_seed_}; }

    const std::shared_ptr<const Options>& first_options() const { return options_; }
    Interest& interest() { return interest_; }
    SharedGroups& shared_groups() { return shared_groups_; }
    RetainedStore& retained() { return retained_; }
    Authenticator& authenticator() { return authenticator_; }
    Authorizer& authorizer() { return authorizer_; }
    Store& store() { return store_; }
    HandoverLedger& handovers() { return handovers_; }
    // Null: nothing that is published is written anywhere.
    MessageSink* message_sink() { return message_sink_; }
    // Before the shards run; outlives them.
    void set_message_sink(MessageSink* sink) { message_sink_ = sink; }

    // Sessions of all shards, for global_max_clients. False if `max` are there already.
    bool add_session(std::int64_t max) {
        if (sessions_.fetch_add(1, std::memory_order_relaxed) < max || max < 0) return true;
        sessions_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    void remove_session() { sessions_.fetch_sub(1, std::memory_order_relaxed); }

    // For a session that the store begins to keep.
    SessionNumber new_session_number() {
        return SessionNumber{session_numbers_.fetch_add(1, std::memory_order_relaxed)};
    }
    // A number that is in the store already; before the shards run.
    void reserve_session_number(SessionNumber number) {
        const std::uint64_t next = static_cast<std::uint64_t>(number) + 1;
        if (session_numbers_.load() < next) session_numbers_.store(next);
    }

private:
    static constexpr std::uint64_t partitions = 256;

    std::uint32_t shard_count_;
    // Nobody outside can prepare client ids that all fall to one shard.
    const std::uint64_t partition_seed_ = base::hash("partitions");
    std::shared_ptr<const Options> options_;
    Authenticator& authenticator_;
    Authorizer& authorizer_;
    Store& store_;
    Interest interest_;
    SharedGroups shared_groups_;
    RetainedStore retained_;
    HandoverLedger handovers_;
    MessageSink* message_sink_ = nullptr;
    std::atomic<std::int64_t> sessions_{0};
    std::atomic<std::uint64_t> session_numbers_{1};
};

}  // namespace broker
