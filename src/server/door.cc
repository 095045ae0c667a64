#include "server/door.h"

#include <fmt/format.h>

#include "net/stacked_layer.h"
#include "net/stream.h"
#include "net/tls_layer.h"
#include "net/web_socket_layer.h"

namespace server {

std::string name_of(const net::Address& peer) {
    return peer.is_unix() ? "unix socket" : fmt::format("{}:{}", peer.text(), peer.port());
}

// As log lines say where clients come in.
std::string Door::place() const {
    if (!configured.unix_path.empty()) return fmt::format("unix socket {}", configured.unix_path);
    return fmt::format("port {}", options.port);
}

void Door::set_tls(base::Ref<net::TlsContext> context) {
    tls_.with([&](auto& current) { current = std::move(context); });
}

std::string_view Door::dress(net::DetachedStream& connection) {
    if (has_tls) {
        auto place = net::HandshakePlace::take(handshakes, configured.max_handshakes);
        if (!place) return "max_handshakes";
        auto context = tls_.with([](const auto& current) { return current; });
        connection.layer = net::TlsLayer::make(std::move(context), user_from, std::move(*place));
        if (!connection.layer) return "the memory for TLS";
    }
    if (configured.protocol != config::Protocol::websockets) return {};
    auto web = std::make_unique<net::WebSocketLayer>(configured.websockets_origins);
    if (connection.layer) {
        connection.layer =
            std::make_unique<net::StackedLayer>(std::move(connection.layer), std::move(web));
    } else {
        connection.layer = std::move(web);
    }
    return {};
}

}  // namespace server
