#include "server/door.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/proxy_layer.h"
#include "net/stacked_layer.h"
#include "net/stream.h"
#include "net/tls_layer.h"
#include "net/web_socket_layer.h"

namespace server {
namespace {

std::unique_ptr<net::Layer> stacked(std::unique_ptr<net::Layer> lower,
                                    std::unique_ptr<net::Layer> upper) {
    if (!lower) return upper;
    if (!upper) return lower;
    return std::make_unique<net::StackedLayer>(std::move(lower), std::move(upper));
}

net::ProxyRules proxy_rules(const config::Listener& listener) {
    const bool is_v2 = listener.enable_proxy_protocol == 2;
    return {.version = listener.enable_proxy_protocol,
            .require_tls = is_v2 && listener.proxy_protocol_v2_require_tls,
            .require_certificate = is_v2 && listener.tls.require_certificate,
            .takes_user = is_v2 && listener.tls.use_identity_as_username};
}

}  // namespace

std::string name_of(const net::Address& peer) {
    return peer.is_unix() ? "unix socket" : fmt::format("{}:{}", peer.text(), peer.port());
}

// As log lines say where clients come in.
std::string Door::place() const {
    if (!configured.unix_path.empty()) return fmt::format("unix socket {}", configured.unix_path);
    return fmt::format("port {}", options.port);
}

bool Door::trusts(const net::Address& peer) const {
    const auto& trusted = configured.proxy_protocol_trusted;
    if (trusted.empty()) return true;
    const auto address = peer.as_v6();
    return std::any_of(trusted.begin(), trusted.end(),
                       [&](const config::Network& network) { return network.contains(address); });
}

void Door::set_tls(base::Ref<net::TlsContext> context) {
    tls_.with([&](auto& current) { current = std::move(context); });
}

std::string_view Door::dress(net::DetachedStream& connection) {
    if (has_tls) {
        auto place = net::HandshakePlace::take(counts.handshakes, configured.max_handshakes);
        if (!place) return "max_handshakes";
        auto context = tls_.with([](const auto& current) { return current; });
        connection.layer = net::TlsLayer::make(std::move(context), user_from, std::move(*place));
        if (!connection.layer) return "the memory for TLS";
    }
    if (configured.protocol == config::Protocol::websockets) {
        auto web = std::make_unique<net::WebSocketLayer>(configured.websockets_origins);
        connection.layer = stacked(std::move(connection.layer), std::move(web));
    }
    if (configured.enable_proxy_protocol != 0) {
        auto proxy = std::make_unique<net::ProxyLayer>(proxy_rules(configured));
        connection.layer = stacked(std::move(proxy), std::move(connection.layer));
    }
    return {};
}

}  // namespace server
