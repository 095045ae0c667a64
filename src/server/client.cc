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
    connection_.closed(reason.kind == net::CloseReason::Kind::error ? reason.text() : "");
    thread_.shard().counters().sockets.subtract();
    door_.connections.fetch_sub(1, std::memory_order_relaxed);
    door_.all->count.fetch_sub(1, std::memory_order_relaxed);
    door_.addresses->give_back(stream_.peer());
    thread_.connection_closed();
    delete this;
}

std::string Client::peer() const {
    return fmt::format("{}:{}", stream_.peer().text(), stream_.peer().port());
}

}  // namespace server
