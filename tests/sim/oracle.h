// What the broker has promised, by what its clients have seen: who was told what, and what must and
// may come of it.
//
//     loss       acknowledged (PUBACK, PUBREC) while a kept session's subscription was granted, and
//                never comes; of a shared subscription, to none of its members
//     duplicate  QoS 2 that comes twice, QoS 0 that does
//     order      of a publisher, a topic and a QoS: comes for the first time after a later one
//     ghost      what nobody sent, or what a session has not subscribed to any more
//     retained   a value that a later one, acknowledged, had replaced
//
// Owned by a Simulation. The first violation stays. Times are counts of events.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "support/packet.h"

namespace sim {

struct Publication {
    std::uint32_t number = 0;  // Its payload begins with it.
    std::string publisher;
    std::string topic;
    int qos = 0;
    bool retain = false;
    bool is_clear = false;  // Without a payload: it ends what is retained.
    std::uint64_t sent_at = 0;
    std::uint64_t repeated_at = 0;      // The last time; 0 = not.
    std::uint64_t acknowledged_at = 0;  // 0 = not.
};

class Oracle {
public:
    void violate(std::string sentence) {
        if (violation_.empty()) violation_ = std::move(sentence);
    }
    const std::string& violation() const { return violation_; }

    void start() { started_at_ = ++now_; }

    Publication& publish(const std::string& publisher, std::string_view topic, int qos, bool retain,
                         bool is_clear);
    const Publication& publication(std::uint32_t number) const { return published_[number]; }
    // The same PUBLISH once more, on a new connection.
    void repeat(std::uint32_t number);
    void acknowledge(std::uint32_t number);

    // A client's session is new, or a new one takes its place. Kept: it outlives its connection.
    void begin_session(const std::string& client, bool is_kept);
    // It is over, or may be.
    void end_session(const std::string& client);
    void ask_subscription(const std::string& client, const std::string& filter, int qos);
    void grant_subscription(const std::string& client, const std::string& filter);
    void ask_end(const std::string& client, const std::string& filter);
    void grant_end(const std::string& client, const std::string& filter);
    // A PUBLISH whose identifier the client does not know already.
    void receive(const std::string& client, const support::Packet& packet);

    // Everything has come that will.
    void check_nothing_lost();
    // What a topic's retained message is; empty = nothing. Nobody writes any more.
    void check_retained(const std::string& topic, std::string_view payload);

    std::size_t acknowledged() const { return acknowledged_; }
    std::size_t published() const { return published_.size() - 1; }

private:
    struct Subscription {
        int qos = 0;
        std::uint64_t asked_at = 0;        // The first time since it was not there.
        std::uint64_t first_asked_at = 0;  // In this session: a retained copy may come late.
        std::uint64_t granted_at = 0;
        bool is_ending = false;
        std::uint64_t gone_at = 0;  // 0 = it is, or may be, there.
    };
    struct Session {
        bool is_kept = false;
        std::map<std::string, Subscription> subscriptions;
        std::set<std::uint32_t> owed;
        // With their QoS, but for retained copies.
        std::set<std::pair<std::uint32_t, int>> received;
        // By publisher, topic and QoS.
        std::map<std::tuple<std::string, std::string, int>, std::uint32_t> highest;
    };

    // Whether another value, sent after this one was acknowledged, was so itself before `at`.
    bool is_replaced(const Publication& one, std::uint64_t at) const;
    const Publication* find(std::string_view payload) const;
    bool is_owed(const Session& session, const Publication& one) const;
    void owe_to_group(const Publication& one);
    void leave_group(const std::string& client);
    bool may_be_gone(const Publication& one) const;
    void receive_retained(const std::string& client, const Session& session,
                          const Publication& one);
    void receive_live(const std::string& client, Session& session, const Publication& one, int qos);
    std::string describe(const Publication& one) const;

    std::string violation_;
    std::uint64_t now_ = 1;
    std::uint64_t started_at_ = 0;  // The broker, the last time.
    std::size_t acknowledged_ = 0;
    std::vector<Publication> published_{1};  // By number; there is no 0.
    std::map<std::string, Session> sessions_;
    // Of the shared subscription.
    std::set<std::uint32_t> owed_to_group_;
    std::set<std::uint32_t> came_by_group_;
    std::set<std::string> members_;  // Who has ever been one.
    // What was sent before has left with a member.
    std::uint64_t gone_before_ = 0;
    std::uint64_t gone_qos2_before_ = 0;
};

}  // namespace sim
