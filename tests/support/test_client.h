// A client as a script: each act is sent, the broker comes to rest, and what it said waits to be
// expected, in order.
//
//     client("a").connect().expect(connack).subscribe("x/#", 1).expect(suback);
//     client("b").connect().expect(connack).publish("x/y", "hi", {.qos = 1}).expect(puback);
//     client("a").expect_publish("x/y", "hi", 1).expect_nothing();
//
// A client acknowledges the messages it gets by itself, as a library would, until manual_acks().
// Owned by a BrokerTest. A failed expectation is reported at the line of the script.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "support/broker_world.h"

namespace support {

// The packets that a broker sends, without the names that are a client's verbs.
inline constexpr auto connack = mqtt::PacketType::connack;
inline constexpr auto publish_type = mqtt::PacketType::publish;
inline constexpr auto puback = mqtt::PacketType::puback;
inline constexpr auto pubrec = mqtt::PacketType::pubrec;
inline constexpr auto pubrel = mqtt::PacketType::pubrel;
inline constexpr auto pubcomp = mqtt::PacketType::pubcomp;
inline constexpr auto suback = mqtt::PacketType::suback;
inline constexpr auto unsuback = mqtt::PacketType::unsuback;
inline constexpr auto pingresp = mqtt::PacketType::pingresp;
inline constexpr auto disconnected = mqtt::PacketType::disconnect;
inline constexpr auto auth_type = mqtt::PacketType::auth;
using enum mqtt::Version;
using mqtt::PacketId;
using mqtt::PacketType;
using mqtt::ReasonCode;
using mqtt::RetainHandling;
using mqtt::Version;

// What a message says of itself in 5.0; empty = not said.
struct Properties {
    std::optional<std::uint8_t> payload_format{};
    std::string_view content_type{};
    std::string_view response_topic{};
    std::string_view correlation_data{};
    std::vector<std::pair<std::string, std::string>> user{};
};

struct WillTerms {
    std::string_view topic;
    std::string_view payload;
    int qos = 0;
    bool retain = false;
    std::uint32_t delay_s = 0;
    std::optional<std::uint32_t> expiry_s{};
    Properties properties{};
};

struct ConnectTerms {
    Version version = v3_1_1;
    bool clean_start = true;
    std::uint16_t keep_alive_s = 0;
    std::optional<WillTerms> will{};
    std::optional<std::string_view> user_name{};
    std::uint32_t session_expiry_s = 0;
    std::uint16_t receive_maximum = 65'535;
    std::optional<std::uint32_t> maximum_packet_size{};
    std::uint16_t topic_alias_maximum = 0;
    bool request_problem_information = true;
    bool request_response_information = false;
    std::optional<std::string_view> authentication_method{};
    std::string_view authentication_data{};
    bool is_bridge = false;
    std::uint32_t accepted_by = 0;  // The shard that accepts the socket.
};

// A session that outlives its connection.
inline ConnectTerms persistent(Version version = v3_1_1) {
    return {.version = version, .clean_start = false, .session_expiry_s = 3600};
}

struct PublishTerms {
    int qos = 0;
    bool retain = false;
    bool dup = false;
    PacketId id = 0;  // 0 = the next one, with QoS 1 and 2.
    std::uint16_t alias = 0;
    std::optional<std::uint32_t> expiry_s{};
    std::string_view content_type{};
    Properties properties{};
};

struct SubscribeTerms {
    int qos = 0;
    bool no_local = false;
    bool retain_as_published = false;
    RetainHandling retain_handling = RetainHandling::send;
    std::uint32_t id = 0;  // Subscription identifier.
};

// Where in a test something was expected.
struct Where {
    const char* file;
    int line;
    static Where here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return {file, line};
    }
};

class TestClient {
public:
    TestClient(BrokerWorld& world, std::string client_id, const broker::ListenerOptions& listener)
        : world_(world), client_id_(std::move(client_id)), listener_(&listener) {}

    // Opens a connection without a word.
    TestClient& open(std::uint32_t shard = 0);
    TestClient& connect(const ConnectTerms& terms = {});
    // connect() and its successful CONNACK.
    TestClient& join(const ConnectTerms& terms = {}, Where where = Where::here());
    TestClient& on(const broker::ListenerOptions& listener);
    TestClient& subscribe(std::string_view filter, int qos = 0);
    TestClient& subscribe(std::string_view filter, const SubscribeTerms& terms);
    TestClient& unsubscribe(std::string_view filter);
    TestClient& publish(std::string_view topic, std::string_view payload,
                        const PublishTerms& terms = {});
    TestClient& ack(PacketType type, PacketId id, ReasonCode reason = ReasonCode::success);
    TestClient& ping();
    TestClient& disconnect(ReasonCode reason = ReasonCode::success,
                           std::optional<std::uint32_t> session_expiry_s = std::nullopt);
    TestClient& auth(ReasonCode reason, std::optional<std::string_view> method,
                     std::string_view data = {});
    TestClient& send(base::Bytes bytes);
    // The connection breaks.
    TestClient& drop();

    // The next thing the broker said is such a packet.
    TestClient& expect(PacketType type, Where where = Where::here());
    TestClient& expect(PacketType type, ReasonCode reason, Where where = Where::here());
    TestClient& expect_publish(std::string_view topic, std::string_view payload, int qos = 0,
                               Where where = Where::here());
    TestClient& expect_nothing(Where where = Where::here());
    // Nothing more was said, and the broker has closed the connection.
    TestClient& expect_closed(Where where = Where::here());
    // Drops what was said and not looked at.
    TestClient& ignore_all();

    // For all connections to come, too.
    TestClient& manual_acks();
    TestClient& auto_acks();
    // From now on the client takes `bytes` more.
    TestClient& take(std::size_t bytes);
    TestClient& take_everything() { return take(FakeWire::no_limit); }

    // The packet that was expected last.
    const Packet& last() const { return last_; }
    PacketId last_id() const { return next_id_; }                  // That it sent.
    PacketId last_publish_id() const { return last_publish_id_; }  // That was expected.
    // With manual_acks(): the QoS 1 message that it got first and has not acknowledged.
    PacketId oldest_unacknowledged() const { return unacknowledged_.front(); }
    bool is_open() const { return wire_ && wire_->is_open(); }
    std::size_t waiting() const { return wire_->received.size(); }
    FakeWire& wire() { return *wire_; }

private:
    bool answer(const Packet& packet);
    std::optional<Packet> next(Where where, std::string_view wanted);
    TestClient& settled();
    PacketId new_id();
    void queue_ack(PacketType type, PacketId id, ReasonCode reason);

    BrokerWorld& world_;
    std::string client_id_;
    const broker::ListenerOptions* listener_;
    FakeWire* wire_ = nullptr;
    Packet last_;
    PacketId next_id_ = 0;
    PacketId last_publish_id_ = 0;
    std::deque<PacketId> unacknowledged_;
    Version version_ = v3_1_1;
    bool acks_by_itself_ = true;
};

}  // namespace support
