// The small parts of a session: the window, the identifier sets, the batch, the encoder.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>

#include "broker/inflight_window.h"
#include "broker/packet_id_set.h"
#include "broker/publish_encoder.h"
#include "broker/route_batch.h"
#include "broker/subscription_ids.h"
#include "mqtt/framer.h"
#include "mqtt/publish.h"

namespace broker {
namespace {

InflightMessage waiting(std::uint32_t bytes = 0) {
    InflightMessage message;
    message.state = OutgoingState::wait_puback;
    message.bytes = bytes;
    return message;
}

TEST(InflightWindow, counts_messages_and_bytes) {
    InflightWindow window;
    EXPECT_EQ(1, window.add(waiting(10)));
    EXPECT_EQ(2, window.add(waiting(5)));
    EXPECT_EQ(2U, window.unacknowledged());
    EXPECT_EQ(15U, window.bytes());
    window.complete(*window.find(1));
    EXPECT_EQ(1U, window.unacknowledged());
    EXPECT_EQ(5U, window.bytes());
    EXPECT_EQ(nullptr, window.find(1));
    EXPECT_EQ(nullptr, window.find(0));
    EXPECT_EQ(nullptr, window.find(3));
    EXPECT_NE(nullptr, window.find(2));
}

TEST(InflightWindow, holds_every_identifier_once_and_no_more) {
    InflightWindow window;
    std::set<mqtt::PacketId> ids;
    for (int i = 0; i < 100; ++i) window.complete(*window.find(window.add(waiting())));
    while (!window.is_full()) ids.insert(window.add(waiting()));
    EXPECT_EQ(65'535U, ids.size());
    EXPECT_EQ(1, *ids.begin());
    window.complete(*window.find(50));
    EXPECT_TRUE(window.is_full());
    window.complete(*window.find(101));
    EXPECT_FALSE(window.is_full());
    EXPECT_EQ(101, window.add(waiting()));
}

TEST(InflightWindow, behaves_as_a_map_of_identifiers) {
    std::mt19937 random(7);
    InflightWindow window;
    std::set<mqtt::PacketId> model;
    for (int step = 0; step < 200'000; ++step) {
        if (model.size() < 20 && random() % 2 == 0) {
            ASSERT_TRUE(model.insert(window.add(waiting())).second);
        } else if (!model.empty()) {
            const auto chosen =
                std::next(model.begin(), static_cast<std::ptrdiff_t>(random() % model.size()));
            ASSERT_NE(nullptr, window.find(*chosen));
            window.complete(*window.find(*chosen));
            model.erase(chosen);
        }
        ASSERT_EQ(model.size(), window.unacknowledged());
    }
}

TEST(InflightWindow, sends_again_in_order_what_is_not_done) {
    InflightWindow window;
    for (int i = 0; i < 5; ++i) window.add(waiting());
    window.complete(*window.find(2));
    window.rewind();
    EXPECT_EQ(0U, window.in_flight());
    EXPECT_EQ(1, window.take_unsent());
    EXPECT_EQ(3, window.take_unsent());
    EXPECT_EQ(2U, window.in_flight());
    window.complete(*window.find(1));
    window.complete(*window.find(4));  // Acknowledged late, before it was sent again.
    EXPECT_EQ(1U, window.in_flight());
    EXPECT_TRUE(window.has_unsent());
    EXPECT_EQ(5, window.take_unsent());
    EXPECT_FALSE(window.has_unsent());
    EXPECT_EQ(6, window.add(waiting()));
    EXPECT_EQ(3U, window.in_flight());
}

TEST(PacketIdSet, is_a_set_however_many_there_are) {
    PacketIdSet set;
    for (int id = 1; id <= 65'535; ++id) {
        ASSERT_TRUE(set.insert(static_cast<mqtt::PacketId>(id)));
        ASSERT_FALSE(set.insert(static_cast<mqtt::PacketId>(id)));
    }
    EXPECT_EQ(65'535U, set.size());
    for (int id = 65'535; id >= 1; --id) {
        ASSERT_TRUE(set.contains(static_cast<mqtt::PacketId>(id)));
        ASSERT_TRUE(set.erase(static_cast<mqtt::PacketId>(id)));
        ASSERT_FALSE(set.erase(static_cast<mqtt::PacketId>(id)));
    }
    EXPECT_EQ(0U, set.size());
    EXPECT_FALSE(set.contains(1));
}

TEST(PacketIdSet, keeps_what_is_there_when_it_grows) {
    PacketIdSet set;
    for (int id = 2; id <= 300; id += 2) set.insert(static_cast<mqtt::PacketId>(id));
    for (int id = 1; id <= 300; ++id) {
        EXPECT_EQ(id % 2 == 0, set.contains(static_cast<mqtt::PacketId>(id))) << id;
    }
}

std::vector<std::uint32_t> list(const SubscriptionIds& ids) {
    std::vector<std::uint32_t> found;
    ids.for_each([&](std::uint32_t id) { found.push_back(id); });
    return found;
}

TEST(SubscriptionIds, keep_their_order_copied_and_moved) {
    SubscriptionIds ids;
    std::vector<std::uint32_t> want;
    EXPECT_TRUE(ids.empty());
    for (const std::uint32_t id : {268'435'455U, 1U, 0U, 7U}) {
        ids.add(id);
        if (id != 0) want.push_back(id);
        SubscriptionIds copy = ids;
        EXPECT_EQ(want, list(copy));
        copy.add(9);
        EXPECT_EQ(want, list(ids));
        SubscriptionIds moved = std::move(copy);
        EXPECT_EQ(want.size() + 1, list(moved).size());
        ids = SubscriptionIds(ids);
        EXPECT_EQ(want, list(ids));
    }
    SubscriptionIds other;
    other = ids;
    ids = {};
    EXPECT_EQ(want, list(other));
}

TEST(RouteBatch, gives_back_what_was_added_in_order) {
    RouteBatch batch;
    const std::string large(5000, 'L');
    for (int i = 0; i < 100; ++i) {
        const std::string topic = "t/" + std::to_string(i);
        Publication publication;
        publication.topic = topic;
        publication.payload = base::as_bytes(i % 3 == 0 ? std::string_view(large) : "small");
        publication.properties = base::as_bytes("\x01\x01");
        publication.qos = static_cast<mqtt::Qos>(i % 3);
        publication.retain = i % 2 == 0;
        publication.expiry_wall_ms = i;
        publication.source = 1000U + static_cast<SourceId>(i);
        if (i % 5 == 0) publication.message();
        batch.add(publication);
    }
    EXPECT_EQ(100U, batch.count());
    EXPECT_GT(batch.bytes(), 33 * large.size());
    int i = 0;
    batch.for_each([&](Publication& publication, const SharedTarget*) {
        EXPECT_EQ("t/" + std::to_string(i), publication.topic);
        EXPECT_EQ(i % 3 == 0 ? large : "small", base::as_text(publication.payload));
        EXPECT_EQ(2U, publication.properties.size());
        EXPECT_EQ(i % 3, static_cast<int>(publication.qos));
        EXPECT_EQ(i % 2 == 0, publication.retain);
        EXPECT_EQ(i, publication.expiry_wall_ms);
        EXPECT_EQ(1000U + static_cast<SourceId>(i), publication.source);
        ++i;
    });
    EXPECT_EQ(100, i);
}

TEST(RouteBatch, is_empty_after_it_is_moved_from) {
    RouteBatch batch;
    const std::string large(5000, 'L');
    Publication publication;
    publication.topic = "t";
    publication.payload = base::as_bytes(large);
    batch.add(publication);
    const RouteBatch moved = std::move(batch);
    EXPECT_EQ(1U, moved.count());
    // NOLINTBEGIN(bugprone-use-after-move,clang-analyzer-cplusplus.Move): that is the promise.
    EXPECT_TRUE(batch.empty());
    EXPECT_EQ(0U, batch.bytes());
    batch.add(publication);
    EXPECT_EQ(1U, batch.count());
    // NOLINTEND(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
}

std::vector<std::uint8_t> drain(base::OutputQueue& queue) {
    std::vector<std::uint8_t> bytes;
    while (!queue.empty()) {
        std::array<iovec, 4> vectors{};
        const std::size_t count = queue.gather(vectors);
        std::size_t taken = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto* from = static_cast<const std::uint8_t*>(vectors[i].iov_base);
            bytes.insert(bytes.end(), from, from + vectors[i].iov_len);
            taken += vectors[i].iov_len;
        }
        queue.consume(taken);
    }
    return bytes;
}

struct EncoderRow {
    const char* sentence;
    std::size_t topic_size;
    std::size_t payload_size;
    int qos;
    bool retain;
    bool dup;
    std::optional<std::uint32_t> expiry_s;
    std::vector<std::uint32_t> ids;
    Alias alias{};
};

const EncoderRow encoder_rows[] = {
    {"smallest", 1, 0, 0, false, false, {}, {}},
    {"retained", 1, 3, 0, true, false, {}, {}},
    {"QoS 1", 5, 3, 1, false, false, {}, {}},
    {"QoS 2, dup, retain", 5, 3, 2, true, true, {}, {}},
    {"127 bytes and around", 5, 119, 1, false, false, {}, {}},
    {"128 bytes", 5, 120, 1, false, false, {}, {}},
    {"three length bytes", 5, 20'000, 1, false, false, {}, {}},
    {"four length bytes", 5, 2'100'000, 2, false, false, {}, {}},
    {"longest topic", 65'535, 10, 1, false, false, {}, {}},
    {"expiry", 5, 10, 1, false, false, 77, {}},
    {"expired", 5, 10, 0, false, false, 0, {}},
    {"identifiers of every size", 5, 10, 1, false, false, {}, {1, 200, 20'000, 268'435'455}},
    {"an alias is defined", 5, 10, 1, false, false, {}, {}, {0x0102, false}},
    {"an alias is known", 300, 10, 0, false, false, {}, {}, {0x0102, true}},
    {"everything", 300, 5000, 2, true, true, 1, {127, 128}, {65'535, true}},
};

// mqtt::encode() is the reference: what it decodes to is what must arrive.
void check_row(const EncoderRow& row, mqtt::Version version, bool shared) {
    const bool v5 = version == mqtt::Version::v5;
    const std::string topic(row.topic_size, 't');
    const std::string payload(row.payload_size, 'p');
    const std::uint8_t forwarded[] = {0x01, 1, 0x03, 0, 1, 'c'};
    SubscriptionIds ids;
    for (const std::uint32_t id : row.ids) ids.add(id);
    const MessageRef kept =
        Message::make({.topic = topic, .payload = base::as_bytes(payload), .properties = {}});
    OutgoingPublish packet;
    packet.topic = topic;
    packet.payload = shared ? kept->payload() : base::as_bytes(payload);
    packet.shared_payload = shared ? kept.get() : nullptr;
    packet.qos = static_cast<mqtt::Qos>(row.qos);
    packet.id = row.qos == 0 ? mqtt::PacketId{0} : mqtt::PacketId{0x1234};
    packet.retain = row.retain;
    packet.dup = row.dup;
    packet.version = version;
    if (v5) {
        packet.properties = forwarded;
        packet.expiry_left_s = row.expiry_s;
        packet.ids = &ids;
        packet.alias = row.alias;
    }
    base::ChunkPool pool;
    base::OutputQueue queue(pool);
    const EncodedPublish encoded = encode(queue, packet);
    EXPECT_EQ(shared && row.payload_size > 0, kept->is_shared());
    if (!shared) append_copy(queue, encoded, 0x4321, 0x0304);
    const auto bytes = drain(queue);
    EXPECT_FALSE(kept->is_shared());
    ASSERT_EQ(encoded_size(packet) * (shared ? 1 : 2), bytes.size());

    for (std::size_t at = 0; at < bytes.size(); at += encoded.size) {
        const auto next = mqtt::next_frame(base::Bytes(bytes).subspan(at), 0, version);
        ASSERT_EQ(mqtt::FrameResult::Status::whole, next.status);
        ASSERT_EQ(encoded.size, next.frame.size);
        const auto decoded = mqtt::decode_publish(next.frame.flags, next.frame.body, version, true);
        ASSERT_TRUE(decoded);
        EXPECT_EQ(packet.alias.is_known ? "" : topic, decoded->topic);
        EXPECT_EQ(payload, base::as_text(decoded->payload));
        EXPECT_EQ(packet.qos, decoded->qos);
        EXPECT_EQ(row.qos == 0 ? 0 : at == 0 ? 0x1234 : 0x4321, decoded->id);
        EXPECT_EQ(row.retain, decoded->retain);
        EXPECT_EQ(row.dup, decoded->dup);
        if (!v5) continue;
        const std::uint16_t copied = row.alias.number == 0 ? 0 : 0x0304;
        EXPECT_EQ(at == 0 ? row.alias.number : copied, decoded->topic_alias);
        EXPECT_EQ(row.expiry_s, decoded->properties.message_expiry_s);
        EXPECT_EQ("c", decoded->properties.content_type);
        EXPECT_EQ(row.ids, mqtt::subscription_ids(*decoded));
    }
}

TEST(PublishEncoder, writes_what_the_decoder_reads) {
    for (const EncoderRow& row : encoder_rows) {
        if (row.dup && row.qos == 0) continue;
        for (const auto version : {mqtt::Version::v3_1, mqtt::Version::v3_1_1, mqtt::Version::v5}) {
            SCOPED_TRACE(row.sentence);
            check_row(row, version, false);
            check_row(row, version, true);
        }
    }
}

// Without properties the bytes are the very same as mqtt::encode()'s.
TEST(PublishEncoder, writes_what_the_general_encoder_writes) {
    for (const EncoderRow& row : encoder_rows) {
        SCOPED_TRACE(row.sentence);
        const std::string topic(row.topic_size, 't');
        const std::string payload(row.payload_size, 'p');
        for (const auto version : {mqtt::Version::v3_1, mqtt::Version::v3_1_1, mqtt::Version::v5}) {
            mqtt::Publish packet;
            packet.topic = topic;
            packet.payload = base::as_bytes(payload);
            packet.qos = static_cast<mqtt::Qos>(row.qos);
            packet.id = row.qos == 0 ? mqtt::PacketId{0} : mqtt::PacketId{9};
            packet.retain = row.retain;
            packet.dup = row.dup;
            std::vector<std::uint8_t> want;
            mqtt::Writer out(want);
            mqtt::encode(out, packet, version);

            OutgoingPublish ours;
            ours.topic = packet.topic;
            ours.payload = packet.payload;
            ours.id = packet.id;
            ours.qos = packet.qos;
            ours.retain = packet.retain;
            ours.dup = packet.dup;
            ours.version = version;
            base::ChunkPool pool;
            base::OutputQueue queue(pool);
            encode(queue, ours);
            EXPECT_EQ(want, drain(queue));
        }
    }
}

}  // namespace
}  // namespace broker
