// The half of TLS that connects: its rules, and what it says when a server is not the right one.
#ifdef NIGHTJAR_OPENSSL

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "net/tls_bio.h"
#include "net/tls_context.h"
#include "net/tls_layer.h"

namespace net {
namespace {

using Done = base::Result<void, std::string>;

Done set_authorities(SSL_CTX* context, const TlsClientOptions& options) {
    if (options.use_os_certs && SSL_CTX_set_default_verify_paths(context) != 1) {
        return refuse_tls_option("tls-use-os-certs", "");
    }
    if (!options.cafile.empty() && SSL_CTX_load_verify_file(context, options.cafile.c_str()) != 1) {
        return refuse_tls_option("cafile", options.cafile);
    }
    if (!options.capath.empty() && SSL_CTX_load_verify_dir(context, options.capath.c_str()) != 1) {
        return refuse_tls_option("capath", options.capath);
    }
    return {};
}

Done set_certificate(SSL_CTX* context, const TlsClientOptions& options) {
    if (options.cert.empty()) return {};
    if (SSL_CTX_use_certificate_chain_file(context, options.cert.c_str()) != 1) {
        return refuse_tls_option("cert", options.cert);
    }
    // Also says so if it is not the key of the certificate.
    if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return refuse_tls_option("key", options.key);
    }
    return {};
}

Done set_alpn(SSL_CTX* context, const std::string& protocol) {
    if (protocol.empty()) return {};
    std::string list(1, static_cast<char>(protocol.size()));
    list += protocol;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(list.data());
    const bool has_room = protocol.size() <= UINT8_MAX;
    if (has_room &&
        SSL_CTX_set_alpn_protos(context, bytes, static_cast<unsigned>(list.size())) == 0)
        return {};
    return base::fail(fmt::format("tls-alpn '{}' is longer than 255 bytes.", protocol));
}

// What the server's certificate lacks, and what to do.
std::string verdict_text(long verdict) {
    switch (verdict) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "has expired: the server needs a new one";
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "is not valid yet: is the clock of this machine right?";
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "is for another host name: connect by a name that it has";
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return fmt::format(
                "is of an unknown authority ({}): name its authority by cafile or "
                "capath",
                X509_verify_cert_error_string(verdict));
        default:
            return fmt::format("was refused: {}", X509_verify_cert_error_string(verdict));
    }
}

// What the server, or OpenSSL, means by its error; empty: its own words must do.
std::string_view meaning_of(int reason) {
    struct Row {
        int reason;
        std::string_view text;
    };
    constexpr std::array<Row, 8> rows{{
        {SSL_R_WRONG_VERSION_NUMBER, "this port does not speak TLS"},
        {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the server wants a certificate: cert and key"},
        {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the server does not know the authority of our certificate"},
        {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "the server says that our certificate has expired"},
        {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "the server says that our certificate is revoked"},
        {SSL_R_TLSV1_ALERT_UNKNOWN_PSK_IDENTITY, "the server does not know our psk-identity"},
        {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server does not speak this version of TLS"},
        {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
         "the server refuses: it has no cipher of ours, or wants a certificate or a PSK"},
    }};
    const auto* const found = std::find_if(rows.begin(), rows.end(),
                                           [&](const Row& row) { return row.reason == reason; });
    return found == rows.end() ? std::string_view() : found->text;
}

}  // namespace

std::string client_tls_error(SSL* ssl, unsigned long code, bool is_ready) {
    const std::string what = is_ready ? "TLS error" : "TLS handshake failed";
    const int reason = ERR_GET_REASON(code);
    if (!is_ready && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        auto* layer = static_cast<TlsLayer*>(SSL_get_app_data(ssl));
        if (TlsBio::has_own_psk(*layer)) {
            return what + ": the server shows a certificate, and does not take our psk";
        }
        return what + ": the server's certificate " + verdict_text(SSL_get_verify_result(ssl));
    }
    const std::string_view meaning =
        ERR_GET_LIB(code) == ERR_LIB_SSL ? meaning_of(reason) : std::string_view();
    if (!meaning.empty()) return fmt::format("{}: {}", what, meaning);
    const char* const words = ERR_reason_error_string(code);
    return fmt::format("{}: {}", what, words ? words : "unexpected end");
}

// ---- TlsContext

base::Result<base::Ref<TlsContext>, std::string> TlsContext::make_client(
    const TlsClientOptions& options) {
    auto* made = new TlsContext;
    auto context = base::Ref<TlsContext>::adopt(made);
    made->context_.reset(SSL_CTX_new(TLS_client_method()));
    made->bio_method_.reset(TlsBio::method());
    if (!made->context_ || !made->bio_method_) return base::fail(last_tls_reason());
    if (auto done = made->set_up_client(options); !done) return base::fail(std::move(done.error()));
    return context;
}

Done TlsContext::set_up_client(const TlsClientOptions& options) {
    SSL_CTX* const context = context_.get();
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // With a pre-shared key, too: a server that shows a certificate instead is refused.
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (!options.asks_passphrase) SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
    if (auto done = set_lowest_tls_version(context, options.version); !done) return done;
    const bool is_psk = !options.psk.empty();
    const std::string ciphers = !options.ciphers.empty() ? options.ciphers
                                : is_psk                 ? "PSK"
                                                         : "DEFAULT:!aNULL:!eNULL";
    if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
        return refuse_tls_option("ciphers", ciphers);
    }
    if (auto done = set_alpn(context, options.alpn); !done) return done;
    if (is_psk) return set_client_psk(options);
    if (auto done = set_authorities(context, options); !done) return done;
    return set_certificate(context, options);
}

Done TlsContext::set_client_psk(const TlsClientOptions& options) {
    auto key = PskTable::decode_key(options.psk);
    if (!key) {
        return base::fail(fmt::format("psk is not a key of 1 to {} bytes in hexadecimal.",
                                      PskTable::key_bytes_max));
    }
    const std::string& identity = options.psk_identity;
    if (identity.empty() || identity.size() > PskTable::identity_bytes_max) {
        return base::fail(
            fmt::format("psk-identity has 1 to {} bytes.", PskTable::identity_bytes_max));
    }
    psk_key_ = std::move(*key);
    psk_identity_ = identity;
    uses_psk_ = true;
    SSL_CTX_set_psk_client_callback(context_.get(), &TlsBio::give_psk);
    return {};
}

// ---- TlsLayer

bool TlsBio::has_own_psk(const TlsLayer& layer) {
    return layer.context_->uses_psk();
}

// NOLINTNEXTLINE(readability-function-size): OpenSSL says what it takes.
unsigned int TlsBio::give_psk(SSL* ssl, const char* /*hint*/, char* identity,
                              unsigned int identity_bytes_max, unsigned char* key,
                              unsigned int key_bytes_max) {
    const TlsContext& context = *static_cast<TlsLayer*>(SSL_get_app_data(ssl))->context_;
    const base::Bytes own = context.psk_key();
    const std::string& name = context.psk_identity();
    if (name.size() >= identity_bytes_max || own.size() > key_bytes_max) return 0;
    std::memcpy(identity, name.c_str(), name.size() + 1);
    std::memcpy(key, own.data(), own.size());
    return static_cast<unsigned int>(own.size());
}

std::unique_ptr<TlsLayer> TlsLayer::make_client(base::Ref<TlsContext> context,
                                                const std::string& host, bool any_host) {
    std::unique_ptr<TlsLayer> layer = make(std::move(context), UserFrom::nothing, {});
    if (!layer) return nullptr;
    SSL* const ssl = layer->ssl_.get();
    SSL_set_connect_state(ssl);
    const std::unique_ptr<ASN1_OCTET_STRING, void (*)(ASN1_OCTET_STRING*)> address(
        a2i_IPADDRESS(host.c_str()), ASN1_OCTET_STRING_free);
    ERR_clear_error();
    // An address is nobody's server name (RFC 6066, section 3).
    bool is_set = address || SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
    if (!any_host) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        is_set =
            is_set && (address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str())
                               : SSL_set1_host(ssl, host.c_str())) == 1;
    }
    return is_set ? std::move(layer) : nullptr;
}

Layer::Status TlsLayer::start(base::OutputQueue& wire) {
    wire_ = &wire;
    incoming_ = {};
    ERR_clear_error();
    return judge(SSL_do_handshake(ssl_.get()));
}

}  // namespace net

#endif
