#include "cli/open_door.h"

#include <utility>

#include "net/stacked_layer.h"
#include "net/tls_layer.h"
#include "net/web_socket_layer.h"

namespace cli {
namespace {

using base::fail;
using LayerResult = base::Result<std::unique_ptr<net::Layer>, std::string>;

// "127.0.0.1:1883: Connection refused" without the address.
std::string last_part(const std::string& error) {
    const std::size_t colon = error.rfind(": ");
    return colon == std::string::npos ? error : error.substr(colon + 2);
}

base::Result<net::ClientSocket, std::string> open_socket(const ToolOptions& options) {
    if (!options.unix_path.empty()) {
        auto socket = net::ClientSocket::connect_unix(options.unix_path);
        if (!socket) return fail("Error: " + last_part(socket.error()));
        return socket;
    }
    const auto port = static_cast<std::uint16_t>(*options.port);
    auto socket = net::ClientSocket::connect(options.host, port, options.bind_address);
    if (socket) return socket;
    // The error names the host alone when its name could not be looked up.
    const bool lookup = socket.error().starts_with(options.host + ": ");
    return fail(lookup ? std::string("Unable to connect (Lookup error.).")
                       : "Error: " + last_part(socket.error()));
}

LayerResult make_tls(const ToolOptions& options) {
    auto context = net::TlsContext::make_client(options.tls);
    if (!context) return fail("Error: Problem setting TLS options: " + context.error());
    std::unique_ptr<net::Layer> layer =
        net::TlsLayer::make_client(std::move(*context), options.host, options.insecure);
    if (layer) return layer;
    return fail("Error: '" + options.host + "' is no host name that TLS can ask for.");
}

std::unique_ptr<net::Layer> make_web_socket(const ToolOptions& options) {
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    net::WebSocketTarget target;
    target.host =
        (is_ipv6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(*options.port);
    if (options.connection.version == mqtt::Version::v3_1) target.subprotocol = "mqttv3.1";
    return std::make_unique<net::WebSocketLayer>(std::move(target));
}

// Null: none.
LayerResult make_layer(const ToolOptions& options) {
    std::unique_ptr<net::Layer> inner;
    if (options.web_socket) inner = make_web_socket(options);
    if (!options.uses_tls) return inner;
    LayerResult tls = make_tls(options);
    if (!tls || !inner) return tls;
    return std::make_unique<net::StackedLayer>(std::move(*tls), std::move(inner));
}

}  // namespace

base::Result<std::unique_ptr<net::ClientStream>, std::string> open_door(
    const ToolOptions& options) {
    // A file that cannot be read is said before anybody is bothered.
    LayerResult layer = make_layer(options);
    if (!layer) return fail(std::move(layer.error()));
    auto socket = open_socket(options);
    if (!socket) return fail(std::move(socket.error()));
    auto stream = std::make_unique<net::ClientStream>(std::move(*socket), std::move(*layer));
    if (auto done = stream->open(); !done) return fail("Error: " + done.error());
    return stream;
}

}  // namespace cli
