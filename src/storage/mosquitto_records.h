// What a mosquitto.db says, record by record; versions 5 (Mosquitto 1.6) and 6 (2.0, 2.1).
//
//     file   := magic: 15 bytes, checksum: u32 (always 0), version: u32, record*
//     record := kind: u32, size: u32, then that many bytes
//
// Lengths and most numbers are big-endian; identifiers and times are in the byte order of the
// machine that wrote them, which is taken to be this one. Times are seconds since 1970. User names
// are skipped: Mosquitto 2.0 writes foreign memory there.
//
// Pure: no file, no clock. Trusts no length. A record whose own fields do not fit is left out and
// counted; where the records themselves cannot be told apart any more, reading ends. Views live as
// long as the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "mqtt/publish.h"
#include "mqtt/subscribe.h"

namespace storage {

// A message, once for all who wait for it and for its being retained.
struct MosquittoMessage {
    std::uint64_t id = 0;  // In the file; ascending in the order of arrival.
    std::string_view topic;
    base::Bytes payload;
    mqtt::MessageProperties properties;
    mqtt::Qos qos{};
    bool retain = false;
    std::int64_t expires_s = 0;  // 0 = never.
    std::string_view source;     // Client id of the publisher.
};

struct MosquittoClient {
    std::string_view client_id;
    std::uint32_t expiry_s = 0;
    std::int64_t expires_s = 0;  // 0 = never, or it was connected.
};

// How far a message is, towards the client or from it; Mosquitto's numbers.
enum class MosquittoState : std::uint8_t {
    publish_qos1 = 2,
    wait_puback = 3,
    publish_qos2 = 4,
    wait_pubrec = 5,
    resend_pubrel = 6,
    wait_pubrel = 7,
    wait_pubcomp = 9,
    send_pubrec = 10,
    queued = 11,
};

struct MosquittoDelivery {
    std::string_view client_id;
    std::uint64_t message = 0;
    mqtt::PacketId packet_id = 0;
    mqtt::Qos qos{};
    bool retain = false;
    bool is_incoming = false;  // From the client.
    MosquittoState state{};    // May have other values.
    mqtt::Publish properties;  // Of it, the subscription identifiers.
};

struct MosquittoSubscription {
    std::string_view client_id;
    std::string_view filter;
    mqtt::SubscribeOptions options;
    std::uint32_t subscription_id = 0;
};

struct MosquittoRetained {
    std::uint64_t message = 0;
};

using MosquittoRecord = std::variant<MosquittoMessage, MosquittoClient, MosquittoDelivery,
                                     MosquittoSubscription, MosquittoRetained>;

class MosquittoRecords {
public:
    // Fails with a sentence if this is no mosquitto.db, or one of another version.
    static base::Result<MosquittoRecords, std::string> open(base::Bytes file);

    // The next whole record; nothing at the end, and where reading has to end.
    std::optional<MosquittoRecord> next();

    // Records that were left out because their fields do not fit.
    std::uint64_t damaged() const { return damaged_; }
    // What is wrong first, and at which offset; empty if nothing is.
    const std::string& damage() const { return damage_; }
    // Written by a Mosquitto that was ending, so nothing has happened since. Known after the last
    // record.
    bool is_final() const { return is_final_; }

private:
    MosquittoRecords(base::Bytes file, std::uint32_t version) : file_(file), version_(version) {}

    void read_config(base::Bytes body, std::size_t offset);
    std::optional<MosquittoRecord> decode(std::uint32_t kind, base::Bytes body);
    void note_damage(std::size_t offset, std::string_view what);
    void end_at(std::size_t offset, std::string_view why);

    base::Bytes file_;
    std::uint32_t version_;
    std::size_t position_ = 0;
    std::uint64_t damaged_ = 0;
    std::string damage_;
    bool is_final_ = false;
};

}  // namespace storage
