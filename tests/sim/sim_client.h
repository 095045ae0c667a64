// A client of the simulated broker: one client id on one connection after the other, that behaves
// as the specification asks and tells the oracle what it was promised.
//
// It repeats what was not acknowledged when its session is still there, and begins anew when not.
// It acknowledges late and in order, subscribes and unsubscribes, comes while its last connection
// is still open, goes with and without DISCONNECT. What it sends waits in the network until
// exchange() moves a part of it.
//
// Owned by a Simulation.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "sim/oracle.h"
#include "sim/random.h"
#include "sim/trace.h"
#include "support/broker_world.h"

namespace sim {

// What all clients of a simulation share.
struct Surroundings {
    Random& random;
    Trace& trace;
    Oracle& oracle;
    broker::ListenerOptions listener{};
    support::BrokerWorld* world = nullptr;  // While the broker runs.
    std::size_t receive_maximum = 20;       // Of the broker.
    bool was_disk_full = false;             // Since the broker was started.
};

struct Character {
    std::string name;
    mqtt::Version version{};
    bool is_kept = false;  // Its sessions outlive their connections.
    std::uint16_t receive_maximum = 65'535;
    std::size_t number = 0;
    bool is_member = false;  // Of the group that shares a subscription.
    std::uint32_t expiry_s = mqtt::session_never_expires;  // MQTT 5: of a session that is kept.
};

class SimClient {
public:
    SimClient(Surroundings& surroundings, Character character)
        : around_(surroundings), who_(std::move(character)) {}
    SimClient(const SimClient&) = delete;
    SimClient& operator=(const SimClient&) = delete;

    const Character& who() const { return who_; }
    // Does something, or nothing.
    void act();
    // The network carries a part of what waits, in both directions.
    void exchange();
    // The broker is gone, and every connection with it.
    void lose_broker();
    // Comes back and finishes what it has begun; begins nothing new. True when there is nothing
    // left that it knows of.
    bool finish();
    // Its connection breaks, for long: its will is due.
    void break_off();
    // So much time has passed that its session is over, if it ever is.
    void expire();

private:
    using Buffer = std::vector<std::uint8_t>;
    struct Outgoing {
        mqtt::PacketId id = 0;
        std::uint32_t number = 0;  // Of the publication.
        bool is_received = false;  // PUBREC has come: only its identifier matters.
    };
    struct Request {
        mqtt::PacketId id = 0;
        std::string filter;
        bool is_end = false;
    };
    // Whether the broker has a session of this client.
    enum class Presence { none, maybe, certain };

    bool is_v5() const { return who_.version == mqtt::Version::v5; }
    bool notice_close();
    void connect(bool may_begin_anew);
    void connect_anew();
    void disconnect();
    void leave_wire();
    void lose_connection();
    void publish();
    void send_publish(const Outgoing& one, bool dup);
    void request();
    int choose_filter(Request& request);
    void add_will(mqtt::Connect& packet);
    void acknowledge(std::size_t count);
    void repeat();
    mqtt::PacketId new_id();

    bool on_packet(const support::Packet& packet);
    void on_connack(const support::Packet& packet);
    void on_publish(const support::Packet& packet);
    bool is_refused(const support::Packet& packet) const;
    void on_publish_ack(const support::Packet& packet);
    void on_pubrel(const support::Packet& packet);
    void on_request_ack(const support::Packet& packet);
    template <typename Packet>
    void send(const Packet& packet);
    void violate(const std::string& sentence);

    Surroundings& around_;
    Character who_;
    support::FakeWire* wire_ = nullptr;
    bool is_connected_ = false;   // CONNACK has come.
    bool is_clean_ = false;       // The last CONNECT began anew,
    bool must_be_clean_ = false;  // and whether the broker has seen one that did is not known.
    Presence presence_ = Presence::none;
    std::vector<std::uint8_t> sent_;  // On its way to the broker.
    std::deque<Outgoing> unfinished_;
    std::deque<mqtt::Ack> owed_acks_;
    std::map<mqtt::PacketId, std::uint32_t> unreleased_;  // QoS 2 that came, to what it said.
    std::set<mqtt::PacketId> in_flight_;                  // To it, on this connection.
    std::optional<Request> request_;
    std::uint32_t will_ = 0;  // The publication that is its will; 0 = none.
    mqtt::PacketId last_id_ = 0;
};

}  // namespace sim
