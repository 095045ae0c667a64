// Where a socket and its MQTT meanings meet: bytes of the stream go to the broker::Connection, and
// what the connection wants of its wire goes to the stream.
//
// Owned by itself: made for an accepted (or moved) connection, deleted when the stream has closed
// or moved on. Thread: the shard's.
#pragma once

#include <optional>

#include "broker/connection.h"
#include "broker/wire.h"
#include "net/stream.h"

namespace server {

class ShardThread;
struct Door;

class Client : public net::StreamHandler, public broker::Wire {
public:
    Client(ShardThread& thread, Door& door, net::Stream& stream);

    std::size_t on_bytes(net::Stream& stream, base::Bytes bytes) override;
    void on_writable(net::Stream&) override { connection_.on_writable(); }
    void on_closed(net::Stream& stream, net::CloseReason reason) override;

    void mark_dirty() override { stream_.mark_dirty(); }
    void on_released() override { stream_.mark_dirty(); }
    bool is_stuck() const override { return stream_.is_stuck(); }
    void close() override { stream_.close_when_flushed(); }
    void pause_reading() override { stream_.pause_reading(); }
    void resume_reading() override { stream_.resume_reading(); }
    void move_to_shard(std::uint32_t shard) override { moves_to_ = static_cast<int>(shard); }
    std::string peer() const override;
    std::optional<std::string> proven_user() const override { return stream_.facts().user; }
    std::string transport() const override { return stream_.facts().transport; }

private:
    ~Client() override = default;

    ShardThread& thread_;
    Door& door_;
    net::Stream& stream_;
    int moves_to_ = -1;
    broker::Connection connection_;
};

}  // namespace server
