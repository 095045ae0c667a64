// Scripts of exchanges between a client session and a server, in virtual time.
#include "client/session.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mqtt/connack.h"
#include "mqtt/subscribe.h"

namespace client {
namespace {

using mqtt::PacketType;
using mqtt::Qos;
using mqtt::ReasonCode;
using mqtt::Version;

// The session under test, and the server's side of the wire.
class SessionTest : public testing::Test {
protected:
    void start(Options options, bool session_present = false) {
        options_ = options;
        session_.emplace(std::move(options));
        reopen(session_present);
    }
    void reopen(bool session_present, mqtt::Connack connack = {}) {
        session_->open(now_);
        EXPECT_EQ(sent(), "connect");
        connack.session_present = session_present;
        mqtt::Writer out(bytes_);
        encode(out, connack, options_.version);
        EXPECT_EQ(deliver(), "connected");
    }
    // What the session has sent since the last call: packet types, ids and flags.
    std::string sent() {
        std::string text;
        while (!session_->output().empty()) {
            const auto found = mqtt::next_frame(session_->output(), 0, options_.version);
            EXPECT_EQ(found.status, mqtt::FrameResult::Status::whole);
            if (found.status != mqtt::FrameResult::Status::whole) break;
            if (!text.empty()) text += ' ';
            text += describe_frame(found.frame);
            session_->consume(found.frame.size);
        }
        return text;
    }
    // Hands over what is in bytes_; the events that come of it.
    std::string deliver() {
        session_->receive(bytes_, now_);
        bytes_.clear();
        return events();
    }
    std::string events() {
        std::string text;
        while (const auto event = session_->next_event()) {
            if (!text.empty()) text += ' ';
            text += std::visit([](const auto& one) { return name_of(one); }, *event);
        }
        return text;
    }
    void ack(PacketType type, mqtt::PacketId id, ReasonCode reason = ReasonCode::success) {
        mqtt::Ack packet;
        packet.type = type;
        packet.id = id;
        packet.reason = reason;
        mqtt::Writer out(bytes_);
        encode(out, packet, options_.version);
    }
    void message(std::string_view topic, Qos qos, mqtt::PacketId id, std::uint16_t alias = 0) {
        mqtt::Publish packet;
        packet.topic = topic;
        packet.qos = qos;
        packet.id = id;
        packet.topic_alias = alias;
        packet.payload = base::as_bytes("p");
        mqtt::Writer out(bytes_);
        encode(out, packet, options_.version);
    }
    mqtt::PacketId publish(Qos qos) {
        Message message;
        message.topic = "t";
        message.qos = qos;
        const auto id = session_->publish(std::move(message));
        return id ? *id : mqtt::PacketId{0};
    }
    static Options with_version(Version version) {
        Options options;
        options.version = version;
        options.client_id = "c";
        options.clean_start = false;
        return options;
    }

    static std::string describe_frame(const mqtt::Frame& frame) {
        const auto number = [&](std::size_t at) {
            return at + 1 < frame.body.size()
                       ? std::to_string(frame.body[at] << 8 | frame.body[at + 1])
                       : std::string();
        };
        switch (frame.type) {
            case PacketType::connect:
                return "connect";
            case PacketType::publish:  // The topic of all tests has one letter.
                return std::string((frame.flags & 8) != 0 ? "dup-" : "") + "publish" +
                       ((frame.flags & 6) != 0 ? number(3) : "");
            case PacketType::puback:
                return "puback" + number(0);
            case PacketType::pubrec:
                return "pubrec" + number(0);
            case PacketType::pubrel:
                return "pubrel" + number(0);
            case PacketType::pubcomp:
                return "pubcomp" + number(0);
            case PacketType::subscribe:
                return "subscribe" + number(0);
            case PacketType::pingreq:
                return "pingreq";
            case PacketType::disconnect:
                return "disconnect";
            default:
                return "?";
        }
    }
    static std::string name_of(const Connected&) { return "connected"; }
    static std::string name_of(const Received& one) {
        return "received:" + std::string(one.publish.topic);
    }
    static std::string name_of(const Published& one) {
        return "published" + std::to_string(one.id) +
               (is_failure(one.reason) ? ":" + std::string(describe(one.reason)) : "");
    }
    static std::string name_of(const Subscribed& one) {
        return "subscribed" + std::to_string(one.id);
    }
    static std::string name_of(const Unsubscribed&) { return "unsubscribed"; }
    static std::string name_of(const Disconnected& one) {
        constexpr const char* causes[] = {"by_us", "by_server", "refused",
                                          "lost",  "timed_out", "protocol_error"};
        return std::string("ended:") + causes[static_cast<int>(one.cause)];
    }
    static std::string name_of(const Traced&) { return "traced"; }

    Options options_;
    std::optional<Session> session_;
    std::vector<std::uint8_t> bytes_;
    std::uint64_t now_ = 1'000;
};

TEST_F(SessionTest, QoS0IsPublishedAtOnce) {
    start(with_version(Version::v3_1_1));
    EXPECT_EQ(publish(Qos::at_most_once), 1);
    EXPECT_EQ(events(), "published1");
    EXPECT_EQ(sent(), "publish");
}

TEST_F(SessionTest, MQTT311_4_3_2_1_QoS1WaitsForPuback) {
    start(with_version(Version::v3_1_1));
    publish(Qos::at_least_once);
    EXPECT_EQ(sent(), "publish1");
    EXPECT_EQ(events(), "");
    ack(PacketType::puback, 1);
    EXPECT_EQ(deliver(), "published1");
    EXPECT_EQ(session_->unfinished(), 0U);
}

TEST_F(SessionTest, MQTT_4_3_3_4_QoS2TakesFourPackets) {
    start(with_version(Version::v5));
    publish(Qos::exactly_once);
    EXPECT_EQ(sent(), "publish1");
    ack(PacketType::pubrec, 1);
    EXPECT_EQ(deliver(), "");
    EXPECT_EQ(sent(), "pubrel1");
    ack(PacketType::pubcomp, 1);
    EXPECT_EQ(deliver(), "published1");
}

TEST_F(SessionTest, RefusedPubrecEndsTheMessage) {
    start(with_version(Version::v5));
    publish(Qos::exactly_once);
    sent();
    ack(PacketType::pubrec, 1, ReasonCode::not_authorized);
    EXPECT_EQ(deliver(), "published1:" + std::string(describe(ReasonCode::not_authorized)));
    EXPECT_EQ(sent(), "");
}

TEST_F(SessionTest, MQTT311_4_4_0_1_UnfinishedMessagesAreSentAgainInOrder) {
    start(with_version(Version::v3_1_1));
    publish(Qos::exactly_once);
    publish(Qos::at_least_once);
    publish(Qos::exactly_once);
    sent();
    ack(PacketType::pubrec, 1);
    deliver();
    session_->transport_closed();
    EXPECT_EQ(events(), "ended:lost");
    reopen(true);
    EXPECT_EQ(sent(), "pubrel1 dup-publish2 dup-publish3");
}

TEST_F(SessionTest, WithoutTheSessionMessagesAreNew) {
    start(with_version(Version::v3_1_1));
    publish(Qos::at_least_once);
    sent();
    session_->transport_closed();
    events();
    reopen(false);
    EXPECT_EQ(sent(), "publish1");
}

TEST_F(SessionTest, MQTT_3_3_4_7_ReceiveMaximumOfTheServer) {
    start(with_version(Version::v5));
    session_->transport_closed();
    events();
    mqtt::Connack connack;
    connack.receive_maximum = 2;
    reopen(true, connack);
    for (int i = 0; i < 3; ++i) publish(Qos::at_least_once);
    EXPECT_EQ(sent(), "publish1 publish2");
    ack(PacketType::puback, 1);
    EXPECT_EQ(deliver(), "published1");
    EXPECT_EQ(sent(), "publish3");
}

TEST_F(SessionTest, QueueHasALimit) {
    Options options = with_version(Version::v3_1_1);
    options.in_flight_max = 1;
    options.queued_max = 2;
    start(options);
    EXPECT_NE(publish(Qos::at_least_once), 0);
    EXPECT_NE(publish(Qos::at_least_once), 0);
    EXPECT_NE(publish(Qos::at_least_once), 0);
    EXPECT_EQ(publish(Qos::at_least_once), 0);
}

TEST_F(SessionTest, ServerLimitsAreKept) {
    start(with_version(Version::v5));
    session_->transport_closed();
    events();
    mqtt::Connack connack;
    connack.maximum_qos = 0;
    connack.retain_available = false;
    connack.maximum_packet_size = 10;
    reopen(true, connack);
    Message message;
    message.topic = "t";
    message.qos = Qos::at_least_once;
    EXPECT_EQ(session_->publish(message).error(), ReasonCode::qos_not_supported);
    message.qos = Qos::at_most_once;
    message.retain = true;
    EXPECT_EQ(session_->publish(message).error(), ReasonCode::retain_not_supported);
    message.retain = false;
    message.payload = "too long";
    EXPECT_EQ(session_->publish(message).error(), ReasonCode::packet_too_large);
}

TEST_F(SessionTest, MQTT311_4_3_3_2_QoS2ComesOnce) {
    start(with_version(Version::v3_1_1));
    message("t", Qos::exactly_once, 7);
    message("t", Qos::exactly_once, 7);
    EXPECT_EQ(deliver(), "");
    EXPECT_EQ(sent(), "pubrec7 pubrec7");
    ack(PacketType::pubrel, 7);
    EXPECT_EQ(deliver(), "received:t");
    ack(PacketType::pubrel, 7);
    EXPECT_EQ(deliver(), "");
    EXPECT_EQ(sent(), "pubcomp7 pubcomp7");
}

TEST_F(SessionTest, QoS1IsAcknowledged) {
    start(with_version(Version::v5));
    message("t", Qos::at_least_once, 9);
    EXPECT_EQ(deliver(), "received:t");
    EXPECT_EQ(sent(), "puback9");
}

TEST_F(SessionTest, TopicAlias) {
    Options options = with_version(Version::v5);
    options.topic_alias_maximum = 2;
    start(options);
    message("t", Qos::at_most_once, 0, 2);
    message("", Qos::at_most_once, 0, 2);
    message("", Qos::exactly_once, 5, 2);
    ack(PacketType::pubrel, 5);
    EXPECT_EQ(deliver(), "received:t received:t received:t");
    sent();
    message("t", Qos::at_most_once, 0, 3);  // [MQTT-3.3.2-11]
    EXPECT_EQ(deliver(), "ended:protocol_error");
    EXPECT_EQ(sent(), "disconnect");
}

TEST_F(SessionTest, MQTT311_3_1_2_23_PingsAndGivesUp) {
    Options options = with_version(Version::v3_1_1);
    options.keep_alive_s = 10;
    start(options);
    EXPECT_EQ(session_->next_deadline(), now_ + 10'000);
    session_->tick(now_ + 9'999);
    EXPECT_EQ(sent(), "");
    session_->tick(now_ + 10'000);
    EXPECT_EQ(sent(), "pingreq");
    session_->tick(now_ + 19'999);
    EXPECT_EQ(events(), "");
    session_->tick(now_ + 20'000);
    EXPECT_EQ(events(), "ended:timed_out");
}

TEST_F(SessionTest, NoConnackInTime) {
    Options options = with_version(Version::v3_1_1);
    options.connack_timeout_ms = 500;
    session_.emplace(options);
    session_->open(now_);
    session_->tick(now_ + 500);
    EXPECT_EQ(events(), "ended:timed_out");
}

TEST_F(SessionTest, FirstPacketIsConnack) {
    options_ = with_version(Version::v3_1_1);
    session_.emplace(options_);
    session_->open(now_);
    message("t", Qos::at_most_once, 0);
    EXPECT_EQ(deliver(), "ended:protocol_error");
}

TEST_F(SessionTest, RefusedConnack) {
    options_ = with_version(Version::v5);
    session_.emplace(options_);
    session_->open(now_);
    mqtt::Connack connack;
    connack.reason = ReasonCode::banned;
    mqtt::Writer out(bytes_);
    encode(out, connack, options_.version);
    EXPECT_EQ(deliver(), "ended:refused");
}

TEST_F(SessionTest, AnyCutOfTheStreamIsTheSame) {
    start(with_version(Version::v5));
    message("t", Qos::at_least_once, 3);
    const std::vector<std::uint8_t> packet = std::move(bytes_);
    std::string got;
    for (const std::uint8_t byte : packet) {
        bytes_ = {byte};
        got += deliver();
    }
    EXPECT_EQ(got, "received:t");
}

TEST_F(SessionTest, SubscribeAndSuback) {
    start(with_version(Version::v3_1_1));
    const Subscription one{"t", {}};
    EXPECT_EQ(session_->subscribe(std::span(&one, 1)), 1);
    EXPECT_EQ(sent(), "subscribe1");
    const std::uint8_t granted = 0;
    mqtt::Suback suback;
    suback.id = 1;
    suback.reasons = mqtt::Bytes(&granted, 1);
    mqtt::Writer out(bytes_);
    encode(out, suback, Version::v3_1_1);
    EXPECT_EQ(deliver(), "subscribed1");
}

TEST_F(SessionTest, MQTT_3_14_4_1_NothingAfterDisconnect) {
    start(with_version(Version::v5));
    session_->disconnect();
    EXPECT_EQ(events(), "ended:by_us");
    EXPECT_EQ(publish(Qos::at_most_once), 0);
    EXPECT_EQ(sent(), "disconnect");
}

}  // namespace
}  // namespace client
