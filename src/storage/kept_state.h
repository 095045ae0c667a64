// What a sequence of changes comes to: sessions with all that is theirs, and what is retained.
//
// A plain value in memory. Thread: one at a time.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "broker/store.h"

namespace storage {

class KeptState {
public:
    // A change of something that is not there (a session that has ended) does nothing.
    void apply(const broker::Change& change);
    // Calls `each` with changes that lead to this state, in the order that Store::restore() says.
    void for_each(const std::function<void(const broker::Change&)>& each) const;
    // As Store::read_queue() says.
    broker::QueueSlice slice(const broker::QueueRequest& request) const;

private:
    struct Session {
        broker::SessionKept kept;
        std::map<std::string, broker::SubscriptionKept> subscriptions;
        std::map<std::uint64_t, broker::MessageKept> messages;  // By their order.
        std::set<mqtt::PacketId> received;
    };

    // From one shard to another.
    struct Way {
        std::uint64_t taken = 0;
        std::map<std::uint64_t, broker::HandoverKept> handovers;  // By their counts.
    };

    void put(const broker::SessionKept& change);
    void put(const broker::SessionEnded& change);
    void put(const broker::SubscriptionKept& change);
    void put(const broker::SubscriptionEnded& change);
    void put(const broker::MessageKept& change);
    void put(const broker::MessageSent& change);
    void put(const broker::MessageDone& change);
    void put(const broker::ReceivedKept& change);
    void put(const broker::ReceivedReleased& change);
    void put(const broker::RetainedKept& change);
    void put(const broker::RetainedCleared& change);
    void put(const broker::LayoutKept& change);
    void put(const broker::HandoverKept& change);
    void put(const broker::HandoverTaken& change);
    void put(const broker::HandoverDone& change);
    void put(const broker::HandoversCleared& change);
    Session* find(broker::SessionNumber number);

    std::map<broker::SessionNumber, Session> sessions_;
    std::map<std::string, broker::RetainedKept> retained_;
    broker::LayoutKept layout_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, Way> ways_;
};

}  // namespace storage
