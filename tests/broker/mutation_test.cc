// Every valid packet of a client, with every byte of it changed to every other value, and cut short
// everywhere: the broker takes it or refuses it, and the next client is served. That no byte is
// read beyond the packet is for the sanitizers to see.
#include <gtest/gtest.h>

#include <iterator>

#include "mqtt/ack.h"
#include "mqtt/connect.h"
#include "mqtt/disconnect.h"
#include "mqtt/ping.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"
#include "mqtt/unsubscribe.h"
#include "support/broker_world.h"

namespace support {
namespace {

using mqtt::Version;
using Buffer = std::vector<std::uint8_t>;

template <typename Encode>
Buffer encoded(const Encode& encode) {
    Buffer bytes;
    mqtt::Writer out(bytes);
    encode(out);
    return bytes;
}

Buffer connect_packet(Version version, std::string_view client_id, bool with_everything) {
    mqtt::Connect packet;
    packet.version = version;
    packet.client_id = client_id;
    packet.clean_start = true;
    if (with_everything) {
        packet.keep_alive_s = 60;
        packet.user_name = "user";
        packet.password = base::as_bytes("word");
        mqtt::Will& will = packet.will.emplace();
        will.topic = "w/x";
        will.payload = base::as_bytes("gone");
        will.qos = mqtt::Qos::at_least_once;
        will.delay_s = 1;
        will.properties.message_expiry_s = 7;
        packet.session_expiry_s = 5;
        packet.receive_maximum = 9;
        packet.maximum_packet_size = 1000;
        packet.topic_alias_maximum = 3;
    }
    return encoded([&](mqtt::Writer& out) { mqtt::encode(out, packet); });
}

Buffer publish_packet(Version version, int qos, bool with_everything) {
    mqtt::Publish packet;
    packet.topic = "a/b";
    packet.payload = base::as_bytes("hi");
    packet.qos = static_cast<mqtt::Qos>(qos);
    if (qos > 0) packet.id = 5;
    if (with_everything) {
        packet.retain = true;
        packet.topic_alias = 1;
        packet.properties.message_expiry_s = 7;
        packet.properties.content_type = "c";
        packet.properties.has_content_type = true;
        packet.properties.response_topic = "r";
        packet.properties.has_response_topic = true;
    }
    return encoded([&](mqtt::Writer& out) { mqtt::encode(out, packet, version); });
}

// What a client may send; CONNECT is the first.
std::vector<Buffer> packets(Version version) {
    const mqtt::SubscribeEntry entries[] = {{.filter = "a/+", .options = {}},
                                            {.filter = "w/#", .options = {}}};
    const std::string_view filters[] = {"a/+", "x"};
    std::vector<Buffer> all{connect_packet(version, "m", true)};
    for (int qos = 0; qos < 3; ++qos) all.push_back(publish_packet(version, qos, qos == 1));
    for (const auto type : {mqtt::PacketType::puback, mqtt::PacketType::pubrec,
                            mqtt::PacketType::pubrel, mqtt::PacketType::pubcomp}) {
        mqtt::Ack ack;
        ack.type = type;
        ack.id = 5;
        if (version == Version::v5) ack.reason_string = "r";
        all.push_back(encoded([&](mqtt::Writer& out) { mqtt::encode(out, ack, version); }));
    }
    all.push_back(encoded(
        [&](mqtt::Writer& out) { mqtt::encode_subscribe(out, {.id = 6}, entries, version); }));
    all.push_back(encoded(
        [&](mqtt::Writer& out) { mqtt::encode_unsubscribe(out, {.id = 7}, filters, version); }));
    all.push_back(encoded([](mqtt::Writer& out) { mqtt::encode_pingreq(out); }));
    all.push_back(encoded([&](mqtt::Writer& out) {
        mqtt::encode(out, mqtt::Disconnect{.reason = mqtt::ReasonCode::success}, version);
    }));
    return all;
}

class Mutations : public ::testing::TestWithParam<Version> {
protected:
    // A client that sends `bytes`, after a CONNECT unless they are one.
    void play(const Buffer& bytes, bool is_connect) {
        // A world keeps the wires it had: now and then a new one.
        if (plays_++ % 200 == 0) renew();
        FakeWire& wire = world_->open(0, listener_);
        wire.version = GetParam();
        // Not judged: what a client has turned into another version is told in that version.
        wire.on_packet = [](const Packet&) { return false; };
        if (!is_connect) BrokerWorld::send(wire, connect_packet(GetParam(), "m", false));
        BrokerWorld::send(wire, bytes);
        world_->settle();
        world_->drop(wire);
        wire.violation.clear();
    }

    void renew() {
        if (world_) check();
        broker::Options options;
        options.persistent_client_expiration_s = 60;  // A changed session expiry may be "never".
        world_ = std::make_unique<BrokerWorld>(1, options);
    }

    void check() {
        FakeWire& wire = world_->open(0, listener_);
        BrokerWorld::send(wire, connect_packet(Version::v3_1_1, "healthy", false));
        BrokerWorld::send(wire, encoded([](mqtt::Writer& out) { mqtt::encode_pingreq(out); }));
        world_->settle();
        ASSERT_EQ(wire.received.size(), 2U);
        EXPECT_EQ(wire.received.back().type, mqtt::PacketType::pingresp);
        world_->drop(wire);
        world_->advance(std::chrono::hours(1));
        EXPECT_EQ(world_->count(&broker::Counters::sessions), 0U);
        EXPECT_EQ(world_->count(&broker::Counters::subscriptions), 0U);
    }

    broker::ListenerOptions listener_;
    std::unique_ptr<BrokerWorld> world_;
    int plays_ = 0;
};

TEST_P(Mutations, fault_06_one_byte_changed) {
    for (const Buffer& whole : packets(GetParam())) {
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (int value = 0; value < 256; ++value) {
                Buffer changed = whole;
                changed[at] = static_cast<std::uint8_t>(value);
                play(changed, whole[0] >> 4 == 1);
            }
        }
    }
    check();
}

TEST_P(Mutations, fault_06_cut_anywhere) {
    for (const Buffer& whole : packets(GetParam())) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            const Buffer cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
            play(cut, whole[0] >> 4 == 1);
            // The length says what it has: cut in the packet, not in the stream.
            if (size < 2) continue;
            Buffer shortened = cut;
            shortened[1] = static_cast<std::uint8_t>(size - 2);
            play(shortened, whole[0] >> 4 == 1);
        }
    }
    check();
}

INSTANTIATE_TEST_SUITE_P(Versions, Mutations,
                         ::testing::Values(Version::v3_1, Version::v3_1_1, Version::v5),
                         [](const auto& version) {
                             return version.param == Version::v3_1     ? "v3_1"
                                    : version.param == Version::v3_1_1 ? "v3_1_1"
                                                                       : "v5";
                         });

}  // namespace
}  // namespace support
