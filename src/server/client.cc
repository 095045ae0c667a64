#include "server/client.h"

#include <fmt/format.h>

#include "server/shard_thread.h"

namespace server {

Client::Client(ShardThread& thread, Door& door, net::Stream& stream)
    : Wire(stream.output()),
      thread_(thread),
      door_(door),
      stream_(stream),
      connection_(thread.shard(), *this, door.options) {
    stream.set_handler(this);
    thread.shard().counters().sockets.add();
}

std::size_t Client::on_bytes(net::Stream& stream, base::Bytes bytes) {
    const std::size_t consumed = connection_.on_bytes(bytes);
    if (moves_to_ < 0) {
        stream.expect(connection_.bytes_needed());
        return consumed;
    }
    thread_.shard().counters().sockets.subtract();
    thread_.send_connection(static_cast<std::uint32_t>(moves_to_), door_, stream.detach(consumed));
    delete this;
    return consumed;
}

void Client::on_closed(net::Stream&, net::CloseReason reason) {
    using Kind = net::CloseReason::Kind;
    const bool is_refused = reason.kind == Kind::layer && !connection_.is_connected();
    if (is_refused) {
        const std::string address = peer();
        const std::string why = reason.text();
        thread_.shard().refusals().print(broker::Refusal::handshake,
                                         fmt::format("{} {}", broker::address_of(address), why),
                                         "Client <unknown> at {} {}.", address, why);
    }
    const bool is_error = reason.kind == Kind::error || reason.kind == Kind::layer;
    connection_.closed(is_error ? reason.text() : "");
    thread_.shard().counters().sockets.subtract();
    thread_.connection_closed(door_, stream_.peer());
    delete this;
}

std::string Client::peer() const {
    return name_of(stream_.facts().source.value_or(stream_.peer()));
}

}  // namespace server
