#include "net/tls_context.h"

#ifdef NIGHTJAR_OPENSSL

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls_bio.h"

namespace net {
namespace {

using Done = base::Result<void, std::string>;

// A peer may neither renegotiate nor resume what this context has not checked, and what is
// forgotten between two records costs no memory.
void set_rules(SSL_CTX* context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // Tickets only: a session is kept by its client, under keys that die with the context.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    constexpr unsigned char session_context[] = "nightjar";
    SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_default_passwd_cb(context, refuse_passphrase);
}

Done load_revoked(SSL_CTX* context, const std::string& file) {
    X509_STORE* const store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!lookup || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) < 1) {
        return refuse_tls_option("crlfile", file);
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return {};
}

}  // namespace

std::string last_tls_reason() {
    const unsigned long code = ERR_peek_error();
    ERR_clear_error();
    const char* const reason = ERR_reason_error_string(code);
    if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
    return reason ? reason : "unknown error";
}

Done refuse_tls_option(std::string_view option, std::string_view value) {
    return base::fail(fmt::format("{} '{}': {}.", option, value, last_tls_reason()));
}

int refuse_passphrase(char*, int, int, void*) {
    return -1;
}

Done set_lowest_tls_version(SSL_CTX* context, const std::string& version) {
    if (!version.empty() && version != "tlsv1.2" && version != "tlsv1.3") {
        return base::fail(
            fmt::format("tls_version '{}' is not supported, only tlsv1.2 and tlsv1.3.", version));
    }
    const int lowest = version == "tlsv1.3" ? TLS1_3_VERSION : TLS1_2_VERSION;
    if (SSL_CTX_set_min_proto_version(context, lowest) == 1) return {};
    return refuse_tls_option("tls_version", version);
}

void TlsContext::FreeContext::operator()(SSL_CTX* context) const {
    SSL_CTX_free(context);
}

void TlsContext::FreeMethod::operator()(BIO_METHOD* method) const {
    BIO_meth_free(method);
}

base::Result<base::Ref<TlsContext>, std::string> TlsContext::make(const TlsOptions& options) {
    auto* made = new TlsContext;
    auto context = base::Ref<TlsContext>::adopt(made);
    made->context_.reset(SSL_CTX_new(TLS_server_method()));
    made->bio_method_.reset(TlsBio::method());
    if (!made->context_ || !made->bio_method_)
        return base::fail("Error: TLS: " + last_tls_reason() + ".");
    if (auto done = made->set_up(options); !done) {
        return base::fail(fmt::format("Error: {}: {}", options.listener, done.error()));
    }
    return context;
}

Done TlsContext::set_up(const TlsOptions& options) {
    set_rules(context_.get());
    if (auto done = set_lowest_tls_version(context_.get(), options.version); !done) return done;
    if (auto done = set_ciphers(options); !done) return done;
    if (!options.psk_hint.empty()) return load_psk(options);
    if (auto done = load_certificate(options); !done) return done;
    return load_authorities(options);
}

Done TlsContext::set_ciphers(const TlsOptions& options) {
    const bool is_psk = !options.psk_hint.empty();
    const std::string ciphers = !options.ciphers.empty() ? options.ciphers
                                : is_psk                 ? "PSK"
                                                         : "DEFAULT:!aNULL:!eNULL";
    if (SSL_CTX_set_cipher_list(context_.get(), ciphers.c_str()) != 1) {
        return refuse_tls_option("ciphers", ciphers);
    }
    const std::string& suites = options.ciphers_tls13;
    if (!suites.empty() && SSL_CTX_set_ciphersuites(context_.get(), suites.c_str()) != 1) {
        return refuse_tls_option("ciphers_tls1.3", suites);
    }
    return {};
}

Done TlsContext::load_certificate(const TlsOptions& options) {
    SSL_CTX* const context = context_.get();
    if (SSL_CTX_use_certificate_chain_file(context, options.certfile.c_str()) != 1) {
        return refuse_tls_option("certfile", options.certfile);
    }
    // Also says so if it is not the key of the certificate.
    if (SSL_CTX_use_PrivateKey_file(context, options.keyfile.c_str(), SSL_FILETYPE_PEM) != 1) {
        return refuse_tls_option("keyfile", options.keyfile);
    }
    return {};
}

Done TlsContext::load_authorities(const TlsOptions& options) {
    SSL_CTX* const context = context_.get();
    if (!options.cafile.empty()) {
        STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(options.cafile.c_str());
        if (!names || SSL_CTX_load_verify_file(context, options.cafile.c_str()) != 1) {
            sk_X509_NAME_pop_free(names, X509_NAME_free);
            return refuse_tls_option("cafile", options.cafile);
        }
        SSL_CTX_set_client_CA_list(context, names);
    }
    if (!options.capath.empty() && SSL_CTX_load_verify_dir(context, options.capath.c_str()) != 1) {
        return refuse_tls_option("capath", options.capath);
    }
    if (!options.crlfile.empty()) {
        if (auto done = load_revoked(context, options.crlfile); !done) return done;
    }
    const int asked = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context, options.require_certificate ? asked : SSL_VERIFY_NONE, nullptr);
    if (!options.check_certificate_dates) {
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_NO_CHECK_TIME);
    }
    return {};
}

Done TlsContext::load_psk(const TlsOptions& options) {
    if (options.psk_file.empty()) {
        return base::fail(std::string("psk_hint needs a psk_file, or nobody could come in."));
    }
    auto table = PskTable::read(options.psk_file);
    if (!table) return base::fail(std::move(table.error()));
    psk_ = std::move(*table);
    uses_psk_ = true;
    SSL_CTX* const context = context_.get();
    if (SSL_CTX_use_psk_identity_hint(context, options.psk_hint.c_str()) != 1) {
        return refuse_tls_option("psk_hint", options.psk_hint);
    }
    SSL_CTX_set_psk_server_callback(context, &TlsBio::find_psk);
    // A resumed session would not say whose it is.
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
    return {};
}

std::string tls_library() {
    const std::string text = OpenSSL_version(OPENSSL_VERSION);
    return text.substr(0, text.find(' ', text.find(' ') + 1));
}

}  // namespace net

#else

namespace net {

void TlsContext::FreeContext::operator()(ssl_ctx_st*) const {}
void TlsContext::FreeMethod::operator()(bio_method_st*) const {}

base::Result<base::Ref<TlsContext>, std::string> TlsContext::make(const TlsOptions&) {
    return base::fail(std::string("Error: this build has no OpenSSL, so it has no TLS."));
}

base::Result<base::Ref<TlsContext>, std::string> TlsContext::make_client(const TlsClientOptions&) {
    return base::fail(std::string("this build has no OpenSSL, so it has no TLS"));
}

std::string tls_library() {
    return {};
}

}  // namespace net

#endif
