// The options that say through which door a tool comes in: TLS, a WebSocket, a unix socket.
#include "cli/parse_options.h"
#include "net/web_socket_layer.h"

namespace cli {
namespace {

constexpr int plain_port = 1883;
constexpr int tls_port = 8883;

std::string check_psk(const ToolOptions& options) {
    const net::TlsClientOptions& tls = options.tls;
    if (!tls.cafile.empty() || !tls.capath.empty()) {
        return "Error: Only one of --psk or --cafile/--capath may be used at once.\n";
    }
    if (tls.psk_identity.empty()) return "Error: --psk-identity required if --psk used.\n";
    return {};
}

std::string check_certificate(const ToolOptions& options) {
    const net::TlsClientOptions& tls = options.tls;
    if (tls.cert.empty() != tls.key.empty()) {
        return "Error: Both certfile and keyfile must be provided if one of them is set.\n";
    }
    if (options.keyform.empty()) return {};
    if (tls.key.empty()) return "Error: If keyform is set, keyfile must be also specified.\n";
    if (options.keyform == "pem") return {};
    if (options.keyform == "engine") {
        return "Error: --keyform engine is not supported, only pem: give the key as a file.\n";
    }
    return "Error: keyform must be pem, it is '" + options.keyform + "'.\n";
}

// What makes no sense without TLS, for it would protect nothing while somebody relies on it.
std::string check_plain(const ToolOptions& options) {
    if (options.no_tls || options.tls.cert.empty()) return {};
    return "Error: --cert is for TLS: name the authority of the server by --cafile or --capath, or "
           "use --tls-use-os-certs.\n";
}

}  // namespace

std::string check_door(ToolOptions& options) {
    net::TlsClientOptions& tls = options.tls;
    const bool has_psk = !tls.psk.empty();
    const bool has_authority = !tls.cafile.empty() || !tls.capath.empty();
    const bool is_asked = options.uses_tls || has_psk || has_authority || tls.use_os_certs ||
                          (options.port == tls_port && options.unix_path.empty());
    options.uses_tls = is_asked && !options.no_tls;
    if (!options.port) options.port = options.uses_tls ? tls_port : plain_port;

    std::string error = check_certificate(options);
    if (error.empty() && has_psk) error = check_psk(options);
    if (error.empty() && !options.uses_tls) error = check_plain(options);
    if (!error.empty()) return error;
    if (options.uses_tls && !net::has_tls) {
        return "Error: this build has no OpenSSL, so it has no TLS.\n";
    }
    if (options.web_socket && !net::has_web_socket) {
        return "Error: this build has no wslay, so it has no WebSocket.\n";
    }
    // Who names an authority wants no other.
    if (options.uses_tls && !has_psk && !has_authority) tls.use_os_certs = true;
    tls.asks_passphrase = true;
    return {};
}

}  // namespace cli
