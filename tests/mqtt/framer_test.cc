#include "mqtt/framer.h"

#include "mqtt/bytes.h"
#include "mqtt/codec_table.h"

namespace mqtt::testing {
namespace {

using Status = FrameResult::Status;
using enum ReasonCode;
using enum Version;

constexpr const char* all_packets =
    "10 [(MQTT) 04 02 003C (c)] 20 [0000] 30 [(a/b) 'hi'] 3D [(a) 0001] 40 [0001] 50 [0001]"
    "62 [0001] 70 [0001] 82 [0001 (a) 00] 90 [0001 00] A2 [0001 (a)] B0 [0001] C0 [] D0 [] E0 []"
    "F0 []";

std::vector<std::uint8_t> publish_of(std::size_t body_size) {
    std::vector<std::uint8_t> bytes;
    Writer out(bytes);
    out.fixed_header(PacketType::publish, 0, static_cast<std::uint32_t>(body_size));
    bytes.resize(bytes.size() + body_size, 'x');
    return bytes;
}

// The types of the packets that are found when `slice` bytes arrive at a time; stops at a refusal.
std::vector<PacketType> types_in(Bytes bytes, std::size_t slice) {
    std::vector<PacketType> types;
    std::size_t consumed = 0;
    std::size_t arrived = 0;
    while (consumed < bytes.size()) {
        const FrameResult result = next_frame(bytes.subspan(consumed, arrived - consumed), 0, v5);
        if (result.status == Status::refused) break;
        if (result.status == Status::whole) {
            types.push_back(result.frame.type);
            consumed += result.frame.size;
            continue;
        }
        if (arrived == bytes.size()) break;
        arrived = std::min(arrived + slice, bytes.size());
    }
    return types;
}

TEST(Framer, finds_the_same_packets_in_any_slicing) {
    std::vector<std::uint8_t> bytes = packet(all_packets);
    for (const std::size_t size : {127U, 128U, 16'383U, 16'384U}) {
        const std::vector<std::uint8_t> more = publish_of(size);
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    const std::vector<PacketType> whole = types_in(bytes, bytes.size());
    EXPECT_EQ(whole.size(), 16U + 4U);
    for (const std::size_t slice : {1U, 2U, 3U, 7U, 130U}) {
        EXPECT_EQ(types_in(bytes, slice), whole) << slice;
    }
}

TEST(Framer, says_what_it_found) {
    const std::vector<std::uint8_t> bytes = packet("3D [(a) 0001 'x'] C0");
    const FrameResult result = next_frame(bytes, 0, v3_1_1);
    ASSERT_EQ(result.status, Status::whole);
    EXPECT_EQ(result.frame.type, PacketType::publish);
    EXPECT_EQ(result.frame.flags, 0x0D);
    EXPECT_EQ(result.frame.size, 8U);
    EXPECT_EQ(result.frame.body.data(), bytes.data() + 2);
    EXPECT_EQ(result.frame.body.size(), 6U);
}

struct Needed {
    const char* sentence;
    const char* text;
    std::size_t want;
};

TEST(Framer, says_how_much_it_needs) {
    const Needed rows[] = {
        {"nothing yet", "", 0},
        {"the length is still to come", "30", 0},
        {"the length goes on", "30 80", 0},
        {"a short body", "30 05", 7},
        {"a body that has begun", "30 05 00 01", 7},
        {"a length of two bytes", "30 80 01", 131},
        {"the longest", "30 FF FF FF 7F", 268'435'460},
    };
    for (const Needed& row : rows) {
        SCOPED_TRACE(row.sentence);
        const FrameResult result = next_frame(packet(row.text), 0, v3_1_1);
        EXPECT_EQ(result.status, Status::incomplete);
        EXPECT_EQ(result.needed, row.want);
    }
}

struct Refused {
    const char* sentence = "";
    Version version = v3_1_1;
    const char* text = "";
    ReasonCode want = malformed_packet;
};

// No row has a whole packet: the header alone is enough to refuse it.
TEST(Framer, refuses_before_the_rest_arrives) {
    const Refused rows[] = {
        {"type 0", v5, "00"},
        {"MQTT-2.1.3-1, MQTT311-2.2.2-1: flags of CONNECT", v3_1_1, "11"},
        {"MQTT-2.1.3-1, MQTT311-2.2.2-1: flags of PUBACK", v3_1_1, "42"},
        {"MQTT-3.6.1-1, MQTT311-3.6.1-1: flags of PUBREL", v3_1_1, "60"},
        {"MQTT-3.8.1-1, MQTT311-3.8.1-1: flags of SUBSCRIBE", v5, "80"},
        {"MQTT-3.8.1-1, MQTT311-3.8.1-1: a flag too many in SUBSCRIBE", v5, "8A"},
        {"MQTT-3.10.1-1, MQTT311-3.10.1-1: flags of UNSUBSCRIBE", v5, "A0"},
        {"flags of PINGREQ", v5, "C8"},
        {"MQTT-3.14.1-1, MQTT311-3.14.1-1: flags of DISCONNECT", v5, "E1"},
        {"AUTH before 5.0", v3_1_1, "F0"},
        {"AUTH in 3.1", v3_1, "F0"},
        {"MQTT-3.15.1-1: flags of AUTH", v5, "F2"},
        {"a fifth length byte", v3_1_1, "30 FF FF FF FF"},
        {"MQTT-1.5.5-1: two length bytes for 0", v5, "30 80 00"},
        {"MQTT-1.5.5-1: two length bytes for 127", v5, "30 FF 00"},
        {"MQTT-1.5.5-1: four length bytes for 16,384", v5, "30 80 80 81 00"},
        {"a packet over the limit", v5, "30 63", packet_too_large},
        {"the longest packet", v5, "30 FF FF FF 7F", packet_too_large},
    };
    for (const Refused& row : rows) {
        SCOPED_TRACE(row.sentence);
        const FrameResult result = next_frame(packet(row.text), 100, row.version);
        EXPECT_EQ(result.status, Status::refused);
        EXPECT_EQ(result.reason, row.want);
    }
}

TEST(Framer, allows_a_packet_of_exactly_the_limit) {
    EXPECT_EQ(next_frame(packet("30 62"), 100, v5).status, Status::incomplete);
    EXPECT_EQ(next_frame(publish_of(98), 100, v5).status, Status::whole);
    EXPECT_EQ(next_frame(publish_of(99), 100, v5).reason, packet_too_large);
    EXPECT_EQ(next_frame(publish_of(200), 203, v5).status, Status::whole);
    EXPECT_EQ(next_frame(publish_of(200), 202, v5).reason, packet_too_large);
}

TEST(Framer, leaves_the_flags_of_3_1_alone) {
    EXPECT_EQ(next_frame(packet("8A [0001 (a) 00]"), 0, v3_1).status, Status::whole);
    EXPECT_EQ(next_frame(packet("6A [0001]"), 0, v3_1).status, Status::whole);
    EXPECT_EQ(next_frame(packet("0A"), 0, v3_1).status, Status::refused);
}

}  // namespace
}  // namespace mqtt::testing
