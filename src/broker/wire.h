// The seam between a client's meaning and its transport: what the broker may do to a connection.
//
// The real one is a socket (server/), the fake one a byte buffer (tests/support/). The transport
// owns the broker::Connection, hands it bytes, and calls its closed() once, after which neither
// touches the other. Thread: the shard's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/output_queue.h"

namespace broker {

class Wire {
public:
    explicit Wire(base::OutputQueue& output) : output_(output) {}
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    virtual ~Wire() = default;

    // Packets go here, whole; then mark_dirty(), and the transport writes at the end of the turn.
    base::OutputQueue& output() { return output_; }
    virtual void mark_dirty() = 0;
    // Bytes of output() that were withheld may be written now; also while it is closing.
    virtual void on_released() = 0;
    // The peer does not take what was written; Connection::on_writable() follows when it does.
    virtual bool is_stuck() const = 0;

    // Closes after what is queued has been written. Connection::closed() follows, never from
    // inside.
    virtual void close() = 0;
    // Stops handing over bytes until resumed; unconsumed bytes are handed over again then.
    virtual void pause_reading() = 0;
    virtual void resume_reading() = 0;
    // Gives the connection, with every byte it has not consumed, to another shard. The broker calls
    // it from Connection::on_bytes() at most once and forgets the connection.
    virtual void move_to_shard(std::uint32_t shard) = 0;
    // "127.0.0.1:40000", for logs.
    virtual std::string peer() const = 0;
    // Whom the transport has proven the client to be, by a certificate or a pre-shared key; nothing
    // if by neither.
    virtual std::optional<std::string> proven_user() const { return std::nullopt; }
    // How the bytes are carried, for logs: "TLSv1.3 cipher TLS_AES_256_GCM_SHA384"; empty: plainly.
    virtual std::string transport() const { return {}; }

private:
    base::OutputQueue& output_;
};

}  // namespace broker
