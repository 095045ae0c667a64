// What may stand between a socket and the bytes of its stream: TLS, WebSocket, a PROXY header.
//
//     socket --bytes--> Layer::receive() --plain--> StreamHandler::on_bytes()
//     socket <--wire--- Layer::send()    <--plain-- Stream::output()
//
// A stream without one has a null pointer, and takes no other path than it would without layers.
//
// Owned by its Stream, and moves with it from loop to loop: it keeps no pointer to either between
// two calls. Thread: the stream's. Limits: what a layer keeps of unfinished input (a record, the
// head of a frame) is bounded by its own protocol, and said in its header.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/output_queue.h"
#include "net/address.h"
#include "net/byte_buffer.h"

namespace net {

// What a layer knows of the other side.
struct PeerFacts {
    std::optional<std::string> user{};  // Proven, if it was asked for.
    std::string transport{};            // "TLSv1.3 cipher TLS_AES_256_GCM_SHA384"; empty: nothing.
    std::optional<Address> source{};    // Where a proxy says that the connection comes from.
};

class Layer {
public:
    enum class Status {
        open,
        closed,  // The peer has said goodbye.
        failed,  // error() says why; what `wire` has is the last that the peer shall be told.
    };

    Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;
    virtual ~Layer() = default;

    // Says what the side that connects has to say first: a client calls it once, before all else.
    // `open` or `failed`.
    virtual Status start(base::OutputQueue& /*wire*/) { return Status::open; }
    // Takes all of `bytes`. Appends what they carry to `plain`, and what they ask us to answer to
    // `wire`. Not called again once it was not `open`.
    virtual Status receive(base::Bytes bytes, ByteBuffer& plain, base::OutputQueue& wire) = 0;
    // True when what is sent can go: the handshake is over.
    virtual bool is_ready() const = 0;
    // Moves what `plain` may send to `wire`, until there are about `wire_bytes_max` or nothing is
    // left. `open` or `failed`. Only when it is ready.
    virtual Status send(base::OutputQueue& plain, base::OutputQueue& wire,
                        std::size_t wire_bytes_max) = 0;
    // Says goodbye; nothing is sent after it.
    virtual void finish(base::OutputQueue& wire) = 0;

    virtual PeerFacts facts() const { return {}; }
    // A few words.
    virtual std::string error() const = 0;
};

}  // namespace net
