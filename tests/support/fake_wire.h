// The transport of one fake connection: bytes of the client on their way in, packets of the broker
// on their way out. It is as slow as a test wants: `room` is what the client's side still takes.
//
// Owned by a BrokerWorld, which gives it its turns. Outlives its connection, so that a test can
// look at what a client got before it was closed.
#pragma once

#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/connection.h"
#include "broker/wire.h"
#include "support/packet.h"

namespace support {

class FakeWire : public broker::Wire {
public:
    static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

    FakeWire(base::ChunkPool& pool, std::uint32_t accepted_by, const broker::ListenerOptions& from)
        : broker::Wire(queue_), shard(accepted_by), listener(&from), queue_(pool) {}

    // broker::Wire, for the broker.
    void mark_dirty() override;
    void on_released() override {}
    bool is_stuck() const override { return is_backed_up; }
    void close() override;
    void pause_reading() override { is_paused = true; }
    void resume_reading() override { is_paused = false; }
    void move_to_shard(std::uint32_t target) override { moving_to = target; }
    std::string peer() const override { return "fake"; }

    // For the world: takes the bytes that fit in `room` and decodes what is whole. True if it took
    // any.
    bool flush();
    bool is_open() const { return connection != nullptr; }

    std::uint32_t shard;
    const broker::ListenerOptions* listener;
    std::unique_ptr<broker::Connection> connection;
    std::vector<std::uint8_t> unread;  // What the client sent and the broker has not consumed.
    std::size_t room = no_limit;       // Bytes that the client still takes; 0 = stuck.
    bool is_backed_up = false;         // The last flush() could not take everything.
    bool is_paused = false;
    bool is_closing = false;
    std::optional<std::uint32_t> moving_to;
    mqtt::Version version = mqtt::Version::v3_1_1;  // What the client speaks.
    // What it said in CONNECT that it can take; 0 = any size, and no alias.
    std::uint32_t packet_size_max = 0;
    std::uint16_t alias_max = 0;
    std::deque<Packet> received;
    // Sees each packet before it goes to `received`; false keeps it from there.
    std::function<bool(const Packet&)> on_packet;
    // The first thing the broker did that it must not, or empty.
    std::string violation;

private:
    void decode();
    void resolve_alias(Packet& packet);
    void complain(const std::string& sentence);

    base::OutputQueue queue_;
    std::size_t size_at_close_ = 0;
    std::vector<std::uint8_t> bytes_;  // Taken, not yet decoded.
    std::map<std::uint16_t, std::string> aliases_;
};

}  // namespace support
