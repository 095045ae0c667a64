// The client half of MQTT as a state machine: bytes and times go in, bytes and events come out.
// No socket, no clock, no printing. Bridges and the command-line tools drive it alike:
//
//     session.open(now);                            // queues the CONNECT
//     loop: write session.output(), session.consume(n)
//           read bytes -> session.receive(bytes, now)
//           session.tick(now)                       // at session.next_deadline() or earlier
//           while (event = session.next_event()) act on it
//
// A session outlives its network connections: after open() on a new one, messages of QoS 1 and 2
// that were not finished are sent again, in order [MQTT-4.4.0-1].
//
// Thread: one at a time. Time is what the last of open(), receive() and tick() said, in
// milliseconds that never jump. Limits: Options says how many messages and bytes may wait.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "client/event.h"
#include "client/options.h"
#include "mqtt/framer.h"

namespace client {

class Session {
public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    explicit Session(Options options);

    // A new network connection is there: forgets the old one's bytes and queues the CONNECT.
    void open(std::uint64_t now_ms);
    // The transport ended. Emits Disconnected{lost} unless the connection was over already.
    void transport_closed();
    // Bytes from the server. Call next_event() until it is empty before the next receive().
    void receive(mqtt::Bytes bytes, std::uint64_t now_ms);
    std::optional<Event> next_event();

    // Bytes for the server; valid until the next call of anything else.
    mqtt::Bytes output() const { return mqtt::Bytes(output_).subspan(output_done_); }
    void consume(std::size_t size);

    // Sends a due ping, or finds that the server is silent.
    void tick(std::uint64_t now_ms);
    std::uint64_t next_deadline() const;

    // The packet id by which Published will speak of the message; with QoS 0 it is a number of the
    // same row that is not on the wire. Fails with quota_exceeded when too much waits; with
    // qos_not_supported, retain_not_supported, packet_too_large by what the server said; with
    // server_unavailable for QoS 0 without a connection.
    mqtt::Result<mqtt::PacketId> publish(Message message);
    // Only while connected; the filters are valid. 0 if all packet ids are in use.
    mqtt::PacketId subscribe(std::span<const Subscription> subscriptions,
                             std::uint32_t subscription_id = 0, const UserProperties& user = {});
    mqtt::PacketId unsubscribe(std::span<const std::string> filters,
                               const UserProperties& user = {});
    // Queues a DISCONNECT and ends the connection. Nothing after it is sent [MQTT-3.14.4-2].
    void disconnect(const mqtt::Disconnect& packet = {});

    bool is_connected() const { return state_ == State::connected; }
    // Ours, or the one that the server assigned.
    const std::string& client_id() const { return options_.client_id; }
    mqtt::Version version() const { return options_.version; }
    // Messages of QoS 1 and 2 that are not finished.
    std::size_t unfinished() const { return in_flight_.size() + queued_.size(); }

private:
    enum class State : std::uint8_t { closed, connecting, connected };
    enum class Stage : std::uint8_t { wait_puback, wait_pubrec, wait_pubcomp };
    struct Outgoing {
        Message message;
        mqtt::PacketId id = 0;
        Stage stage{};
    };
    // A QoS 2 message that waits for its PUBREL.
    struct Incoming {
        std::uint8_t flags = 0;
        std::string topic;  // What a topic alias stood for; otherwise empty.
        std::vector<std::uint8_t> body;
    };

    // session_incoming.cc: one function a packet type.
    bool decode_next();
    void on_frame(const mqtt::Frame& frame);
    void on_connack(mqtt::Bytes body);
    void on_publish(const mqtt::Frame& frame);
    void on_ack(mqtt::PacketType type, mqtt::Bytes body);
    void on_pubrel(const mqtt::Ack& ack);
    void on_suback(mqtt::Bytes body);
    void on_unsuback(mqtt::Bytes body);
    void on_disconnect(mqtt::Bytes body);
    bool resolve_alias(mqtt::Publish& publish);
    void accept_limits(const mqtt::Connack& connack);
    void resume(bool session_present);

    mqtt::Writer writer() { return mqtt::Writer(output_); }
    void send_connect();
    void send_publish(const Message& message, mqtt::PacketId id, bool dup);
    void send_ack(mqtt::PacketType type, mqtt::PacketId id, mqtt::ReasonCode reason);
    void send_queued();
    void finish(const std::deque<Outgoing>::iterator& outgoing, const mqtt::Ack& ack);
    void trace(Traced traced);
    // Ends the connection because of the server's fault; tells a 5.0 server why.
    void refuse(mqtt::ReasonCode reason);
    void end(Disconnected::Cause cause, mqtt::ReasonCode reason = mqtt::ReasonCode::success);
    mqtt::PacketId next_id();

    Options options_;
    State state_ = State::closed;
    std::uint64_t now_ms_ = 0;

    // Of one network connection.
    std::vector<std::uint8_t> output_;
    std::size_t output_done_ = 0;
    std::vector<std::uint8_t> input_;
    std::size_t input_done_ = 0;
    std::deque<Event> events_;
    std::map<std::uint16_t, std::string> aliases_;
    std::uint64_t opened_ms_ = 0;
    std::uint64_t last_sent_ms_ = 0;
    std::uint64_t last_received_ms_ = 0;
    std::optional<std::uint64_t> ping_sent_ms_;
    std::uint64_t keep_alive_ms_ = 0;
    std::size_t in_flight_max_ = 0;
    std::uint32_t packet_size_max_ = mqtt::remaining_length_max + 5;
    mqtt::Qos maximum_qos_ = mqtt::Qos::exactly_once;
    bool retain_available_ = true;

    // Of the session.
    mqtt::PacketId last_id_ = 0;
    std::unordered_set<mqtt::PacketId> ids_in_use_;
    std::deque<Outgoing> in_flight_;  // In the order they were first sent.
    std::deque<Outgoing> queued_;
    std::map<mqtt::PacketId, Incoming> incoming_;
    Incoming releasing_;  // Holds the bytes of the Received event that is out.
};

}  // namespace client
