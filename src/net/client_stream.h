// A ClientSocket and what stands between it and MQTT: nothing, TLS, a WebSocket, or both.
//
//     ClientSocket -> Layer::receive() -> read()
//     ClientSocket <- Layer::send()    <- write()
//
// Used as a ClientSocket is; the layer's handshake is done by open(). Thread: one at a time. Owns
// both. Limits: unsent_bytes_max of what the peer has not taken; of input, what one read of the
// socket carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/output_queue.h"
#include "base/result.h"
#include "net/byte_buffer.h"
#include "net/client_socket.h"
#include "net/layer.h"

namespace net {

class ClientStream {
public:
    static constexpr std::size_t unsent_bytes_max = std::size_t{64} << 10;

    // A null layer is the plain socket.
    ClientStream(ClientSocket socket, std::unique_ptr<Layer> layer);

    // Returns when the layer is ready: before that, nothing can be read or written. `timeout_ms`
    // < 0 means forever; it may be called again to wait for longer. The error is a sentence.
    base::Result<void, std::string> open(int timeout_ms = 10'000);

    // As those of ClientSocket. What read() and write() say of a layer's error is Layer::error().
    Readiness wait(int timeout_ms, bool want_write = false, int extra_fd = -1);
    base::Result<std::size_t, std::string> read(std::span<std::uint8_t> into);
    base::Result<std::size_t, std::string> write(base::Bytes bytes);
    bool at_end() const;

    // Says goodbye in the layer's words; then there is nothing more to write.
    void finish();
    // Bytes that write() or finish() has taken, but the socket has not.
    bool has_unsent() const { return !wire_.empty(); }
    base::Result<void, std::string> flush();

    // The layer has failed: an error of read() or write() is its, not the socket's.
    bool has_failed() const { return status_ == Layer::Status::failed; }
    PeerFacts facts() const { return layer_ ? layer_->facts() : PeerFacts(); }

private:
    base::Result<void, std::string> receive();
    std::string reason_for(std::string error);

    ClientSocket socket_;
    std::unique_ptr<Layer> layer_;
    base::ChunkPool pool_;
    base::OutputQueue plain_;
    base::OutputQueue wire_;
    ByteBuffer unread_;
    Layer::Status status_ = Layer::Status::open;
    bool has_started_ = false;
};

}  // namespace net
