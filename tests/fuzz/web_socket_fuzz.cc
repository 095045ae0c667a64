// Frames of a WebSocket, in pieces: no more comes out than went in, a layer that has ended says
// why, and what it sends are bytes for the client.
//
//     input := size of the pieces, frames
#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "net/web_socket_layer.h"

namespace {

using Status = net::Layer::Status;

void require(bool condition) {
    if (!condition) std::abort();
}

constexpr std::string_view request =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || !net::has_web_socket) return 0;
    const std::vector<std::string> origins;
    base::ChunkPool pool;
    base::OutputQueue wire(pool);
    base::OutputQueue output(pool);
    net::ByteBuffer plain;
    net::WebSocketLayer layer(origins);
    require(layer.receive(base::as_bytes(request), plain, wire) == Status::open);
    require(layer.is_ready() && plain.empty());

    const std::size_t step = 1 + data[0];
    Status status = Status::open;
    for (std::size_t at = 1; at < size && status == Status::open; at += step) {
        const std::size_t piece = std::min(step, size - at);
        status = layer.receive({data + at, piece}, plain, wire);
    }
    require(plain.size() <= size);
    if (status == Status::failed) require(!layer.error().empty());
    if (status != Status::open) return 0;
    output.append(plain.bytes());
    require(layer.send(output, wire, std::size_t{1} << 30) == Status::open && output.empty());
    layer.finish(wire);
    return 0;
}
