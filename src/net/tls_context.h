// What the TLS connections of a listener, or of a client, have in common: certificates, or
// pre-shared keys, and the rules.
//
// Immutable once made: a reload makes another one for connections to come, and those that exist
// keep theirs. Threads: any; shared by reference count. OpenSSL locks what is inside of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ref_counted.h"
#include "base/result.h"
#include "net/psk_table.h"

struct ssl_ctx_st;
struct bio_method_st;

namespace net {

#ifdef NIGHTJAR_OPENSSL
inline constexpr bool has_tls = true;
#else
inline constexpr bool has_tls = false;
#endif

// Named as the options of mosquitto.conf.
struct TlsOptions {
    std::string listener{};  // What errors call it.
    std::string cafile{};
    std::string capath{};
    std::string certfile{};
    std::string keyfile{};
    std::string crlfile{};
    std::string ciphers{};
    std::string ciphers_tls13{};
    std::string version{};  // The lowest: tlsv1.2 (also if empty), tlsv1.3.
    std::string psk_hint{};
    std::string psk_file{};
    bool require_certificate = false;
    bool check_certificate_dates = true;
};

// What the side that connects needs; named as the options of the tools.
struct TlsClientOptions {
    std::string cafile{};
    std::string capath{};
    bool use_os_certs = false;  // Trust whom this machine trusts.
    std::string cert{};
    std::string key{};
    std::string ciphers{};
    std::string version{};  // The lowest: tlsv1.2 (also if empty), tlsv1.3.
    std::string alpn{};
    std::string psk{};  // In hexadecimal; with it, nothing is asked of certificates.
    std::string psk_identity{};
    // Whether OpenSSL may ask the person at the terminal for the passphrase of the key.
    bool asks_passphrase = false;
};

// Which name of a client's certificate is its user's.
enum class UserFrom : std::uint8_t {
    nothing,
    identity,  // The common name; with pre-shared keys, the identity.
    subject,   // The whole subject, as RFC 2253 writes it.
};

class TlsContext : public base::RefCounted<TlsContext> {
public:
    // Reads the files. The error is a sentence that names listener, option and file.
    static base::Result<base::Ref<TlsContext>, std::string> make(const TlsOptions& options);
    // In tls_client.cc. The error names option and file.
    static base::Result<base::Ref<TlsContext>, std::string> make_client(
        const TlsClientOptions& options);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    ssl_ctx_st* native() const { return context_.get(); }
    // How OpenSSL reaches a TlsLayer's bytes.
    const bio_method_st* bio_method() const { return bio_method_.get(); }
    const PskTable& psk() const { return psk_; }
    bool uses_psk() const { return uses_psk_; }
    // A client's own key, and what it is called.
    base::Bytes psk_key() const { return psk_key_; }
    const std::string& psk_identity() const { return psk_identity_; }

private:
    friend class base::RefCounted<TlsContext>;
    struct FreeContext {
        void operator()(ssl_ctx_st* context) const;
    };
    struct FreeMethod {
        void operator()(bio_method_st* method) const;
    };

    TlsContext() = default;
    ~TlsContext() = default;
    static void destroy(const TlsContext* context) { delete context; }
    base::Result<void, std::string> set_up(const TlsOptions& options);
    base::Result<void, std::string> load_certificate(const TlsOptions& options);
    base::Result<void, std::string> load_authorities(const TlsOptions& options);
    base::Result<void, std::string> load_psk(const TlsOptions& options);
    base::Result<void, std::string> set_ciphers(const TlsOptions& options);
    base::Result<void, std::string> set_up_client(const TlsClientOptions& options);
    base::Result<void, std::string> set_client_psk(const TlsClientOptions& options);

    std::unique_ptr<ssl_ctx_st, FreeContext> context_;
    std::unique_ptr<bio_method_st, FreeMethod> bio_method_;
    PskTable psk_;
    std::vector<std::uint8_t> psk_key_;
    std::string psk_identity_;
    bool uses_psk_ = false;
};

// "OpenSSL 3.0.19", of the library that runs; empty without TLS.
std::string tls_library();

}  // namespace net
